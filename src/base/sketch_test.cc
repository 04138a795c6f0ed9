// Sketches against the samples that they stand for.
#include "base/sketch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

namespace honeylink::telemetry {
namespace {

void record(Sketch& sketch, double value) {
  if (sketch.count == 0) sketch.min = sketch.max = value;
  sketch.min = std::min(sketch.min, value), sketch.max = std::max(sketch.max, value);
  ++sketch.count;
  sketch.sum += value;
  if (value == 0) {
    ++sketch.zeros;
    return;
  }
  const auto index = static_cast<std::int32_t>(std::ceil(std::ldexp(std::log2(value), sketch.scale))) - 1;
  if (sketch.buckets.empty()) sketch.offset = index;
  if (index < sketch.offset) {
    sketch.buckets.insert(sketch.buckets.begin(), static_cast<std::size_t>(sketch.offset - index), 0);
    sketch.offset = index;
  }
  const auto at = static_cast<std::size_t>(index - sketch.offset);
  if (at >= sketch.buckets.size()) sketch.buckets.resize(at + 1, 0);
  ++sketch.buckets[at];
}

double exact(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double rank = std::max(std::ceil(q * static_cast<double>(values.size())), 1.0);
  return values[static_cast<std::size_t>(rank) - 1];
}

std::uint64_t held(const Sketch& sketch) {
  std::uint64_t sum = sketch.zeros;
  for (const std::uint64_t n : sketch.buckets) sum += n;
  return sum;
}

// I-10: the middle of the bucket is within (base − 1) / (base + 1) of the exact sample quantile.
TEST(Sketch, AQuantileIsWithinTheErrorOfItsScale) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (const int scale : {6, 4, 3}) {
    Sketch sketch;
    sketch.scale = 6;
    std::vector<double> values;
    std::lognormal_distribution<double> latency(-3, 1.2);
    for (int i = 0; i < 900; ++i) values.push_back(latency(random)), record(sketch, values.back());
    downscale(sketch, scale);
    ASSERT_EQ(held(sketch), 900U);
    for (const double q : {0.0, 0.1, 0.5, 0.9, 0.95, 0.99, 1.0}) {
      const double true_value = exact(values, q);
      EXPECT_LE(std::fabs(quantile(sketch, q) - true_value) / true_value, quantile_error(scale) + 1e-9)
          << "q " << q << " scale " << scale;
    }
  }
  EXPECT_LE(quantile_error(4), 0.022);
  EXPECT_LE(quantile_error(3), 0.044);
  EXPECT_LE(quantile_error(6), 0.0055);
}

TEST(Sketch, MergingIsRecordingIntoOne) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 50; ++round) {
    Sketch a, b, both;
    a.scale = b.scale = both.scale = 3;
    std::lognormal_distribution<double> near(0, 0.5), far(3, 2);
    for (int i = 0; i < 200; ++i) {
      const double x = near(random), y = i % 10 == 0 ? 0 : far(random);
      record(a, x), record(both, x);
      record(b, y), record(both, y);
    }
    merge(a, b);
    EXPECT_EQ(a.count, both.count);
    EXPECT_EQ(a.zeros, both.zeros);
    EXPECT_DOUBLE_EQ(a.min, both.min);
    EXPECT_DOUBLE_EQ(a.max, both.max);
    downscale(both, a.scale);
    trim(a), trim(both);
    EXPECT_EQ(a.offset, both.offset);
    EXPECT_EQ(a.buckets, both.buckets);
  }
}

TEST(Sketch, AMergeNeverGrowsBeyondItsBound) {
  Sketch a, b;
  a.scale = b.scale = 6;
  record(a, 1e-9);
  record(b, 1e12);
  merge(a, b, 320);
  EXPECT_LE(a.buckets.size(), 320U);
  EXPECT_EQ(held(a), 2U);
  merge(a, b, 1);
  EXPECT_LE(a.buckets.size(), 2U);
  EXPECT_EQ(held(a), 3U);
}

TEST(Sketch, NothingHasNoQuantile) {
  EXPECT_TRUE(std::isnan(quantile({}, 0.5)));
  Sketch one;
  one.scale = 6;
  record(one, 5);
  EXPECT_DOUBLE_EQ(quantile(one, 0.5), 5);
  EXPECT_TRUE(std::isnan(quantile(one, 1.5)));
  EXPECT_TRUE(std::isnan(quantile(one, std::nan(""))));
}

TEST(Sketch, CountsWhatLiesAboveALimit) {
  Sketch sketch;
  sketch.scale = 6;
  for (int i = 1; i <= 100; ++i) record(sketch, i);
  EXPECT_EQ(count_above(sketch, 100), 0);
  EXPECT_EQ(count_above(sketch, 0.5), 100);
  EXPECT_NEAR(count_above(sketch, 50), 50, 1);
}

TEST(Sketch, BoundsAreExactAtWholePowersAndFiniteEverywhere) {
  EXPECT_EQ(bucket_upper_bound(4, 15), 2.0);
  EXPECT_EQ(bucket_upper_bound(0, 9), 1024.0);
  EXPECT_EQ(bucket_upper_bound(-10, 0), std::numeric_limits<double>::max());
  EXPECT_EQ(bucket_upper_bound(-10, -3), 0.0);
}

}  // namespace
}  // namespace honeylink::telemetry
