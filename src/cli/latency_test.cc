#include "cli/latency.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "cli/bench_recorder.h"

namespace honeylink::telemetry::cli {
namespace {

TEST(Latency, EveryValueLiesAtOrBelowTheEndOfItsBucket) {
  for (std::uint64_t base = 1; base != 0; base <<= 1) {
    for (const std::uint64_t value : {base - 1, base, base + base / 3}) {
      const std::uint64_t upper = LatencyHistogram::upper_of(LatencyHistogram::index_of(value));
      ASSERT_GE(upper, value);
      ASSERT_LE(static_cast<double>(upper), static_cast<double>(value) * (1 + 1.0 / 64) + 1);
    }
  }
}

TEST(Latency, PercentilesAgreeWithSorting) {
  std::mt19937_64 random(9);
  auto histogram = std::make_unique<LatencyHistogram>();
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 100'000; ++i) {
    values.push_back(random() % 1'000'000 >> (random() % 16));
    histogram->add(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double q : {0.5, 0.99, 0.999, 0.9999}) {
    const auto exact = static_cast<double>(values[static_cast<std::size_t>(q * static_cast<double>(values.size()))]);
    EXPECT_GE(static_cast<double>(histogram->percentile(q)), exact);
    EXPECT_LE(static_cast<double>(histogram->percentile(q)), exact * 1.016 + 1);
  }
}

TEST(Latency, NothingMeasuredIsZero) { EXPECT_EQ(std::make_unique<LatencyHistogram>()->percentile(0.99), 0U); }

TEST(BenchMix, SharesMustAddUp) {
  BenchPlan plan;
  std::string why;
  EXPECT_TRUE(parse_mix("metrics=70,spans=15,logs=15", plan, why));
  EXPECT_EQ(plan.spans, 15U);
  EXPECT_TRUE(parse_mix("spans=100", plan, why));
  EXPECT_EQ(plan.metrics, 0U);
  for (const char* wrong :
       {"", "metrics=70", "metrics=70,spans=40", "spans", "spans=x", "spans=-5,logs=105", "events=100"})
    EXPECT_FALSE(parse_mix(wrong, plan, why)) << wrong;
}

}  // namespace
}  // namespace honeylink::telemetry::cli
