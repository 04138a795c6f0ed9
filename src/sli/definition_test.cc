// Definitions that can never be judged are named, with what to do; those of DESIGN 9 are sound.
#include "sli/definition.h"

#include <gtest/gtest.h>

#include "sli/test_script.h"

namespace honeylink::telemetry::sli {
namespace {

Definition latency() {
  Definition d;
  d.name = "policy_update_latency_p95", d.of = "policy_update_duration_seconds", d.unit = "s";
  d.yellow = 0.25, d.orange = 0.3, d.red = 0.5, d.objective = 0.3;
  return d;
}

std::string said(const std::vector<Flaw>& flaws) {
  std::string text;
  for (const Flaw& flaw : flaws) text += flaw.key + ": " + flaw.what + "; " + flaw.suggestion + "\n";
  return text;
}

TEST(Definition, ThoseOfTheDesignAreSound) {
  EXPECT_EQ(said(flaws_of(packet_loss())), "");
  EXPECT_EQ(said(flaws_of(latency())), "");
  EXPECT_EQ(packet_loss().samples_min(), 100U);
  EXPECT_EQ(latency().samples_min(), 20U);
  EXPECT_DOUBLE_EQ(packet_loss().allowed_share(), 0.01);
  EXPECT_NEAR(latency().allowed_share(), 0.05, 1e-15);
  EXPECT_EQ(rule_text(latency()), "p95 of policy_update_duration_seconds");
  EXPECT_EQ(rule_text(packet_loss()), "packets_lost_total / packets_sent_total");
}

TEST(Definition, ThresholdsOutOfOrderAreNamedWithTheirOrder) {
  Definition d = latency();
  d.orange = 0.2;
  EXPECT_EQ(said(flaws_of(d)),
            "sli.policy_update_latency_p95.orange: orange (0.2) is below yellow (0.25); order them: yellow = 0.2, "
            "orange = 0.25, red = 0.5\n");
  d.orange = 0.3, d.red = 0.1;
  EXPECT_EQ(said(flaws_of(d)),
            "sli.policy_update_latency_p95.red: red (0.1) is below orange (0.3); order them: yellow = 0.1, orange = "
            "0.25, red = 0.3\n");
  d.yellow = d.orange = d.red = 0.3;
  EXPECT_EQ(said(flaws_of(d)), "");
}

TEST(Definition, WithoutThresholdsIsNone) {
  Definition d = latency();
  d.yellow = d.orange = d.red = 0;
  EXPECT_NE(said(flaws_of(d)).find("red is missing or 0"), std::string::npos);
}

TEST(Definition, NeedsOneSourceAndOneOnly) {
  Definition d = latency();
  d.of.clear();
  EXPECT_NE(said(flaws_of(d)).find("neither a histogram nor two counters"), std::string::npos);
  d = latency(), d.ratio = {"a", "b"};
  EXPECT_NE(said(flaws_of(d)).find("a histogram and two counters"), std::string::npos);
  d = packet_loss(), d.ratio = {"a"};
  EXPECT_NE(said(flaws_of(d)).find("exactly two counters, here are 1"), std::string::npos);
  d.ratio = {"a", "b", "c"};
  EXPECT_NE(said(flaws_of(d)).find("exactly two counters, here are 3"), std::string::npos);
  d.ratio = {"a", "a"};
  EXPECT_NE(said(flaws_of(d)).find("always 1"), std::string::npos);
}

TEST(Definition, AQuantileLiesBetweenTheEnds) {
  for (const double q : {0.0, 1.0, -0.5, 1.5}) {
    Definition d = latency();
    d.quantile = q;
    EXPECT_NE(said(flaws_of(d)).find("both excluded"), std::string::npos) << q;
  }
}

TEST(Definition, AnObjectiveOfARatioIsAShare) {
  Definition d = packet_loss();
  d.objective = 1;
  EXPECT_NE(said(flaws_of(d)).find("a share below 1"), std::string::npos);
}

TEST(Definition, AWindowTooShortForItsBreachesIsNamed) {
  Definition d = packet_loss();
  d.evaluation_window_s = 20;
  EXPECT_NE(said(flaws_of(d)).find("evaluation_window = \"30s\" at the least"), std::string::npos);
}

TEST(DefinitionAmongMetrics, AHistogramWhereACounterIsNeededIsNamed) {
  Definition d = packet_loss();
  d.ratio[0] = "loss_seconds";
  const KnownMetric known[] = {{"loss_seconds", "s", MetricType::histogram},
                               {"packets_sent_total", "{packet}", MetricType::counter}};
  EXPECT_EQ(said(flaws_among(d, known)),
            "sli.packet_loss_rate.ratio: 'loss_seconds' is a histogram, a ratio needs counters; of = \"loss_seconds\" "
            "judges a quantile of it\n");
}

TEST(DefinitionAmongMetrics, ACounterWhereAHistogramIsNeededIsNamed) {
  Definition d = latency();
  const KnownMetric known[] = {{d.of, "s", MetricType::counter}};
  EXPECT_NE(said(flaws_among(d, known)).find("is a counter, a quantile needs a histogram"), std::string::npos);
}

TEST(DefinitionAmongMetrics, AnUnknownMetricIsNamedOnlyWhereThereAreAny) {
  const Definition d = latency();
  EXPECT_TRUE(flaws_among(d, {}).empty());
  const KnownMetric known[] = {{"policy_update_duration", "s", MetricType::histogram}};
  const auto flaws = flaws_among(d, known);
  ASSERT_EQ(flaws.size(), 1U);
  EXPECT_EQ(flaws[0].unknown, d.of);
}

TEST(DefinitionAmongMetrics, AnotherUnitIsNamed) {
  const Definition d = latency();
  const KnownMetric known[] = {{d.of, "ms", MetricType::histogram}};
  EXPECT_NE(said(flaws_among(d, known)).find("recorded in ms, the thresholds are in s"), std::string::npos);
  Definition any = d;
  any.unit = "1";
  EXPECT_TRUE(flaws_among(any, known).empty());
  const KnownMetric both[] = {{d.of, "ms", MetricType::histogram}, {d.of, "s", MetricType::histogram}};
  EXPECT_TRUE(flaws_among(d, both).empty());
}

}  // namespace
}  // namespace honeylink::telemetry::sli
