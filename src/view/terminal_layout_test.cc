// What the terminal view shows, without a terminal: see terminal_layout.h.
#include "view/terminal_layout.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <cstdio>

#include "base/text.h"
#include "query/unicode.h"
#include "view/terminal_input.h"
#include "view/terminal_test_model.h"

namespace honeylink::telemetry::view {
namespace {

constexpr std::array kAllPages{Page::levels, Page::level, Page::traces, Page::trace, Page::logs, Page::alerts};
constexpr Size kUsual{24, 80}, kSmall{5, 20}, kLarge{60, 200};

bool has(const std::string& screen, std::string_view part) { return screen.find(part) != std::string::npos; }

/// For a person who wants to see: HONEYLINK_SHOW=1.
void show(const std::string& screen) {
  if (::getenv("HONEYLINK_SHOW") != nullptr) std::printf("%s\n", screen.c_str());
}

class Layout : public testing::Test {
 protected:
  void SetUp() override { ::setenv("TZ", "UTC", 1); }
};

TEST_F(Layout, ShowsEveryPageAtEverySize) {
  for (const Page page : kAllPages) {
    for (const Size size : {Size{1, 1}, Size{2, 3}, Size{3, 10}, kSmall, Size{10, 40}, Size{23, 79}, kUsual, kLarge}) {
      for (const bool help : {false, true}) {
        Model model = on_page(page);
        model.state.help = help;
        settle(model, size);
        const Grid grid = draw_view(model, size, {});
        EXPECT_EQ(grid.size(), size);
        for (std::size_t row = 0; row < size.rows; ++row) {
          ASSERT_LE(query::columns_of(grid.text(row)), size.columns) << static_cast<int>(page) << " row " << row;
          ASSERT_FALSE(grid.at(row, size.columns - 1).width == 2) << "half a character beyond the edge";
        }
      }
    }
    show(screen_of(on_page(page), kUsual));
    show(screen_of(on_page(page), kSmall));
  }
  show(screen_of(on_page(Page::levels), kLarge));
  show(screen_of(on_page(Page::level), Size{40, 120}));
}

TEST_F(Layout, TheFirstLineSaysWhoRecordsWhatWaitsWhatWasLostAndWhetherItIsLive) {
  Model model = make_model();
  std::string first = lines_of(draw_view(model, {24, 120}, {}))[0];
  for (const char* part : {"engine agent 4242", "programs 3", "in ring 1,204", "dropped 0", "newest 4 s", "● LIVE"})
    EXPECT_TRUE(has(first, part)) << part << " is not in: " << first;
  auto status = std::make_shared<StatusFacts>(*model.found.status);
  status->dropped = 17, status->engine = "none";
  model.found.status = status;
  first = lines_of(draw_view(model, {24, 120}, {}))[0];
  EXPECT_TRUE(has(first, "■ dropped 17")) << first;
  EXPECT_TRUE(has(first, "no engine: honeytel agent")) << first;
}

TEST_F(Layout, APauseSaysHowMuchIsNew) {
  Model model = make_model();
  press(model, {KeyName::none, U' '}, kUsual);
  model.accepted_now = 10'000 + 1'204;
  EXPECT_TRUE(has(screen_of(model, kUsual), "PAUSED 1,204 new"));
  press(model, {KeyName::none, U' '}, kUsual);
  EXPECT_TRUE(has(screen_of(model, kUsual), "LIVE"));
}

TEST_F(Layout, AFileIsSaidNotToBeLive) {
  Model model = make_model();
  model.live = false, model.file = "evidence.db";
  EXPECT_TRUE(has(screen_of(model, kUsual), "evidence.db: a file, not live"));
  EXPECT_FALSE(has(screen_of(model, kUsual), "LIVE"));
}

TEST_F(Layout, APanelHasAllThatAServiceLevelIs) {
  const std::string screen = screen_of(make_model(), kUsual);
  for (const char* part : {"1",
                           "◆ ORANGE",
                           "session_establishment_latency_p95",
                           "650.5 ms",
                           "< 500 ms",
                           "budget",
                           "-12.4 %",
                           "burn",
                           "3.1x 1h",
                           "1.4x 6h",
                           "breaches",
                           "2 of 3",
                           "rate",
                           "12/s",
                           "newest",
                           "4 s",
                           "▲ YELLOW",
                           "packet_loss_rate",
                           "0.052",
                           "● OK",
                           "policy_update_latency_p95",
                           "encryption_latency_p95",
                           "NO DATA",
                           "qos_packet_drop_rate",
                           "$ honeytel sli"})
    EXPECT_TRUE(has(screen, part)) << part << " is not on\n" << screen;
  EXPECT_TRUE(has(screen, "500 ms ◆")) << "a threshold is a line with its shape\n" << screen;
}

TEST_F(Layout, SmallerThanUsualShowsALineForEachLevel) {
  for (const Size size : {Size{23, 80}, Size{24, 79}, Size{10, 50}}) {
    const auto lines = lines_of(draw_view(make_model(), size, {}));
    EXPECT_TRUE(has(lines[1], "◆ ORANGE")) << lines[1];
    EXPECT_TRUE(has(lines[1], "650.5 ms")) << lines[1];
    EXPECT_TRUE(has(lines[2], "▲ YELLOW")) << lines[2];
  }
  EXPECT_TRUE(has(screen_of(make_model(), {23, 80}), "▁")) << "there is room for curves";
}

TEST_F(Layout, TwentyByFiveIsStillOfUse) {
  const auto lines = lines_of(draw_view(make_model(), kSmall, {}));
  EXPECT_TRUE(has(lines[0], "dropped 0")) << lines[0];
  EXPECT_TRUE(has(lines[0], "●")) << lines[0];
  EXPECT_TRUE(has(lines[1], "◆ sess")) << lines[1];
  EXPECT_TRUE(has(lines[1], "650.5 ms")) << lines[1];
  EXPECT_TRUE(has(lines[4], "q quit")) << lines[4];
}

TEST_F(Layout, WithoutUtf8EverythingIsAscii) {
  for (const Page page : kAllPages) {
    for (const Size size : {kSmall, kUsual, kLarge}) {
      const std::string screen = screen_of(on_page(page), size, {false, Language::ja});
      for (const char c : screen) ASSERT_LT(static_cast<unsigned char>(c), 0x80) << screen;
      EXPECT_TRUE(page != Page::levels || size != kUsual || has(screen, "* ORANGE")) << screen;
    }
  }
}

TEST_F(Layout, WideCharactersKeepTheColumns) {
  Model model = on_page(Page::traces);
  auto traces = std::make_shared<TraceTable>(*model.found.traces);
  traces->rows[0].root = "セッションを確立する処理の名前がとても長いとき";
  traces->rows[1].root = "e\u0301tablir";
  model.found.traces = traces;
  for (const std::size_t columns : {60U, 79U, 80U, 81U, 120U}) {
    const Grid grid = draw_view(model, {24, columns}, {});
    std::array<std::string, 2> ids;
    for (const std::size_t row : {3U, 4U}) {
      std::string at;
      for (std::size_t c = columns - 8; c < columns; ++c) query::append_utf8(at, grid.at(row, c).glyph);
      ids[row - 3] = at;
    }
    EXPECT_EQ(ids[0], "00af0000") << screen_of(model, {24, columns});
    EXPECT_EQ(ids[1], "01af0000") << screen_of(model, {24, columns});
  }
  for (const Language language : {Language::ja, Language::es, Language::zh}) {
    for (const Page page : kAllPages) {
      const Grid grid = draw_view(on_page(page), kUsual, {true, language});
      for (std::size_t row = 0; row < kUsual.rows; ++row) ASSERT_LE(query::columns_of(grid.text(row)), 80U);
      show(screen_of(on_page(page), kUsual, {true, language}));
    }
  }
}

TEST_F(Layout, HostileTextsReachNoCell) {
  const std::string hostile =
      "a\x1b[2J\x1b]0;owned\x07\r\n\tb\xc2\x9b"
      "31m\xe2\x80\xae"
      "evil\xe2\x80\xa8"
      "x\xff\xfe" +
      std::string(10'000, 'A');
  Model model = on_page(Page::trace);
  auto trace = std::make_shared<OpenTrace>(*model.found.trace);
  for (std::string& text : trace->texts) text = hostile;
  trace->trace_id = model.state.trace_id;
  model.found.trace = trace;
  auto traces = std::make_shared<TraceTable>(*model.found.traces);
  for (auto& row : traces->rows) row.root = row.service = hostile;
  model.found.traces = traces;
  auto logs = std::make_shared<LogTable>();
  auto line = std::make_shared<LogRow>();
  line->event = line->text = line->module = line->level_word = line->trace_id = hostile;
  logs->rows = {line, line};
  model.found.logs = logs;
  auto alerts = std::make_shared<AlertTable>(*model.found.alerts);
  for (auto& row : alerts->rows) row.event.sli_name = row.event.unit = row.event.trace_id = hostile;
  model.found.alerts = alerts;
  auto levels = std::make_shared<LevelCards>(*model.found.levels);
  for (auto& card : levels->cards) card.name = card.module = card.unit = hostile;
  model.found.levels = levels;
  model.file = model.state.message = model.home_words = hostile;
  for (const Page page : kAllPages) {
    for (const Size size : {kSmall, kUsual, kLarge}) {
      model.state.page = page;
      model.state.level_name = page == Page::level ? hostile : "";
      for (const bool utf8 : {true, false}) {
        const Grid grid = draw_view(model, size, {utf8, Language::en});
        for (std::size_t row = 0; row < size.rows; ++row) {
          for (std::size_t column = 0; column < size.columns; ++column) {
            const Cell& cell = grid.at(row, column);
            ASSERT_FALSE(is_control(cell.glyph)) << static_cast<unsigned>(cell.glyph);
            for (const char32_t mark : cell.marks) ASSERT_TRUE(mark == 0 || !is_control(mark));
          }
        }
      }
    }
  }
}

TEST_F(Layout, TheWaterfallReadsAsInTheManual) {
  Model model = on_page(Page::trace);
  const std::string screen = screen_of(model, {24, 130});
  for (const char* part : {"session.establish", "├ policy.fetch", "├ key.exchange", "└ packet.send",
                           "  └ physical.transmit", "650.0 ms", "598.0 ms", "transport", "■ error",
                           "← critical path 91 %", "spans 5", "■ errors 1", "$ honeytel traces 0af7651916cd43dd"})
    EXPECT_TRUE(has(screen, part)) << part << " is not on\n" << screen;
}

TEST_F(Layout, ZoomShowsTheWindowAndWhereTheRestIs) {
  Model model = on_page(Page::trace);
  model.state.place().selected = 1;  // policy.fetch: the first 12 ms
  for (int i = 0; i < 4; ++i) press(model, {KeyName::none, U'+'}, kUsual);
  const std::string screen = screen_of(model, kUsual);
  EXPECT_TRUE(has(screen, "40.7 ms")) << "650.5 ms / 16\n" << screen;
  EXPECT_TRUE(has(screen, "›")) << "what begins later is to the right\n" << screen;
  for (int i = 0; i < 4; ++i) press(model, {KeyName::none, U'-'}, kUsual);
  EXPECT_EQ(model.state.zoom_to_ns, 0);
}

TEST_F(Layout, ATraceOf100000SpansIsDrawnWithoutLookingAtThemAll) {
  Model model = on_page(Page::trace);
  auto trace = std::make_shared<OpenTrace>(*model.found.trace);
  OpenTrace::Row row = trace->rows[4];
  for (std::uint32_t i = 0; i < 100'000; ++i) row.depth = 1 + i % 30'000, row.parent = i, trace->rows.push_back(row);
  model.found.trace = trace;
  model.state.place().selected = 99'999;
  settle(model, kLarge);
  const auto began = std::chrono::steady_clock::now();
  constexpr int kFrames = 50;
  for (int i = 0; i < kFrames; ++i) {
    press(model, {KeyName::up, 0}, kLarge);
    static_cast<void>(draw_view(model, kLarge, {}));
  }
  const std::chrono::duration<double, std::milli> each = (std::chrono::steady_clock::now() - began) / kFrames;
  EXPECT_LT(each.count(), 20) << "ms a frame, in a debug build beside others";
  std::printf("[ measured ] %.2f ms a frame of 200 x 60\n", each.count());
}

TEST_F(Layout, ANoticeThatIsLongTakesTheLinesItNeeds) {
  Model model = on_page(Page::traces);
  model.home_words =
      " --home /a/rather/long/path/to/a/home/directory/that/does/not/fit/into/one/line/of/eighty/columns";
  const KeyEffect effect = press(model, {KeyName::none, U'c'}, kUsual);
  EXPECT_EQ(effect.copy, "honeytel traces" + model.home_words);
  const auto lines = lines_of(draw_view(model, kUsual, {}));
  EXPECT_TRUE(has(lines[22] + lines[23], effect.copy)) << lines[22] << "\n" << lines[23];
}

TEST_F(Layout, EmptyPagesSayWhyAndWhatToDo) {
  Model model;
  model.now_unix_ns = kTestNow;
  model.state.page = Page::traces;
  EXPECT_TRUE(has(screen_of(model, kUsual), "reading"));
  model.found.traces = std::make_shared<TraceTable>();
  EXPECT_TRUE(has(screen_of(model, kUsual), "no traces here yet"));
  EXPECT_TRUE(has(screen_of(model, kUsual), "honeytel demo"));
  model.state.filters[static_cast<std::size_t>(Page::traces)] = "errors";
  EXPECT_TRUE(has(screen_of(model, kUsual), "nothing matches the filter"));
}

}  // namespace
}  // namespace honeylink::telemetry::view
