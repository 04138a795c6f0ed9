// honeytel sli and alerts, and what other commands say of levels, over homes that the real engine made under a clock of
// the test's.
#include <algorithm>
#include <fstream>

#include "cli_support.h"
#include "engine/testing_sli.h"

namespace honeylink::telemetry::test {
namespace {

using engine::SliProgram;
using engine::TestEngine;
using engine::TestHome;

class CliSli : public CliTest {
 protected:
  Said tool(std::vector<std::string> words) {
    words.push_back("--home"), words.push_back(levels_.path());
    return honeytel(words);
  }
  /// Some ticks that begin five minutes before now, or where the last ones ended: packet loss goes Yellow, then Orange;
  /// sessions are a bit slow.
  void live(std::initializer_list<std::uint64_t> lost = {140, 140, 140, 300, 300, 300, 300}) {
    TestEngine e(levels_);
    if (clock_.monotonic == 0) e.clock.step(-300'000'000'000);
    engine::go_on(e, clock_);
    ASSERT_TRUE(engine::lead_on_time(e));
    e.engine->core()->alerts.fired = [&](const AlertEvent& event) {
      e.engine->core()->slis.note_delivery({event.alert_id, R"({"toast_ms":12.5})"});
    };
    SliProgram link(levels_, ++programs_);  // a ring is never used again
    engine::pass_ticks_of_a_link(e, link, lost);
    clock_ = engine::clock_of(e);
  }
  void configure(const std::string& text) { std::ofstream(levels_.path() + "/config.toml") << text; }
  TestHome levels_;
  engine::ClockState clock_;
  std::uint8_t programs_ = 0;
};

bool has(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

TEST_F(CliSli, WorstFirstWithShapeWordBudgetAndBurn) {
  live();
  const Said said = tool({"sli"});
  EXPECT_EQ(said.exit, 0) << said.err;
  std::vector<std::string> lines;
  for (std::size_t at = 0, end = 0; (end = said.out.find('\n', at)) != std::string::npos; at = end + 1)
    lines.push_back(said.out.substr(at, end - at));
  ASSERT_EQ(lines.size(), 6U) << said.out;
  for (const char* title : {"SLI", "now", "objective", "state", "budget", "burn 1h", "last 30 min"})
    EXPECT_TRUE(has(lines[0], title)) << title;
  EXPECT_TRUE(has(lines[1], "packet_loss_rate")) << said.out;
  for (const char* part : {"0.15", "< 0.01", "◆ ORANGE", "-10", "x"}) EXPECT_TRUE(has(lines[1], part)) << lines[1];
  EXPECT_TRUE(has(lines[2], "session_establishment_latency_p95")) << said.out;
  for (const char* part : {"ms", "< 500 ms", "● OK", "40.0 %", "0.6x"}) EXPECT_TRUE(has(lines[2], part)) << lines[2];
  EXPECT_TRUE(has(lines[5], "○ no data")) << said.out;
  EXPECT_EQ(said.out.find('\x1b'), std::string::npos);
  EXPECT_TRUE(has(said.err, "newest point ")) << said.err;
  EXPECT_TRUE(has(said.err, " dropped")) << said.err;
}

TEST_F(CliSli, JsonHasItsShape) {
  live();
  const nlohmann::json json = tool({"sli", "--json"}).json();
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["schema"], 1);
  ASSERT_EQ(json["slis"].size(), 5U);
  const nlohmann::json& loss = json["slis"][0];
  EXPECT_EQ(loss["sli_name"], "packet_loss_rate");
  EXPECT_EQ(loss["module"], "transport");
  EXPECT_EQ(loss["state"], "orange");
  EXPECT_EQ(loss["value"], 0.15);
  EXPECT_EQ(loss["unit"], "1");
  EXPECT_EQ(loss["consecutive"], 3);
  EXPECT_EQ(loss["objective"], 0.01);
  EXPECT_LT(loss["budget_left"].get<double>(), 0);
  EXPECT_GT(loss["burn_1h"].get<double>(), 1);
  EXPECT_GT(loss["burn_6h"].get<double>(), 1);
  EXPECT_EQ(loss["newest_point"].get<std::string>().size(), 30U);
  EXPECT_EQ(loss["kind"], "ratio");
  EXPECT_EQ(loss["ratio"], nlohmann::json({"packets_lost_total", "packets_sent_total"}));
  EXPECT_EQ(loss["yellow"], 0.05);
  EXPECT_EQ(loss["spark"].size(), 30U);
  EXPECT_EQ(loss["rate"], 200);
  EXPECT_EQ(loss["alerts"].size(), 1U);
  const nlohmann::json& session = json["slis"][1];
  EXPECT_EQ(session["kind"], "quantile");
  EXPECT_EQ(session["quantile"], 0.95);
  EXPECT_EQ(session["of"], "session_establishment_duration_seconds");
  EXPECT_EQ(session["trace_id"].get<std::string>().size(), 32U);
  EXPECT_EQ(json["slis"][4]["state"], "no_data");
  EXPECT_TRUE(json["slis"][4]["value"].is_null());
  const Said csv = tool({"sli", "--format", "csv"});
  EXPECT_TRUE(csv.out.starts_with("sli_name,module,value,unit,objective,state,consecutive,budget_left,burn_1h,"))
      << csv.out;
}

TEST_F(CliSli, CheckAnswersByTheWorstLevel) {
  live({0, 0, 0});
  EXPECT_EQ(tool({"sli", "--check"}).exit, 0);
  live({140, 140, 140});
  EXPECT_EQ(tool({"sli", "--check"}).exit, 10);
  EXPECT_EQ(tool({"sli", "session_establishment_latency_p95", "--check"}).exit, 0);
  live({300, 300, 300});
  EXPECT_EQ(tool({"sli", "--check", "--json"}).exit, 11);
  live({900});
  EXPECT_EQ(tool({"sli", "--check"}).exit, 12);
  EXPECT_EQ(tool({"sli"}).exit, 0);
}

TEST_F(CliSli, OneLevelShowsItsRuleItsBudgetItsAlertAndItsCurve) {
  live();
  const Said said = tool({"sli", "packet_loss_rate"});
  EXPECT_EQ(said.exit, 0) << said.err;
  for (const char* part :
       {"◆ ORANGE", "packets_lost_total / packets_sent_total, module transport", "▲ > 0.05", "◆ > 0.1", "■ > 0.2",
        "3 ticks of 10 s in a row", "3 of 3 breaches", "1.0 % of 30 days may be lost", "5 min ", "30 min ", "6 h ",
        "3 d ", "alert_", "0.15 > 0.1", "toast in 12.5 ms", "┤"})
    EXPECT_TRUE(has(said.out, part)) << part << "\n" << said.out;
  const Said other = tool({"sli", "session_establishment_latency_p95"});
  EXPECT_TRUE(has(other.out, "p95 of session_establishment_duration_seconds")) << other.out;
  EXPECT_TRUE(has(other.out, "honeytel traces ")) << other.out;
}

TEST_F(CliSli, AnUnknownNameIsNotFoundWithTheNearest) {
  const Said said = tool({"sli", "packet_los_rate"});
  EXPECT_EQ(said.exit, 6);
  EXPECT_TRUE(has(said.err, "did you mean 'packet_loss_rate'?")) << said.err;
}

TEST_F(CliSli, AHomeWithoutDataHasItsDefinitionsAndSaysHowToGetSome) {
  const Said said = tool({"sli"});
  EXPECT_EQ(said.exit, 0) << said.err;
  EXPECT_TRUE(has(said.out, "encryption_latency_p95"));
  EXPECT_FALSE(has(said.out, "● OK"));
  EXPECT_TRUE(has(said.err, "honeytel demo")) << said.err;
  EXPECT_EQ(tool({"sli", "--json"}).json()["slis"].size(), 5U);
  EXPECT_EQ(tool({"alerts", "--json"}).json()["alerts"].size(), 0U);
}

TEST_F(CliSli, AlertsSayWhatSinceWhenByHowMuchWhichRuleAndWhomTheyTold) {
  live();
  const Said said = tool({"alerts"});
  EXPECT_EQ(said.exit, 0) << said.err;
  for (const char* part : {"since", "level", "value", "over", "told", "◆ ORANGE", "▲ YELLOW", "packet_loss_rate",
                           "0.07", "0.05", ", still", "packets_lost_total / packets_sent_total", "toast 12.5 ms"})
    EXPECT_TRUE(has(said.out, part)) << part << "\n" << said.out;
  EXPECT_LT(said.out.find("ORANGE"), said.out.find("YELLOW"));
}

TEST_F(CliSli, AlertsAsJsonAreAlertEvents) {
  live();
  const nlohmann::json json = tool({"alerts", "--json"}).json();
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["total"], 2);
  EXPECT_EQ(json["truncated"], false);
  ASSERT_EQ(json["alerts"].size(), 2U);
  const nlohmann::json& yellow = json["alerts"][1];
  EXPECT_TRUE(yellow["alert_id"].get<std::string>().starts_with("alert_"));
  EXPECT_EQ(yellow["alert_id"].get<std::string>().size(), 32U);
  EXPECT_EQ(yellow["severity"], "yellow");
  EXPECT_EQ(yellow["sli_name"], "packet_loss_rate");
  EXPECT_EQ(yellow["current_value"], 0.07);
  EXPECT_EQ(yellow["threshold"], 0.05);
  EXPECT_EQ(yellow["threshold_type"], "upper");
  EXPECT_EQ(yellow["timestamp"].get<std::string>().size(), 30U);
  EXPECT_TRUE(yellow.contains("trace_id"));
  EXPECT_EQ(yellow["labels"]["module"], "transport");
  EXPECT_EQ(yellow["labels"]["environment"], "production");
  EXPECT_EQ(yellow["cleared_at"], json["alerts"][0]["timestamp"]);
  EXPECT_TRUE(json["alerts"][0]["cleared_at"].is_null());
  EXPECT_EQ(yellow["delivered"]["toast_ms"], 12.5);
  EXPECT_TRUE(yellow["delivered"]["alertmanager_ms"].is_null());
}

TEST_F(CliSli, AlertsAreBoundedAndSaySo) {
  live();
  const Said said = tool({"alerts", "--limit", "1"});
  EXPECT_TRUE(has(said.err, "showing 1 of 2; --limit 0 for all")) << said.err;
  const nlohmann::json json = tool({"alerts", "--limit", "1", "--json"}).json();
  EXPECT_EQ(json["truncated"], true);
  EXPECT_EQ(json["total"], 2);
  // What fires is there whenever it began.
  EXPECT_EQ(tool({"alerts", "--since", "1s", "--json"}).json()["alerts"].size(), 1U);
  EXPECT_EQ(tool({"alerts", "packet_loss_rate", "--json"}).json()["alerts"].size(), 2U);
  EXPECT_EQ(tool({"alerts", "encryption_latency_p95", "--json"}).json()["alerts"].size(), 0U);
  EXPECT_EQ(tool({"alerts", json["alerts"][0]["alert_id"].get<std::string>(), "--json"}).json()["alerts"].size(), 1U);
}

TEST_F(CliSli, OtherCommandsNameWhatIsNotOk) {
  live();
  EXPECT_TRUE(has(tool({"status"}).out, "◆ ORANGE packet_loss_rate")) << tool({"status"}).out;
  const nlohmann::json status = tool({"status", "--json"}).json();
  EXPECT_EQ(status["slis"][0]["state"], "orange");
  EXPECT_TRUE(has(tool({"doctor"}).out, "1 not OK")) << tool({"doctor"}).out;
  const std::string line = tool({"logs", "--grep", "alert.fired", "--json"}).out;
  EXPECT_TRUE(has(line, "\"severity\":\"orange\"")) << line;
}

TEST_F(CliSli, ATraceNamesTheAlertThatItIsAnExampleOf) {
  configure("[sli.session_establishment_latency_p95]\nquantile = 0.99\n");
  live({0, 0, 0, 0});
  const nlohmann::json alerts = tool({"alerts", "--json"}).json()["alerts"];
  ASSERT_EQ(alerts.size(), 1U);
  const std::string trace = alerts[0]["trace_id"];
  const Said said = tool({"traces", trace});
  EXPECT_EQ(said.exit, 0) << said.err;
  EXPECT_TRUE(has(said.out, "alert_")) << said.out;
  EXPECT_TRUE(has(said.out, "◆")) << said.out;
}

TEST_F(CliSli, ConfigCheckNamesAnImpossibleDefinitionWithASuggestion) {
  const auto check = [&](const std::string& text) {
    configure(text);
    return tool({"config", "check"});
  };
  const std::string sound = "[sli.mine]\nratio = [\"packets_lost_total\", \"packets_sent_total\"]\n";
  Said said = check(sound + "yellow = 0.3\norange = 0.2\nred = 0.4\n");
  EXPECT_EQ(said.exit, 2);
  EXPECT_TRUE(has(said.err, "config.toml:4:")) << said.err;
  EXPECT_TRUE(has(said.err, "orange (0.2) is below yellow (0.3); order them: yellow = 0.2, orange = 0.3, red = 0.4"))
      << said.err;
  live({1});  // a counter that never counted is not recorded
  EXPECT_EQ(check(sound + "yellow = 0.1\norange = 0.2\nred = 0.4\n").exit, 0);
  said =
      check("[sli.mine]\nratio = [\"packets_lost\", \"packets_sent_total\"]\nyellow = 0.1\norange = 0.2\nred = 0.4\n");
  EXPECT_EQ(said.exit, 2);
  EXPECT_TRUE(has(said.err, "no program has recorded 'packets_lost'; did you mean 'packets_lost_total'?")) << said.err;
  said = check(
      "[sli.mine]\nratio = [\"session_establishment_duration_seconds\", \"packets_sent_total\"]\n"
      "yellow = 0.1\norange = 0.2\nred = 0.4\n");
  EXPECT_EQ(said.exit, 2);
  EXPECT_TRUE(has(said.err, "is a histogram, a ratio needs counters")) << said.err;
  // The table says so too, and an impossible level is no reason to hide the others.
  EXPECT_TRUE(has(tool({"sli"}).err, "a ratio needs counters"));
}

TEST_F(CliSli, WhatSomebodyWroteIntoADefinitionReachesNoTerminalRaw) {
  configure(
      "[sli.\"a\\u001b[31m\\u202e\"]\nmodule = \"\\u001b]0;x\\u0007\"\nratio = [\"packets_lost_total\", "
      "\"packets_sent_total\"]\nyellow = 0.01\norange = 0.2\nred = 0.4\n");
  live({100, 100, 100});
  for (const auto& words : {std::vector<std::string>{"sli"}, {"alerts"}, {"status"}, {"sli", "a\x1b[31m\u202e"}}) {
    const Said said = tool(words);
    EXPECT_EQ(said.exit, 0) << said.err;
    EXPECT_TRUE(has(said.out, "\\x1b")) << said.out;
    for (const std::string* text : {&said.out, &said.err})
      EXPECT_EQ(text->find_first_of(std::string("\x1b\x07")), std::string::npos);
  }
  EXPECT_FALSE(tool({"sli", "--json"}).json().is_discarded());
  EXPECT_FALSE(tool({"alerts", "--json"}).json().is_discarded());
}

TEST_F(CliSli, ABundleShowsTheLevelsOfItsTime) {
  live();
  const std::string file = home_ + "/report.db";
  ASSERT_EQ(tool({"bundle", "--since", "20m", "-o", file}).exit, 0);
  const nlohmann::json json = honeytel({"sli", "--json", "--home", file}).json();
  EXPECT_EQ(json["slis"][0]["state"], "orange");
  EXPECT_EQ(json["slis"][1]["state"], "ok");
  EXPECT_EQ(honeytel({"alerts", "--json", "--home", file}).json()["total"], 2);
}

}  // namespace
}  // namespace honeylink::telemetry::test
