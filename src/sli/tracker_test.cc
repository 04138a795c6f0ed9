// What is told and what is shown of an SLI: the alert's words, budget and burn, and that only what was settled has
// been.
#include "sli/tracker.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/sketch.h"
#include "sli/alert_id.h"
#include "sli/test_script.h"

namespace honeylink::telemetry::sli {
namespace {

Sketch observed(std::initializer_list<std::pair<double, std::uint64_t>> values) {
  Sketch all;
  for (const auto& [value, n] : values) {
    Sketch one;
    one.scale = 6, one.count = n, one.sum = value * static_cast<double>(n), one.min = one.max = value;
    one.offset = static_cast<std::int32_t>(std::ceil(std::log2(value) * 64)) - 1;
    one.buckets = {n};
    merge(all, one);
  }
  return all;
}

Definition latency() {
  Definition d;
  d.name = "session_establishment_latency_p95", d.module = "session-orchestrator", d.unit = "s";
  d.of = "session_establishment_duration_seconds";
  d.yellow = 0.4, d.orange = 0.5, d.red = 0.8, d.objective = 0.5;
  return d;
}

TEST(Tracker, AnAlertSaysWhatByHowMuchByWhichThresholdAndWhichTrace) {
  Played played;
  TickData bad = lost_of(150, 1000);
  bad.exemplar.present = true, bad.exemplar.trace_id.fill(0xab), bad.environment = "development";
  played.play("60 60");
  played.pass(10 * kSecond);
  const Outcome outcome = played.evaluate(bad);
  ASSERT_EQ(outcome.fired.size(), 1U);
  const AlertEvent& event = outcome.fired[0];
  EXPECT_EQ(event.severity, Level::yellow);
  EXPECT_EQ(event.sli_name, "packet_loss_rate");
  EXPECT_EQ(event.module, "transport");
  EXPECT_EQ(event.environment, "development");
  EXPECT_DOUBLE_EQ(event.current_value, 0.15);
  EXPECT_EQ(event.threshold, 0.05);
  EXPECT_EQ(event.threshold_type, "upper");
  EXPECT_EQ(event.timestamp_unix_ns, played.now.unix_ns);
  EXPECT_EQ(event.trace_id, "abababababababababababababababab");
  EXPECT_EQ(event.cleared_at_unix_ns, 0);
}

TEST(Tracker, ClearingIsTheSameAlertWithItsEnd) {
  Played played;
  played.play("250");
  const std::string id = played.firing[0].alert_id;
  played.play("10 10");
  played.pass(10 * kSecond);
  const Outcome outcome = played.evaluate(lost_of(0, 1000));
  ASSERT_EQ(outcome.cleared.size(), 1U);
  EXPECT_EQ(outcome.cleared[0].alert_id, id);
  EXPECT_EQ(outcome.cleared[0].cleared_at_unix_ns, played.now.unix_ns);
}

TEST(Tracker, WhatWasNotSettledHasNotHappened) {
  Played played;
  played.play("60 60");
  played.pass(10 * kSecond);
  for (int tries = 0; tries < 5; ++tries) {
    const Outcome outcome = played.tracker->evaluate(lost_of(60, 1000), played.now, "");
    EXPECT_EQ(outcome.fired.size(), 1U);
    EXPECT_EQ(played.tracker->level(), Level::ok);
  }
  played.tracker->settle(played.tracker->evaluate(lost_of(60, 1000), played.now, ""));
  EXPECT_EQ(played.tracker->level(), Level::yellow);
}

TEST(Tracker, AQuantileIsJudgedOverItsTick) {
  Played played(latency());
  TickData tick;
  tick.sketch = observed({{0.1, 94}, {0.65, 6}});
  for (int i = 0; i < 3; ++i) played.pass(10 * kSecond), played.evaluate(tick);
  EXPECT_EQ(played.told, "O");
  EXPECT_NEAR(*played.tracker->reading().value, 0.65, 0.65 * 0.0055);
  EXPECT_EQ(played.tracker->reading().samples, 100);
  tick.sketch = observed({{5.0, 19}});  // under 20: no data
  played.pass(10 * kSecond), played.evaluate(tick);
  EXPECT_EQ(played.told, "O");
  EXPECT_FALSE(played.tracker->reading().enough);
  EXPECT_NEAR(*played.tracker->reading().value, 0.65, 0.65 * 0.0055);
}

TEST(Tracker, TheBudgetMayBeOverdrawn) {
  Played played;
  played.pass(10 * kSecond);
  played.evaluate(lost_of(5, 1000));  // 0.5 % of the 1 % that is allowed
  EXPECT_NEAR(*played.tracker->reading().budget_left, 0.5, 1e-9);
  EXPECT_NEAR(*played.tracker->reading().burn[0], 0.5, 1e-9);
  played.pass(10 * kSecond);
  played.evaluate(lost_of(45, 1000));
  EXPECT_NEAR(*played.tracker->reading().budget_left, 1 - 50 / (0.01 * 2000), 1e-9);
  Played quantile(latency());
  TickData tick;
  tick.sketch = observed({{0.1, 90}, {0.65, 10}});
  quantile.evaluate(tick);
  EXPECT_NEAR(*quantile.tracker->reading().budget_left, 1 - 10 / (0.05 * 100), 1e-9);
  EXPECT_NEAR(*quantile.tracker->reading().burn[2], 2, 1e-9);
}

TEST(Tracker, WithoutAnObjectiveThereIsNoBudget) {
  Definition d = packet_loss();
  d.objective = 0;
  Played played(d);
  played.play("60 60");
  EXPECT_FALSE(played.tracker->reading().budget_left);
  EXPECT_FALSE(played.tracker->reading().burn[2]);
}

TEST(Tracker, WhatTheStoreHasAlreadyCountsOnce) {
  Played played;
  TickData tick = lost_of(20, 1000);
  tick.counted = {10, 500};
  played.tracker->budget().load(0, {10, 500});
  played.evaluate(tick);
  EXPECT_NEAR(*played.tracker->reading().burn[0], 2, 1e-9);
  EXPECT_NEAR(*played.tracker->reading().budget_left, -1, 1e-9);
}

// Loss of 3 %: three times the objective. 16 %: sixteen times.
TEST(Tracker, BurnAlertsAreAskedForAndNeedBothWindows) {
  Definition d = packet_loss();
  d.yellow = d.orange = d.red = 1;  // only the budget is judged
  Played silent(d);
  for (int i = 0; i < 400; ++i) silent.play("160");
  EXPECT_EQ(silent.told, "");
  d.burn_alerts = true;
  Played slow(d);
  for (int i = 0; i < 2'500; ++i) slow.play("30");
  EXPECT_EQ(slow.told, "");
  Played burning(d);
  for (int i = 0; i < 360; ++i) burning.play("0");
  for (int i = 0; i < 30; ++i) burning.play("160");
  EXPECT_EQ(burning.told, "");  // five minutes alone are not an hour
  int minutes = 5;
  for (; burning.told.empty() && minutes < 70; ++minutes) burning.play("160 160 160 160 160 160");
  EXPECT_EQ(burning.told, "O");  // 6 times over six hours, of which two exist
  EXPECT_NEAR(minutes, 36, 2);   // 16 × m = 6 × (60 + m) where m is over
  EXPECT_EQ(burning.firing[0].threshold_type, "burn_rate");
  EXPECT_EQ(burning.firing[0].threshold, 6);
  for (int i = 0; i < 60 * 6; ++i) burning.play("160");
  EXPECT_EQ(burning.told, "OcR");
  for (int i = 0; i < 30 * 6; ++i) burning.play("0");  // the short windows are clean again
  EXPECT_EQ(burning.told, "OcRcOc");
  EXPECT_EQ(burning.tracker->level(), Level::ok);
}

TEST(Tracker, BurnAndThresholdAlertsAreTwoAndBothSurvive) {
  Definition d = packet_loss();
  d.burn_alerts = true;
  Played played(d);
  played.pass(10 * kSecond);
  const Outcome outcome = played.tracker->evaluate(lost_of(250, 1000), played.now, "");
  ASSERT_EQ(outcome.fired.size(), 2U);
  played.tracker->settle(outcome);
  Tracker next(d);
  next.restore(*state_from(to_text(played.tracker->state())), played.tracker->reading(), outcome.fired);
  EXPECT_EQ(next.give_up(1).size(), 2U);
  EXPECT_EQ(next.level(), Level::red);
}

TEST(Tracker, AnAlertWhoseStateWasLostIsHeldUntilItClears) {
  Played played;
  played.play("150 150 150");
  Tracker next(packet_loss());
  next.restore({}, {}, played.firing);
  EXPECT_EQ(next.level(), Level::orange);
  Moment now = played.now;
  std::size_t cleared = 0;
  for (int i = 0; i < 3; ++i) {
    now.unix_ns += 10 * kSecond, now.boottime_ns += 10 * kSecond;
    Outcome outcome = next.evaluate(lost_of(0, 1000), now, "");
    cleared += outcome.cleared.size();
    EXPECT_TRUE(outcome.fired.empty());
    next.settle(std::move(outcome));
  }
  EXPECT_EQ(cleared, 1U);
}

TEST(StateText, ComesBackWholeOrNotAtAll) {
  Played played;
  played.play("60 - 150 250 60 10");
  const std::string text = to_text(played.tracker->state());
  EXPECT_EQ(state_from(text), played.tracker->state());
  for (std::size_t n = 0; n < text.size(); ++n) {
    const auto cut = state_from(text.substr(0, n));
    EXPECT_TRUE(!cut || to_text(*cut) == text.substr(0, n)) << n;
  }
  EXPECT_FALSE(state_from(text + " 1"));
  EXPECT_FALSE(state_from("2" + text.substr(1)));
  EXPECT_FALSE(state_from("1 0 0 0 0 0 99999999999999"));
}

TEST(AlertId, IsAUlid) {
  std::array<std::uint8_t, 10> ones;
  ones.fill(0xff);
  EXPECT_EQ(alert_id_of(1'469'918'176'385'000'000, ones),
            "alert_01ARYZ6S41ZZZZZZZZZZZZZZZZ");  // the ULID specification's time
  EXPECT_LT(new_alert_id(1'790'000'000 * kSecond), new_alert_id(1'790'000'001 * kSecond));
  EXPECT_NE(new_alert_id(0), new_alert_id(0));
  EXPECT_EQ(new_alert_id(0).size(), 32U);
}

}  // namespace
}  // namespace honeylink::telemetry::sli
