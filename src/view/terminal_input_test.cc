// Keys and findings: see terminal_input.h and terminal_filter.h.
#include "view/terminal_input.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "view/terminal_filter.h"
#include "view/terminal_test_model.h"

namespace honeylink::telemetry::view {
namespace {

constexpr Size kUsual{24, 80};

KeyEffect press_all(Model& model, std::string_view letters) {
  KeyEffect effect;
  for (const char c : letters) effect = press(model, {KeyName::none, static_cast<char32_t>(c)}, kUsual);
  return effect;
}
void press_key(Model& model, KeyName name) { press(model, {name, 0}, kUsual); }

std::string_view notice_of(const Model& model) {
  return model.state.notice ? model.state.notice->message().key : std::string_view();
}

TEST(Keys, LeadFromALevelToItsTraceToItsLogsAndBack) {
  Model model = on_page(Page::level);
  model.state = ViewState{};
  press_all(model, "1");
  EXPECT_EQ(model.state.page, Page::level);
  EXPECT_EQ(model.state.level_name, "session_establishment_latency_p95");
  press_key(model, KeyName::enter);
  EXPECT_EQ(model.state.page, Page::trace);
  EXPECT_EQ(model.state.trace_id, "0af7651916cd43dd8448eb211c80319c") << "of the slowest exemplar";
  model.found.trace = make_trace();
  press_all(model, "l");
  EXPECT_EQ(model.state.page, Page::logs);
  EXPECT_EQ(model.state.filter(), "trace=0af7651916cd43dd8448eb211c80319c");
  press_key(model, KeyName::escape);
  EXPECT_EQ(model.state.page, Page::trace);
  press_key(model, KeyName::escape);
  press_key(model, KeyName::escape);
  EXPECT_EQ(model.state.page, Page::levels);
  EXPECT_FALSE(model.state.quit);
  press_key(model, KeyName::escape);
  EXPECT_EQ(model.state.page, Page::levels) << "Esc never ends the view";
}

TEST(Keys, AnAlertOpensItsTrace) {
  Model model = make_model();
  press_all(model, "a");
  ASSERT_EQ(model.state.page, Page::alerts);
  press_key(model, KeyName::enter);
  EXPECT_EQ(model.state.page, Page::trace);
  EXPECT_EQ(model.state.trace_id, "0af7651916cd43dd8448eb211c80319c");
}

TEST(Keys, WithoutATraceSayingSoIsAll) {
  Model model = make_model();
  auto alerts = std::make_shared<AlertTable>(*model.found.alerts);
  alerts->rows[0].event.trace_id.clear();
  model.found.alerts = alerts;
  press_all(model, "a");
  press_key(model, KeyName::enter);
  EXPECT_EQ(model.state.page, Page::alerts);
  EXPECT_EQ(notice_of(model), "top.no_trace");
}

TEST(Keys, MoveWithinTheList) {
  Model model = make_model();
  press_all(model, "t");
  Place& place = model.state.place();
  EXPECT_TRUE(place.follows);
  press_all(model, "jj");
  EXPECT_EQ(place.selected, 2U);
  EXPECT_FALSE(place.follows);
  press_all(model, "G");
  EXPECT_EQ(place.selected, 99U);
  EXPECT_EQ(place.top, 100U - 20U);
  press_key(model, KeyName::page_up);
  EXPECT_EQ(place.selected, 79U);
  press_all(model, "g");
  EXPECT_EQ(place.selected, 0U);
  EXPECT_TRUE(place.follows) << "at the newest end the list goes on by itself";
  press_key(model, KeyName::up);
  EXPECT_EQ(place.selected, 0U);
}

TEST(Keys, LogsFollowUntilTheReaderGoesUpAndAgainAtTheEnd) {
  Model model = make_model();
  press_all(model, "l");
  settle(model, kUsual);
  EXPECT_EQ(model.state.place().selected, 99U);
  press_all(model, "kk");
  EXPECT_FALSE(model.state.place().follows);
  press_all(model, "G");
  EXPECT_TRUE(model.state.place().follows);
}

TEST(Findings, WhatIsSelectedStaysSelectedThoughItMoves) {
  Model model = make_model();
  press_all(model, "t");
  press_all(model, "jjj");
  const auto id = model.found.traces->rows[3].trace_id;
  Findings fresh = model.found;
  auto traces = std::make_shared<TraceTable>(*model.found.traces);
  query::TraceSummary newest;
  newest.trace_id[0] = 0xee;
  for (int i = 0; i < 7; ++i) traces->rows.insert(traces->rows.begin(), newest);
  fresh.traces = traces;
  adopt(model, fresh);
  settle(model, kUsual);
  EXPECT_EQ(model.found.traces->rows[model.state.place().selected].trace_id, id);
  press_all(model, "g");
  traces = std::make_shared<TraceTable>(*traces);
  traces->rows.insert(traces->rows.begin(), newest);
  fresh.traces = traces;
  adopt(model, fresh);
  settle(model, kUsual);
  EXPECT_EQ(model.state.place().selected, 0U) << "who follows sees the newest";
}

TEST(Findings, LogLinesThatFallOutMoveTheSelectionWithTheirOwn) {
  Model model = make_model();
  press_all(model, "l");
  press_all(model, "kkkkk");
  const LogRow* selected = model.found.logs->rows[model.state.place().selected].get();
  Findings fresh = model.found;
  auto logs = std::make_shared<LogTable>(*model.found.logs);
  logs->rows.erase(logs->rows.begin(), logs->rows.begin() + 10);
  logs->first += 10;
  fresh.logs = logs;
  adopt(model, fresh);
  settle(model, kUsual);
  EXPECT_EQ(model.found.logs->rows[model.state.place().selected].get(), selected);
}

TEST(Findings, ALevelThatGetsWorseKeepsTheSelection) {
  Model model = make_model();
  press_all(model, "jj");  // the first only shows it
  EXPECT_EQ(model.state.place().selected, 1U);
  Findings fresh = model.found;
  auto levels = std::make_shared<LevelCards>(*model.found.levels);
  std::swap(levels->cards[0], levels->cards[1]);
  fresh.levels = levels;
  adopt(model, fresh);
  EXPECT_EQ(model.found.levels->cards[model.state.place().selected].name, "packet_loss_rate");
}

TEST(Typing, FiltersOnEnterAndNotOnEsc) {
  Model model = make_model();
  press_all(model, "t/");
  EXPECT_TRUE(model.state.typing);
  press_all(model, "errors q?lx");
  EXPECT_FALSE(model.state.quit) << "letters are text now";
  press_key(model, KeyName::erase);
  press_key(model, KeyName::enter);
  EXPECT_EQ(model.state.filter(), "errors q?l");
  press_all(model, "/");
  EXPECT_EQ(model.state.typed, "errors q?l") << "to be changed";
  press(model, {KeyName::none, 21}, kUsual);
  press_key(model, KeyName::escape);
  EXPECT_EQ(model.state.filter(), "errors q?l");
  press_key(model, KeyName::escape);
  EXPECT_EQ(model.state.filter(), "") << "Esc takes the filter away first";
  EXPECT_EQ(model.state.page, Page::traces);
}

TEST(Typing, TakesCharactersOfAnyLanguageAndNoControls) {
  Model model = make_model();
  press_all(model, "/");
  for (const char32_t c : {U'日', U'é', U'\x1b', U'\u202e', U'\x9b'}) press(model, {KeyName::none, c}, kUsual);
  EXPECT_EQ(model.state.typed, "日é");
  press_key(model, KeyName::erase);
  EXPECT_EQ(model.state.typed, "日");
}

TEST(Typing, AWordThatCannotBeReadIsSaid) {
  Model model = make_model();
  press_all(model, "t/min=soon");
  press_key(model, KeyName::enter);
  EXPECT_NE(model.state.message.find("min=soon"), std::string::npos);
  EXPECT_EQ(model.state.filter(), "");
}

TEST(Typing, InATraceItFindsTheNextSpan) {
  Model model = on_page(Page::trace);
  press_all(model, "/TRANSMIT");
  press_key(model, KeyName::enter);
  EXPECT_EQ(model.state.place().selected, 4U);
  press_all(model, "n");
  EXPECT_EQ(model.state.place().selected, 4U) << "the only one";
  press_all(model, "/nowhere");
  for (int i = 0; i < 8; ++i) press_key(model, KeyName::erase);
  press(model, {KeyName::none, 21}, kUsual);
  press_all(model, "nowhere");
  press_key(model, KeyName::enter);
  EXPECT_EQ(notice_of(model), "top.nothing_found");
}

TEST(Commands, SayWhatThePageShows) {
  Model model = make_model();
  EXPECT_EQ(command_of(model), "honeytel sli");
  model.home_words = " --home /tmp/h";
  EXPECT_EQ(command_of(model), "honeytel sli --home /tmp/h");
  model.home_words.clear();
  press_all(model, "t");
  model.state.filters[static_cast<std::size_t>(Page::traces)] = "errors slow min=100ms name=packet.send since=1h it's";
  EXPECT_EQ(command_of(model),
            "honeytel traces --errors --slow --min-duration 100ms --name packet.send --since 1h --limit 0 | grep -i "
            "'it'\\''s'");
  press_all(model, "l");
  model.state.filters[static_cast<std::size_t>(Page::logs)] = "level=warn trace=0AF7 packet\\.lost";
  EXPECT_EQ(command_of(model), "honeytel logs -f --level warn --trace 0af7 --grep '(?i)packet\\.lost'");
  model = on_page(Page::trace);
  EXPECT_EQ(command_of(model), "honeytel traces 0af7651916cd43dd");
  EXPECT_EQ(press_all(model, "c").copy, "honeytel traces 0af7651916cd43dd");
}

TEST(Filters, OfOnePageAreTextOnAnother) {
  EXPECT_EQ(read_filter("errors level=warn", Page::traces).text, "level=warn");
  EXPECT_TRUE(read_filter("errors", Page::traces).errors);
  EXPECT_EQ(read_filter("errors", Page::logs).text, "errors");
  EXPECT_EQ(read_filter("level=warn", Page::logs).level_min, 13);
  EXPECT_NE(read_filter("level=loud", Page::logs).problem, "");
  EXPECT_NE(read_filter("trace=xyz", Page::logs).problem, "");
  EXPECT_EQ(read_filter("  two   words ", Page::alerts).text, "two words");
}

TEST(Filters, NarrowLevelsAndAlertsCapitalsAside) {
  Model model = make_model();
  model.state.filters[static_cast<std::size_t>(Page::levels)] = "LATENCY";
  EXPECT_EQ(shown_cards(model).size(), 3U);
  model.state.filters[static_cast<std::size_t>(Page::alerts)] = "packet";
  EXPECT_EQ(shown_alerts(model).size(), 0U);
}

}  // namespace
}  // namespace honeylink::telemetry::view
