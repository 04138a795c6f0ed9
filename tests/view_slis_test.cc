// What the page asks and is told of service levels and alerts: over a home that the real engine judged under a clock of
// the test's, and out of the rings between two ticks.
#include <cmath>

#include "engine/testing_sli.h"
#include "view_watcher.h"

namespace honeylink::telemetry::test {
namespace {

using engine::SliProgram;
using engine::TestEngine;
using engine::TestHome;

constexpr const char* kSessions = "session_establishment_latency_p95";

class ViewSlis : public ViewTest {
 protected:
  /// Some ticks that begin five minutes before now, or where the last ones ended: packet loss goes Yellow, then Orange;
  /// three of a hundred sessions are slow.
  void live(std::initializer_list<std::uint64_t> lost = {140, 140, 140, 300, 300, 300, 300}) {
    TestEngine e(levels_);
    if (clock_.monotonic == 0) e.clock.step(-300'000'000'000);
    engine::go_on(e, clock_);
    ASSERT_TRUE(engine::lead_on_time(e));
    SliProgram link(levels_, ++programs_);  // a ring is never used again
    engine::pass_ticks_of_a_link(e, link, lost);
    clock_ = engine::clock_of(e);
  }
  void view_levels() { view({"--home", levels_.path()}); }
  std::string tool(std::vector<std::string> words) {
    words.insert(words.end(), {"--json", "--home", levels_.path()});
    return honeytel(words).out;
  }
  TestHome levels_;
  engine::ClockState clock_;
  std::uint8_t programs_ = 0;
};

TEST_F(ViewSlis, AnswersAsTheCommandLineDoes) {
  live();
  view_levels();
  for (const auto& [target, words] : std::vector<std::pair<std::string, std::vector<std::string>>>{
           {"/api/slis", {"sli"}},
           {"/api/alerts", {"alerts"}},
           {"/api/alerts?limit=1", {"alerts", "--limit", "1"}},
           {"/api/alerts?sli=packet_loss_rate", {"alerts", "packet_loss_rate"}},
           {"/api/alerts?since=1s", {"alerts", "--since", "1s"}}}) {
    const HttpAnswer answer = get(target);
    ASSERT_EQ(answer.status, 200) << target << answer.body;
    EXPECT_EQ(answer.body + "\n", tool(words)) << target;
  }
  const auto alerts = get("/api/alerts").json();
  ASSERT_EQ(alerts["alerts"].size(), 2U);
  const std::string id = alerts["alerts"][1]["alert_id"];
  EXPECT_EQ(get("/api/alerts?id=" + id).json()["alerts"][0], alerts["alerts"][1]);
  const std::string trace = alerts["alerts"][0]["trace_id"].is_string() ? alerts["alerts"][0]["trace_id"] : "";
  if (!trace.empty()) { EXPECT_GE(get("/api/alerts?trace=" + trace).json()["total"], 1); }
}

TEST_F(ViewSlis, AHistoryHasEveryTickWithItsQuantilesAndGapsAreNull) {
  live({0, 0});
  clock_.realtime += 60'000'000'000, clock_.monotonic += 60'000'000'000;
  live({20});
  view_levels();
  const auto history = get(std::string("/api/slis/") + kSessions + "/history?since=10m").json();
  EXPECT_EQ(history["sli_name"], kSessions);
  EXPECT_EQ(history["unit"], "s");
  EXPECT_EQ(history["step_s"], 10);
  EXPECT_EQ(history["tier"], "10s");
  const auto& t = history["t"];
  ASSERT_GE(t.size(), 9U) << history;
  std::size_t points = 0, gaps = 0;
  for (std::size_t i = 0; i < t.size(); ++i) {
    if (i > 0) { EXPECT_EQ(t[i].get<std::int64_t>() - t[i - 1].get<std::int64_t>(), 10) << "contiguous"; }
    if (history["value"][i].is_null()) {
      ++gaps;
      for (const char* name : {"p50", "p95", "p99"}) EXPECT_TRUE(history[name][i].is_null());
      continue;
    }
    ++points;
    EXPECT_EQ(history["count"][i], 100);
    EXPECT_EQ(history["value"][i], history["p95"][i]) << "what is judged is its 95th percentile";
    EXPECT_NEAR(history["p50"][i].get<double>(), 0.1, 0.005);
    EXPECT_NEAR(history["p99"][i].get<double>(), 0.7, 0.03);
  }
  EXPECT_EQ(points, 3U);
  EXPECT_GE(gaps, 5U) << "the minute between is there, without values";
  const auto loss = get("/api/slis/packet_loss_rate/history?since=10m").json();
  EXPECT_FALSE(loss.contains("p50")) << "a ratio has no quantiles";
  double most = 0;
  for (const auto& value : loss["value"])
    if (value.is_number()) most = std::max(most, value.get<double>());
  EXPECT_EQ(most, 0.01);
  EXPECT_LE(get("/api/slis/packet_loss_rate/history?since=10m&points=4").json()["t"].size(), 5U);
}

TEST_F(ViewSlis, AHeatmapHoldsEveryObservationOnceAndItsExemplarsLeadToTraces) {
  live();
  view_levels();
  const auto map = get(std::string("/api/slis/") + kSessions + "/heatmap?since=10m").json();
  EXPECT_EQ(map["unit"], "s");
  ASSERT_EQ(map["t"].size(), 7U) << map;
  const auto& bounds = map["bounds"];
  for (std::size_t i = 1; i < bounds.size(); ++i) EXPECT_GT(bounds[i].get<double>(), bounds[i - 1].get<double>());
  std::uint64_t all = 0, slow = 0;
  for (const auto& cell : map["cells"]) {
    ASSERT_LT(cell[0].get<std::size_t>(), map["t"].size());
    ASSERT_LT(cell[1].get<std::size_t>(), bounds.size());
    all += cell[2].get<std::uint64_t>();
    if (bounds[cell[1].get<std::size_t>()].get<double>() > 0.5) slow += cell[2].get<std::uint64_t>();
  }
  EXPECT_EQ(all, 700U);
  EXPECT_EQ(slow, 21U);
  ASSERT_FALSE(map["exemplars"].empty());
  const auto& exemplar = map["exemplars"].back();
  EXPECT_NEAR(exemplar["value"].get<double>(), 0.7, 1e-9);
  EXPECT_EQ(get("/api/traces/" + exemplar["trace_id"].get<std::string>()).status, 200);
  EXPECT_LE(get(std::string("/api/slis/") + kSessions + "/heatmap?since=10m&columns=3").json()["t"].size(), 4U);
  EXPECT_EQ(get("/api/slis/packet_loss_rate/heatmap").status, 400) << "a ratio has no histogram";
}

TEST_F(ViewSlis, ABoxTellsWhatItsSpansHaveInCommon) {
  // Spans of a real program, half of them of peer AA-17, half of BB-02.
  const pid_t agent = in_background({"agent"});
  // Exemplars are told of what was recorded since the engine leads.
  ASSERT_TRUE(eventually([&] { return !honeytel({"logs", "--grep", "engine.leads"}).out.empty(); }));
  EXPECT_EQ(end(run_program("page_data", {home_, "pulse", "30", "5"}), 0), 0);
  EXPECT_TRUE(eventually([&] {
    return honeytel({"traces", "--json"}).json()["total"] >= 30 &&
           honeytel({"metrics", "session_establishment_duration_seconds"}).exit == 0;
  }));
  EXPECT_EQ(end(agent, SIGTERM), 0);
  view();
  const auto map = get(std::string("/api/slis/") + kSessions + "/heatmap?since=10m").json();
  ASSERT_FALSE(map["exemplars"].empty()) << map;
  const std::string whole = std::string("/api/slis/") + kSessions +
                            "/compare?t0=" + std::to_string(map["t"][0].get<std::int64_t>() - 20) +
                            "&t1=" + std::to_string(map["t"].back().get<std::int64_t>() + 20);
  const auto all = get(whole + "&v0=0&v1=10").json();
  EXPECT_EQ(all["span_name"], "session.establish") << all;
  EXPECT_EQ(all["inside"], 30);
  EXPECT_EQ(all["outside"], 0);
  EXPECT_EQ(all["traces"].size(), 20U) << "the slowest";
  const auto none = get(whole + "&v0=5&v1=10").json();
  EXPECT_EQ(none["inside"], 0);
  EXPECT_EQ(none["outside"], 30);
  EXPECT_EQ(none["traces"].size(), 0U);
  double peers = 0;
  for (const auto& attribute : none["attributes"])
    if (attribute["key"] == "peer") peers += attribute["outside"].get<double>();
  EXPECT_EQ(peers, 1) << "half of them AA-17, half BB-02: " << none;
}

TEST_F(ViewSlis, NonsenseIsAnsweredInWords) {
  live({0});
  view_levels();
  const std::string sli = std::string("/api/slis/") + kSessions;
  for (const std::string& target :
       {sli + "/history?points=0", sli + "/history?points=1000000", sli + "/history?since=soon-ish",
        sli + "/heatmap?columns=x", sli + "/compare", sli + "/compare?t0=1&t1=2&v0=3",
        sli + "/compare?t0=2&t1=1&v0=0&v1=1", sli + "/compare?t0=nan&t1=1&v0=0&v1=1",
        sli + "/compare?t0=0&t1=1e300&v0=0&v1=1", std::string("/api/slis/packet_loss_rate/compare?t0=0&t1=1&v0=0&v1=1"),
        std::string("/api/alerts?since=whenever"), std::string("/api/alerts?limit=-1")}) {
    const HttpAnswer answer = get(target);
    EXPECT_EQ(answer.status, 400) << target << " " << answer.body;
    EXPECT_FALSE(answer.json()["error"].get<std::string>().empty()) << target;
  }
  const HttpAnswer near = get("/api/slis/packet_los_rate/history");
  EXPECT_EQ(near.status, 404);
  EXPECT_NE(near.body.find("did you mean 'packet_loss_rate'?"), std::string::npos) << near.body;
  EXPECT_EQ(get(sli + "/nothing").status, 404);
  EXPECT_EQ(post("/api/slis", "{}").status, 405);
}

TEST_F(ViewSlis, AHomeWithoutDataHasItsLevelsWithoutValues) {
  view();
  const auto slis = get("/api/slis").json()["slis"];
  ASSERT_EQ(slis.size(), 5U);
  for (const auto& sli : slis) EXPECT_EQ(sli["state"], "no_data");
  EXPECT_EQ(get("/api/alerts").json()["total"], 0);
  EXPECT_EQ(get(std::string("/api/slis/") + kSessions + "/history").json()["t"].size(), 0U);
  EXPECT_EQ(get(std::string("/api/slis/") + kSessions + "/heatmap").json()["cells"].size(), 0U);
}

TEST_F(ViewSlis, ALevelThatChangesIsToldWithItsAlert) {
  live({140, 140});
  view_levels();
  Watcher watcher(port_, token_);
  const auto state = [&](const std::string& name) {
    std::string last;
    for (const LiveEvent& event : watcher.of("slis"))
      for (const auto& sli : event.data["slis"])
        if (sli["sli_name"] == name) last = sli["state"].get<std::string>() + " " + sli["consecutive"].dump();
    return last;
  };
  ASSERT_TRUE(watcher.watch(10, [&] { return !watcher.of("slis").empty(); }));
  EXPECT_EQ(watcher.of("slis")[0].data["slis"].size(), 5U) << "how things stand, for who has just come";
  EXPECT_EQ(state("packet_loss_rate"), "ok 2");
  EXPECT_TRUE(watcher.of("alerts").empty()) << "what fired before is asked for";
  live({140, 140, 140, 140, 140, 140});
  ASSERT_TRUE(watcher.watch(10, [&] { return !watcher.of("alerts").empty(); }));
  EXPECT_TRUE(state("packet_loss_rate").starts_with("yellow")) << state("packet_loss_rate");
  const auto alert = watcher.of("alerts")[0].data["alerts"][0];
  EXPECT_EQ(alert["severity"], "yellow");
  EXPECT_EQ(alert["sli_name"], "packet_loss_rate");
  EXPECT_EQ(get("/api/alerts?id=" + alert["alert_id"].get<std::string>()).json()["alerts"][0]["alert_id"],
            alert["alert_id"]);
}

TEST_F(ViewSlis, TheRunningTickIsToldOnceItHasSamplesEnough) {
  view();
  Watcher watcher(port_, token_);
  ASSERT_TRUE(watcher.watch(10, [&] { return !watcher.of("slis").empty(); }));
  run_program("page_data", {home_, "pulse", "400", "10"});
  double value = NAN, count = 0;
  ASSERT_TRUE(watcher.watch(20, [&] {
    for (const LiveEvent& event : watcher.of("slis"))
      for (const auto& sli : event.data["slis"]) {
        if (sli["sli_name"] != kSessions) continue;
        count = sli["count"].get<double>();
        EXPECT_EQ(sli["value"].is_null(), count < 20) << sli;
        if (sli["value"].is_number()) value = sli["value"].get<double>();
      }
    watcher.events.clear();
    return value > 0;
  })) << "no engine is there: it comes out of the rings";
  EXPECT_NEAR(value, 0.65, 0.02);
}

}  // namespace
}  // namespace honeylink::telemetry::test
