// Tables, waterfalls and curves: what reaches a terminal or a file.
#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cli/listing.h"
#include "cli/plot.h"
#include "cli/waterfall.h"
#include "query/unicode.h"

namespace honeylink::telemetry::cli {
namespace {

const Style kPlain(false, false, true), kAscii(false, false, false), kColours(true, false, true);

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

Listing sample() {
  Listing listing({{"name", "name", false, true}, {"n", "n", true}, {"note", ""}});
  listing.add({text_cell("日本の長い名前です"), count_cell(1'204), text_cell("x,\"y\"")});
  listing.add({text_cell("esc\x1b[2J"), count_cell(7), text_cell("line\nbreak")});
  return listing;
}

TEST(Listing, ColumnsAlignWithWideCharacters) {
  const auto lines = lines_of(sample().table(kPlain, 0));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(query::columns_of(lines[1]), query::columns_of(lines[2]));
  EXPECT_EQ(lines[2].find('\x1b'), std::string::npos);
}

TEST(Listing, IsCutToATerminalAndNeverElsewhere) {
  for (const auto& line : lines_of(sample().table(kPlain, 22))) EXPECT_LE(query::columns_of(line), 22U) << line;
  EXPECT_NE(sample().table(kPlain, 0).find("日本の長い名前です"), std::string::npos);
}

TEST(Listing, EscapesOnlyWhereThereAreColours) {
  EXPECT_EQ(sample().table(kPlain, 0).find('\x1b'), std::string::npos);
  EXPECT_NE(sample().table(kColours, 0).find("\x1b[1m"), std::string::npos);
}

TEST(Listing, MachineFormsCarryEverythingUncut) {
  EXPECT_EQ(lines_of(sample().csv())[1], "日本の長い名前です,1204,\"x,\"\"y\"\"\"\r");
  const auto lines = lines_of(sample().json_lines());
  ASSERT_EQ(lines.size(), 2U);
  const auto row = nlohmann::json::parse(lines[1]);
  EXPECT_EQ(row["name"], "esc\x1b[2J");
  EXPECT_EQ(row["note"], "line\nbreak");
  EXPECT_EQ(row["n"], 7);
}

query::SpanView span(std::uint64_t n, std::uint64_t parent, std::int64_t start_us, std::int64_t duration_us,
                     std::string name, std::string module) {
  query::SpanView view;
  std::memcpy(view.span_id.data(), &n, sizeof n);
  std::memcpy(view.parent_span_id.data(), &parent, sizeof parent);
  view.has_parent = parent != 0;
  view.start_unix_ns = start_us * 1'000, view.duration_ns = duration_us * 1'000;
  view.name = std::move(name), view.module = std::move(module);
  return view;
}

std::vector<query::SpanView> session() {
  std::vector<query::SpanView> spans{span(1, 0, 0, 650'500, "session.establish", "session-orchestrator"),
                                     span(2, 1, 1'000, 12'100, "policy.fetch", "policy-engine"),
                                     span(3, 1, 15'000, 31'000, "key.exchange", "crypto"),
                                     span(4, 1, 50'000, 598'200, "packet.send", "transport"),
                                     span(5, 4, 55'000, 590'000, "physical.transmit", "physical-adapter")};
  spans[3].status = 2;
  spans[3].status_text = "timeout";
  return spans;
}

TEST(Waterfall, ReadsAsInTheManual) {
  const auto spans = session();
  const auto lines = lines_of(draw_waterfall(spans, query::build_trace_tree(spans), kPlain, {}));
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_NE(lines[0].find("session.establish"), std::string::npos);
  EXPECT_NE(lines[0].find("650.5 ms ████████████████████████  session-orchestrator"), std::string::npos) << lines[0];
  EXPECT_EQ(lines[1].find("  ├ policy.fetch"), 0U);
  EXPECT_EQ(lines[3].find("  └ packet.send"), 0U);
  EXPECT_NE(lines[3].find("■ error: timeout"), std::string::npos);
  EXPECT_EQ(lines[4].find("    └ physical.transmit"), 0U);
  EXPECT_NE(lines[4].find("← critical path 91 %"), std::string::npos) << lines[4];
}

TEST(Waterfall, AHostileNameStaysInItsLine) {
  auto spans = session();
  spans[1].name = "a\n\x1b[2Jb\xe2\x80\xae";
  spans[3].status_text = "x\r\n\x07";
  const std::string text = draw_waterfall(spans, query::build_trace_tree(spans), kPlain, {});
  EXPECT_EQ(lines_of(text).size(), 5U);
  for (const auto& line : lines_of(text)) EXPECT_EQ(terminal_safe(line), line);
}

TEST(Waterfall, AsciiWhereTheTerminalHasNoMore) {
  const auto spans = session();
  for (const char c : draw_waterfall(spans, query::build_trace_tree(spans), kAscii, {}))
    EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f));
}

TEST(Plot, ACurveOfAFewPointsStaysInItsFrame) {
  std::vector<PlotPoint> points;
  for (int i = 0; i < 100; ++i) points.push_back({i * 10'000'000'000LL, std::sin(i * 0.1) + 2});
  points[50].value = NAN;
  const auto lines = lines_of(
      draw_plot(points, kPlain, {40, 8, 10'000'000'000}, [](double v) { return std::to_string(v).substr(0, 4); }));
  ASSERT_EQ(lines.size(), 9U);
  for (const auto& line : lines) EXPECT_LE(query::columns_of(line), 40U + 8U) << line;
  EXPECT_NE(lines[0].find("2.99"), std::string::npos);
}

TEST(Plot, NoDataIsSaid) {
  EXPECT_EQ(draw_plot({}, kPlain, {}, [](double) { return ""; }), "  (no data)\n");
  EXPECT_EQ(draw_plot({{0, NAN}}, kPlain, {}, [](double) { return ""; }), "  (no data)\n");
}

TEST(Plot, ASinglePointAndAFlatLineAreDrawn) {
  EXPECT_NE(draw_plot({{5, 0.0}}, kAscii, {20, 4, 0}, [](double) { return "v"; }).find('.'), std::string::npos);
  EXPECT_FALSE(draw_plot({{5, 1.0}, {6, 1.0}}, kPlain, {20, 4, 0}, [](double) { return "v"; }).empty());
}

TEST(Sparkline, LowIsLowAndAGapIsAGap) {
  EXPECT_EQ(sparkline({1, 2, NAN, 8}, kPlain), "▁▂ █");
  EXPECT_EQ(sparkline({1, 8}, kAscii), "_#");
}

// Their distance is no double: a curve through it once had more dots than a life has seconds.
TEST(Plot, ValuesAtBothEndsOfTheRangeAreDrawn) {
  const auto plot = lines_of(
      draw_plot({{0, -DBL_MAX}, {10, DBL_MAX}, {20, -DBL_MAX}}, kAscii, {20, 4, 0}, [](double) { return "v"; }));
  EXPECT_NE(plot[0].find_first_of(".'|", 5), std::string::npos) << plot[0];
  EXPECT_EQ(sparkline({-DBL_MAX, DBL_MAX, 0}, kAscii), "_#=");
  EXPECT_FALSE(draw_plot({{5, DBL_MAX}, {6, DBL_MAX}}, kPlain, {20, 4, 0}, [](double) { return "v"; }).empty());
}

TEST(Style, ColoursObeyTheEnvironment) {
  const auto with = [](const char* name, const char* value, auto&& check) {
    ::setenv(name, value, 1);
    check();
    ::unsetenv(name);
  };
  ::unsetenv("NO_COLOR"), ::unsetenv("CLICOLOR_FORCE"), ::setenv("TERM", "xterm-256color", 1);
  EXPECT_TRUE(Style::decide(ColourMode::automatic, true).colour());
  EXPECT_FALSE(Style::decide(ColourMode::automatic, false).colour());
  with("NO_COLOR", "1", [] { EXPECT_FALSE(Style::decide(ColourMode::automatic, true).colour()); });
  with("CLICOLOR_FORCE", "1", [] { EXPECT_TRUE(Style::decide(ColourMode::automatic, false).colour()); });
  with("NO_COLOR", "1", [] { EXPECT_TRUE(Style::decide(ColourMode::always, false).colour()); });
  ::setenv("TERM", "dumb", 1);
  EXPECT_FALSE(Style::decide(ColourMode::automatic, true).colour());
}

}  // namespace
}  // namespace honeylink::telemetry::cli
