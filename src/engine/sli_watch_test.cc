// Service levels with the real engine, stores and rings, under a clock of the test's: what is judged, stored, told and
// kept; nothing is repeated or forgotten over restarts, flushes, dead programs and clock steps.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "engine/retro_keep.h"
#include "engine/testing_sli.h"

namespace honeylink::telemetry::engine {
namespace {

using Rows = std::vector<std::string>;
constexpr const char* kAlerts = "SELECT severity, sli_name, cleared_at IS NOT NULL FROM alerts ORDER BY rowid";

std::string state_of(const TestHome& home, const char* name) {
  const Rows rows = rows_of(home, (std::string("SELECT state FROM slis WHERE sli_name='") + name + "'").c_str());
  return rows.empty() ? "none" : rows[0];
}

TEST(SliEngine, LossOfSevenPercentIsYellowOfFifteenOrange) {
  TestHome home;
  SliProgram link(home, 1);
  TestEngine e(home);
  ASSERT_TRUE(lead_on_time(e));
  pass_tick(e);
  for (int i = 0; i < 2; ++i) link.packets(140, 2000), pass_tick(e);
  EXPECT_EQ(rows_of(home, kAlerts), Rows{});
  EXPECT_EQ(rows_of(home,
                    "SELECT state, consecutive, round(value, 6), round(burn_1h, 6) FROM slis WHERE "
                    "sli_name='packet_loss_rate'"),
            Rows{"ok 2 0.07 7.0"});
  link.packets(140, 2000), pass_tick(e);
  EXPECT_EQ(rows_of(home, kAlerts), Rows{"yellow packet_loss_rate 0"});
  for (int i = 0; i < 3; ++i) link.packets(300, 2000), pass_tick(e);
  EXPECT_EQ(rows_of(home, kAlerts), (Rows{"yellow packet_loss_rate 1", "orange packet_loss_rate 0"}));
  for (int i = 0; i < 3; ++i) link.packets(0, 2000), pass_tick(e);
  EXPECT_EQ(rows_of(home, kAlerts), (Rows{"yellow packet_loss_rate 1", "orange packet_loss_rate 1"}));
  EXPECT_EQ(
      rows_of(home, "SELECT current_value, threshold, threshold_type, labels FROM alerts WHERE severity='yellow'"),
      Rows{R"(0.07 0.05 upper {"module":"transport","environment":"production"})"});
  EXPECT_EQ(state_of(home, "packet_loss_rate"), "ok");
  EXPECT_EQ(state_of(home, "encryption_latency_p95"), "no_data");
  EXPECT_EQ(count_in_log(home, "\"alert.fired\""), 2U);
  EXPECT_EQ(count_in_log(home, "\"alert.cleared\""), 2U);
  EXPECT_EQ(rows_of(home, "SELECT count(*) FROM series WHERE name='telemetry_alerts_triggered_total'"), Rows{"2"});
}

TEST(SliEngine, AQuantileIsOverAllProcesses) {
  TestHome home;
  SliProgram fast(home, 1), slow(home, 2);
  TestEngine e(home);
  ASSERT_TRUE(lead_on_time(e));
  pass_tick(e);
  for (int i = 0; i < 3; ++i) fast.sessions(90, 0.1), slow.sessions(10, 0.6), pass_tick(e);
  EXPECT_EQ(rows_of(home, kAlerts), Rows{"orange session_establishment_latency_p95 0"});
  for (int i = 0; i < 3; ++i) fast.sessions(990, 0.1), slow.sessions(10, 0.6), pass_tick(e);
  EXPECT_EQ(rows_of(home, kAlerts), Rows{"orange session_establishment_latency_p95 1"});
}

TEST(SliEngine, TheAlertCarriesTheWorstObservationsTraceAndItIsKept) {
  TestHome home;
  SliProgram program(home, 1);
  TestEngine e(home);
  ASSERT_TRUE(lead_on_time(e));
  program.ring->take(0, 0);
  program.ring->append(0, SliProgram::span(e.clock, 77));
  program.ring->append(0, SliProgram::span(e.clock, 78));
  pass_tick(e);
  EXPECT_EQ(e.spans().stored, 0U);
  for (int i = 0; i < 3; ++i) {
    program.sessions(100, 0.6);
    program.exemplar(e.clock, 0.6, 77);
    pass_tick(e);
  }
  const auto id = hex(e.engine->core()->rings.begin()->second->cipher->trace_id(77));
  EXPECT_EQ(rows_of(home, "SELECT trace_id FROM alerts"), Rows{id});
  EXPECT_EQ(count_in_log(home, "\"trace_id\":\"" + id + "\""), 2U);  // of the line, and of the alert in it
  EXPECT_EQ(e.spans().stored, 1U);                                   // Orange keeps its own trace
}

TEST(SliEngine, RedKeepsTheLastSecondsWithinBounds) {
  TestHome home;
  SliProgram program(home, 1);
  TestEngine e(home);
  ASSERT_TRUE(lead_on_time(e));
  pass_tick(e);
  program.ring->take(0, 0);
  program.ring->append(0, LivingRing::span(0, 99));  // by the engine's clock fifteen seconds old
  e.clock.advance(5'000'000'000);
  for (std::uint64_t i = 0; i < 40; ++i) program.ring->append(0, SliProgram::span(e.clock, 100 + i));
  e.engine->step();
  ASSERT_EQ(e.spans().stored, 0U);
  RingState& ring = *e.engine->core()->rings.begin()->second;
  EXPECT_EQ(keep_since(*e.engine->core(), ring, e.clock.realtime_ns() - 1'000'000'000, Kept::retroactive, 25), 25U);
  program.packets(900, 1000);
  pass_tick(e);
  EXPECT_EQ(rows_of(home, kAlerts), Rows{"red packet_loss_rate 0"});
  EXPECT_EQ(e.spans().stored, 40U);
}

TEST(SliEngine, CommitsBetweenTicksAddToTheTickAndAreNoEvaluation) {
  TestHome home;
  SliProgram link(home, 1);
  TestEngine e(home);
  ASSERT_TRUE(lead_on_time(e));
  pass_tick(e);
  for (int i = 0; i < 3; ++i) {
    for (int flush = 0; flush < 4; ++flush) {
      link.packets(250, 500);
      e.clock.advance(1'000'000'000);
      link.ring->header().flush_request = link.ring->header().flush_request + 1;
      e.engine->step();
    }
    EXPECT_EQ(rows_of(home, kAlerts), Rows{}) << i;  // 50 % would be Red if it were judged
    link.packets(0, 8000);
    pass_tick(e);
  }
  EXPECT_EQ(rows_of(home, kAlerts), Rows{"yellow packet_loss_rate 0"});  // ten percent is not over Orange
}

TEST(SliEngine, WhatADeadProgramLeftInTheTickIsJudgedAtItsEnd) {
  TestHome home;
  TestEngine e(home);
  ASSERT_TRUE(lead_on_time(e));
  pass_tick(e);
  {
    SliProgram link(home, 1);
    link.packets(900, 1000);
    e.clock.advance(1'000'000'000);
    e.engine->step();
  }
  for (int i = 0; i < 5; ++i) e.clock.advance(600'000'000), e.engine->step();
  EXPECT_TRUE(e.engine->core()->rings.empty());
  EXPECT_TRUE(e.engine->core()->slis.waits());
  EXPECT_EQ(rows_of(home, kAlerts), Rows{});
  pass_tick(e);
  EXPECT_EQ(rows_of(home, kAlerts), Rows{"red packet_loss_rate 0"});
}

TEST(SliEngine, DataOfATickThatNobodyJudgedIsJudgedByTheNextEngine) {
  for (const bool long_ago : {false, true}) {
    TestHome home;
    SliProgram link(home, 1);
    ClockState at;
    {
      TestEngine e(home);
      ASSERT_TRUE(lead_on_time(e));
      link.packets(0, 1000), pass_tick(e);
      link.packets(900, 1000);
      e.clock.advance(2'000'000'000);
      link.ring->header().flush_request = 1;
      e.engine->step();
      EXPECT_EQ(rows_of(home, kAlerts), Rows{});
      at = clock_of(e);
    }
    TestEngine e(home);
    go_on(e, at);
    if (long_ago) e.clock.advance(3'600'000'000'000);
    ASSERT_TRUE(e.lead());
    link.packets(0, long_ago ? 100'000 : 1'000);  // an hour later all is well: that is another tick
    pass_tick(e);
    EXPECT_EQ(rows_of(home, kAlerts), Rows{"red packet_loss_rate 0"}) << long_ago;
  }
}

TEST(SliEngine, ARestartRepeatsAndForgetsNothing) {
  TestHome home;
  SliProgram link(home, 1);
  std::vector<AlertEvent> restored, fired;
  ClockState at;
  for (const std::uint64_t lost : {120, 120, 120, 120, 500, 0, 0, 0}) {
    TestEngine e(home);
    go_on(e, at);
    ASSERT_TRUE(at.monotonic == 0 ? lead_on_time(e) : e.lead());
    e.engine->core()->alerts.fired = [&](const AlertEvent& event) { fired.push_back(event); };
    link.packets(lost, 2000);
    pass_tick(e);
    at = clock_of(e);
  }
  EXPECT_EQ(rows_of(home, kAlerts), (Rows{"yellow packet_loss_rate 1", "red packet_loss_rate 1"}));
  EXPECT_EQ(fired.size(), 2U);
  EXPECT_EQ(count_in_log(home, "\"alert.fired\""), 2U);
  EXPECT_EQ(count_in_log(home, "\"alert.cleared\""), 2U);
}

TEST(SliEngine, ClockStepsJudgeEveryTickOnce) {
  TestHome home;
  SliProgram link(home, 1);
  TestEngine e(home);
  ASSERT_TRUE(lead_on_time(e));
  pass_tick(e);
  for (const std::int64_t step_s : {-3600, 7200, -86400}) {
    link.packets(120, 2000);
    e.clock.advance(4'000'000'000);
    e.clock.step(step_s * 1'000'000'000);
    e.engine->step();
    pass_tick(e);
    if (rows_of(home, "SELECT samples FROM sli_state WHERE sli_name='packet_loss_rate'") != Rows{"2000.0"})
      pass_tick(e);
  }
  EXPECT_EQ(rows_of(home, kAlerts), Rows{"yellow packet_loss_rate 0"});
}

TEST(SliEngine, AFailedCommitIsJudgedAgainOverTheSamePoints) {
  TestHome home;
  SliProgram link(home, 1);
  TestEngine e(home);
  ASSERT_TRUE(lead_on_time(e));
  for (int i = 0; i < 3; ++i) link.packets(0, 2000), pass_tick(e);
  store::Connection lock;
  ASSERT_EQ(lock.open(home.path() + "/metrics/metrics.db", store::Access::read_write, 0), SQLITE_OK);
  ASSERT_EQ(lock.execute("BEGIN IMMEDIATE"), SQLITE_OK);
  link.packets(900, 1000);
  pass_tick(e);
  EXPECT_TRUE(e.engine->core()->metrics_failing);
  EXPECT_EQ(count_in_log(home, "\"alert.fired\""), 0U);
  ASSERT_EQ(lock.execute("ROLLBACK"), SQLITE_OK);
  e.clock.advance(1'000'000'000);
  e.engine->step();
  EXPECT_EQ(rows_of(home, kAlerts), Rows{"red packet_loss_rate 0"});
}

TEST(SliEngine, ADefinitionMayChangeOrGoWhileItFires) {
  TestHome home;
  SliProgram link(home, 1);
  const auto configure = [&](const std::string& text) {
    std::string why;
    ASSERT_TRUE(replace_file(home.path() + "/config.toml", text, 0600, why)) << why;
  };
  configure(
      "[sli.mine]\nratio = [\"packets_lost_total\", \"packets_sent_total\"]\nyellow = 0.001\norange = 0.5\nred = "
      "0.6\n");
  TestEngine e(home);
  ASSERT_TRUE(lead_on_time(e));
  pass_tick(e);
  for (int i = 0; i < 3; ++i) link.packets(10, 2000), pass_tick(e);
  EXPECT_EQ(rows_of(home, kAlerts), Rows{"yellow mine 0"});
  configure(
      "[sli.mine]\nratio = [\"packets_lost_total\", \"packets_sent_total\"]\nyellow = 0.9\norange = 0.5\nred = 0.6\n");
  link.packets(10, 2000), pass_tick(e);  // out of order: the last sound definition stays
  EXPECT_EQ(count_in_log(home, "is below yellow (0.9)"), 1U);
  EXPECT_EQ(rows_of(home, kAlerts), Rows{"yellow mine 0"});
  link.packets(10, 2000), pass_tick(e);
  EXPECT_EQ(count_in_log(home, "is below yellow (0.9)"), 1U);
  configure("");
  link.packets(10, 2000), pass_tick(e), pass_tick(e);
  EXPECT_EQ(rows_of(home, kAlerts), Rows{"yellow mine 1"});
  EXPECT_EQ(state_of(home, "mine"), "none");
}

TEST(SliEngine, AHistogramWhereACounterIsNeededIsSaidOnce) {
  TestHome home;
  SliProgram link(home, 1);
  std::string why;
  ASSERT_TRUE(replace_file(home.path() + "/config.toml",
                           "[sli.mine]\nratio = [\"session_establishment_duration_seconds\", "
                           "\"packets_sent_total\"]\nyellow = 0.1\norange = 0.5\nred = 0.6\n",
                           0600, why));
  TestEngine e(home);
  ASSERT_TRUE(lead_on_time(e));
  for (int i = 0; i < 4; ++i) link.packets(10, 2000), link.sessions(50, 0.1), pass_tick(e);
  EXPECT_EQ(count_in_log(home, "a ratio needs counters"), 1U);
}

TEST(SliEngine, TheBudgetIsThatOfTheStoredHistory) {
  TestHome home;
  SliProgram link(home, 1);
  ClockState at;
  {
    TestEngine e(home);
    ASSERT_TRUE(lead_on_time(e));
    pass_tick(e);
    for (int i = 0; i < 12; ++i) link.packets(10, 2000), link.sessions(95, 0.1), link.sessions(5, 0.7), pass_tick(e);
    at = clock_of(e);
  }
  const Rows before = rows_of(home,
                              "SELECT sli_name, round(budget_left, 3), round(burn_1h, 3) FROM slis WHERE "
                              "budget_left IS NOT NULL ORDER BY 1");
  EXPECT_EQ(before, (Rows{"packet_loss_rate 0.5 0.5", "session_establishment_latency_p95 0.0 1.0"}));
  TestEngine e(home);
  go_on(e, at);
  ASSERT_TRUE(e.lead());
  link.packets(10, 2000), link.sessions(95, 0.1), link.sessions(5, 0.7), pass_tick(e);
  EXPECT_EQ(rows_of(home,
                    "SELECT sli_name, round(budget_left, 3), round(burn_1h, 3) FROM slis WHERE budget_left IS "
                    "NOT NULL ORDER BY 1"),
            before);
}

TEST(SliEngine, DeliveriesAreStoredWithTheNextTick) {
  TestHome home;
  SliProgram link(home, 1);
  TestEngine e(home);
  ASSERT_TRUE(lead_on_time(e));
  pass_tick(e);
  e.engine->core()->alerts.fired = [&](const AlertEvent& event) {
    e.engine->core()->slis.note_delivery({event.alert_id, R"({"toast_ms":12.5})"});
    e.engine->core()->slis.note_delivery({event.alert_id, R"({"alertmanager_ms":3})"});
  };
  link.packets(900, 1000), pass_tick(e), pass_tick(e);
  EXPECT_EQ(rows_of(home, "SELECT delivered FROM alerts"), Rows{R"({"toast_ms":12.5,"alertmanager_ms":3})"});
}

TEST(SliEngine, AnIdleHomeWritesNothing) {
  TestHome home;
  SliProgram link(home, 1);
  TestEngine e(home);
  ASSERT_TRUE(lead_on_time(e));
  for (int i = 0; i < 3; ++i) link.packets(10, 2000), pass_tick(e);
  for (int i = 0; i < 3; ++i) pass_tick(e);
  const auto commit = e.engine->core()->metrics->next_commit_no();
  for (int i = 0; i < 10; ++i) pass_tick(e);
  EXPECT_EQ(e.engine->core()->metrics->next_commit_no(), commit);
  EXPECT_EQ(state_of(home, "packet_loss_rate"), "no_data");
}

}  // namespace
}  // namespace honeylink::telemetry::engine
