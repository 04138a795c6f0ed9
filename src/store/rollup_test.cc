// Roll-ups against a plain model that knows every ten-second point.
#include "store/rollup.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <random>

#include "base/sketch.h"
#include "store/test_support.h"

namespace honeylink::telemetry::store {
namespace {

using Random = std::mt19937_64;

constexpr std::int64_t kBegin = 1'699'488'000;  // a multiple of ten days
static_assert(kBegin % kTiers[2].window_s() == 0);

std::uint64_t bits_of(double value) { return std::bit_cast<std::uint64_t>(value); }
double real_of(std::uint64_t bits) { return std::bit_cast<double>(bits); }

struct RollupModel : testing::Test {
  unsigned seed = std::random_device()();
  Random random{seed};
  testing::ScopedTrace trace{__FILE__, __LINE__, "seed " + std::to_string(seed)};
  std::map<std::int64_t, std::uint64_t> model;  // by time

  // A day in six rows of 10 s.
  std::vector<std::pair<SegmentGrid, SeriesPoints>> day(MetricType kind, auto&& value, unsigned present_of_10 = 7) {
    std::vector<std::pair<SegmentGrid, SeriesPoints>> rows;
    for (int part = 0; part < 6; ++part) {
      const SegmentGrid grid{0, kBegin + part * 14'400, 10, 1440};
      SeriesPoints series;
      series.kind = kind;
      for (std::uint32_t tick = 0; tick < grid.ticks; ++tick) {
        if (random() % 10 >= present_of_10) continue;
        series.ticks.push_back(tick);
        series.last.push_back(value());
        model[grid.t0_unix_s + 10 * tick] = series.last.back();
      }
      series.points = series.ticks.size();
      rows.emplace_back(grid, std::move(series));
    }
    return rows;
  }
  static SeriesPoints roll(MetricType kind, const SegmentGrid& to,
                           const std::vector<std::pair<SegmentGrid, SeriesPoints>>& rows) {
    Rollup rollup(to);
    rollup.begin(9, kind);
    for (const auto& [grid, series] : rows) rollup.add(series, grid);
    SeriesPoints result;
    EXPECT_TRUE(rollup.finish(result));
    return result;
  }
  // Ten seconds to minutes, minutes to hours: what comes out is held against the model.
  void check(MetricType kind, auto&& value, auto&& same_sum) {
    model.clear();
    const auto rows = day(kind, value);
    const SegmentGrid minutes{1, kBegin, 60, 1440}, hours{2, kBegin, 3600, 240};
    const SeriesPoints fine = roll(kind, minutes, rows);
    compare(fine, minutes, kind, same_sum);
    compare(roll(kind, hours, {{minutes, fine}}), hours, kind, same_sum);
    EXPECT_EQ(fine.points, model.size());
  }
  void compare(const SeriesPoints& got, const SegmentGrid& grid, MetricType kind, auto&& same_sum) {
    std::map<std::int64_t, std::vector<std::uint64_t>> expected;
    for (const auto& [time, value] : model) expected[time / grid.step_s * grid.step_s].push_back(value);
    ASSERT_EQ(got.ticks.size(), expected.size());
    std::size_t i = 0;
    const auto less = [&](std::uint64_t a, std::uint64_t b) {
      if (is_real(kind)) return real_of(a) < real_of(b);
      return kind == MetricType::up_down ? static_cast<std::int64_t>(a) < static_cast<std::int64_t>(b) : a < b;
    };
    for (const auto& [time, values] : expected) {
      ASSERT_EQ(grid.t0_unix_s + grid.step_s * got.ticks[i], time);
      ASSERT_EQ(got.count[i], values.size());
      ASSERT_EQ(got.last[i], values.back());
      ASSERT_EQ(got.min[i], *std::min_element(values.begin(), values.end(), less));
      ASSERT_EQ(got.max[i], *std::max_element(values.begin(), values.end(), less));
      ASSERT_TRUE(same_sum(got.sum[i], values)) << time;
      ++i;
    }
  }
};

bool integer_sum(std::uint64_t sum, const std::vector<std::uint64_t>& values) {
  std::uint64_t expected = 0;
  for (const std::uint64_t value : values) expected += value;
  return sum == expected;
}

TEST_F(RollupModel, IntegersAddUpModulo2To64) {
  check(
      MetricType::counter, [&] { return random() % 1000; }, integer_sum);
  check(
      MetricType::counter, [&] { return random(); }, integer_sum);
  check(
      MetricType::up_down, [&] { return static_cast<std::uint64_t>(static_cast<std::int64_t>(random() % 100) - 50); },
      integer_sum);
}

TEST_F(RollupModel, DecimalSumsAreTheDecimalSums) {
  check(
      MetricType::gauge, [&] { return bits_of(static_cast<double>(random() % 100'000) / 1000); },
      [](std::uint64_t sum, const std::vector<std::uint64_t>& values) {
        std::int64_t thousandths = 0;
        for (const std::uint64_t value : values) thousandths += std::llround(real_of(value) * 1000);
        return sum == bits_of(static_cast<double>(thousandths) / 1000);
      });
}

TEST_F(RollupModel, FullDoublesAddUpToTheNearest) {
  check(
      MetricType::counter_real, [&] { return bits_of(std::ldexp(static_cast<double>(random() >> 11), -40)); },
      [](std::uint64_t sum, const std::vector<std::uint64_t>& values) {
        long double expected = 0;
        for (const std::uint64_t value : values) expected += static_cast<long double>(real_of(value));
        return std::fabs(static_cast<long double>(real_of(sum)) / expected - 1) < 4e-16L;
      });
}

TEST_F(RollupModel, NotANumberIsCountedAndDoesNotHideTheOthers) {
  SeriesPoints series;
  series.kind = MetricType::gauge;
  const double values[] = {NAN, 3, NAN, 1, 2, NAN};
  for (std::uint32_t tick = 0; tick < 6; ++tick)
    series.ticks.push_back(tick), series.last.push_back(bits_of(values[tick]));
  series.ticks.push_back(6), series.last.push_back(bits_of(NAN));
  const SeriesPoints got = roll(MetricType::gauge, {1, kBegin, 60, 1440}, {{{0, kBegin, 10, 1440}, series}});
  ASSERT_EQ(got.ticks.size(), 2U);
  EXPECT_EQ(got.count[0], 6U);
  EXPECT_EQ(real_of(got.min[0]), 1);
  EXPECT_EQ(real_of(got.max[0]), 3);
  EXPECT_EQ(real_of(got.sum[0]), 6);
  EXPECT_TRUE(std::isnan(real_of(got.last[0])));
  EXPECT_EQ(got.count[1], 1U);
  EXPECT_TRUE(std::isnan(real_of(got.min[1])));
}

TEST_F(RollupModel, RowsOfTenSecondsBecomeOneBitForBit) {
  for (const MetricType kind : {MetricType::counter, MetricType::gauge, MetricType::counter_real}) {
    model.clear();
    std::vector<std::pair<SegmentGrid, SeriesPoints>> rows;
    const SegmentGrid window{0, kBegin, 10, 1440};
    for (int hour = 0; hour < 4; ++hour) {
      SeriesPoints series;
      const SegmentGrid grid{0, kBegin + hour * 3600, 10, 360};
      for (std::uint32_t tick = 0; tick < 360; tick += 1 + static_cast<std::uint32_t>(random() % 3)) {
        series.ticks.push_back(tick);
        series.last.push_back(random());
        model[grid.t0_unix_s + 10 * tick] = series.last.back();
      }
      rows.emplace_back(grid, series);
    }
    const SeriesPoints got = roll(kind, window, rows);
    ASSERT_EQ(got.ticks.size(), model.size());
    std::size_t i = 0;
    for (const auto& [time, value] : model) {
      ASSERT_EQ(window.t0_unix_s + 10 * got.ticks[i], time);
      ASSERT_EQ(got.last[i++], value);
    }
  }
}

TEST_F(RollupModel, ATickThatWasCommittedTwiceCountsTwice) {
  SeriesPoints a, b;
  a.ticks = b.ticks = {5};
  a.last = {7}, b.last = {8};
  const SegmentGrid grid{0, kBegin, 10, 360};
  EXPECT_EQ(roll(MetricType::counter, {0, kBegin, 10, 1440}, {{grid, a}, {grid, b}}).last.at(0), 15U);
  a.last = {bits_of(7.5)}, b.last = {bits_of(8.5)};
  EXPECT_EQ(roll(MetricType::gauge, {0, kBegin, 10, 1440}, {{grid, a}, {grid, b}}).last.at(0), bits_of(8.5));
}

TEST_F(RollupModel, SketchesMergeWithExactCountsAndQuantilesWithinTheBound) {
  std::vector<std::pair<SegmentGrid, SeriesPoints>> rows;
  std::vector<double> all;
  const SegmentGrid grid{0, kBegin, 10, 360};
  SeriesPoints series;
  series.kind = MetricType::histogram;
  std::lognormal_distribution<double> duration(-1.6, 0.5);
  for (std::uint32_t tick = 0; tick < 360; ++tick) {
    Sketch sketch;
    sketch.scale = 4;
    for (std::uint64_t n = random() % 50 + 1; n > 0; --n) {
      const double value = duration(random);
      all.push_back(value);
      const auto index = static_cast<std::int32_t>(std::ceil(std::log2(value) * 16)) - 1;
      Sketch one{4, index, 0, 1, value, value, value, {1}};
      merge(sketch, one);
    }
    series.ticks.push_back(tick);
    series.sketches.push_back(sketch);
    series.live_scales.push_back(6);
  }
  rows.emplace_back(grid, series);
  const SegmentGrid minutes{1, kBegin, 60, 1440}, hours{2, kBegin, 3600, 240};
  const SeriesPoints fine = roll(MetricType::histogram, minutes, rows);
  ASSERT_EQ(fine.ticks.size(), 60U);
  const SeriesPoints hour = roll(MetricType::histogram, hours, {{minutes, fine}});
  ASSERT_EQ(hour.sketches.size(), 1U);
  const Sketch& sum = hour.sketches[0];
  EXPECT_EQ(sum.scale, kRollupScaleMax);
  EXPECT_EQ(sum.count, all.size());
  EXPECT_EQ(sum.min, *std::min_element(all.begin(), all.end()));
  EXPECT_EQ(sum.max, *std::max_element(all.begin(), all.end()));
  std::sort(all.begin(), all.end());
  for (const double q : {0.5, 0.95, 0.99}) {
    const double exact = all[static_cast<std::size_t>(std::ceil(q * static_cast<double>(all.size()))) - 1];
    EXPECT_NEAR(quantile(sum, q) / exact, 1, 0.0443) << q;
  }
}

}  // namespace
}  // namespace honeylink::telemetry::store
