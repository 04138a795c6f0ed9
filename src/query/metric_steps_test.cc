// Points of any tier added up into steps.
#include "query/metric_steps.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

namespace honeylink::telemetry::query {
namespace {

constexpr std::int64_t kBegin = 1'700'000'000 / 3600 * 3600;

store::SeriesPoints gauge(std::vector<std::uint32_t> ticks, std::vector<double> values) {
  store::SeriesPoints points;
  points.kind = MetricType::gauge;
  points.ticks = std::move(ticks);
  for (const double value : values) points.last.push_back(std::bit_cast<std::uint64_t>(value));
  return points;
}

store::SeriesPoints counter(std::vector<std::uint32_t> ticks, std::vector<std::uint64_t> values) {
  store::SeriesPoints points;
  points.ticks = std::move(ticks);
  points.last = std::move(values);
  return points;
}

store::MetricPart part(const store::SeriesPoints& points, std::int64_t t0 = kBegin) {
  return {{0, t0, 10, 360}, &points};
}

TEST(MetricSteps, DifferencesAddUp) {
  MetricSteps steps(60);
  const auto a = counter({0, 1, 5, 6, 12}, {1, 2, 3, 4, 5}), b = counter({3, 11}, {100, 1000});
  steps.add(part(a), INT64_MIN, INT64_MAX);
  steps.add(part(b), INT64_MIN, INT64_MAX);
  const auto points = steps.take();
  ASSERT_EQ(points.size(), 3U);
  EXPECT_EQ(points[0].time_unix_s, kBegin);
  EXPECT_EQ(points[0].sum, 106);
  EXPECT_EQ(points[0].count, 4U);
  EXPECT_EQ(points[1].sum, 1004);
  EXPECT_EQ(points[1].max, 1000);
  EXPECT_EQ(points[1].min, 4);
  EXPECT_EQ(points[2].time_unix_s, kBegin + 120);
}

TEST(MetricSteps, OfGaugesTheLatestWinsWhateverComesFirst) {
  MetricSteps steps(60);
  const auto late = gauge({4}, {7}), early = gauge({1, 2}, {9, -3});
  steps.add(part(late), INT64_MIN, INT64_MAX);
  steps.add(part(early), INT64_MIN, INT64_MAX);
  const auto points = steps.take();
  ASSERT_EQ(points.size(), 1U);
  EXPECT_EQ(points[0].last, 7);
  EXPECT_EQ(points[0].min, -3);
  EXPECT_EQ(points[0].max, 9);
}

TEST(MetricSteps, WhatIsNoNumberIsLastAtMost) {
  MetricSteps steps(60);
  const auto values = gauge({0, 1}, {2, NAN});
  steps.add(part(values), INT64_MIN, INT64_MAX);
  const auto points = steps.take();
  ASSERT_EQ(points.size(), 1U);
  EXPECT_TRUE(std::isnan(points[0].last));
  EXPECT_EQ(points[0].min, 2);
  EXPECT_EQ(points[0].max, 2);
  EXPECT_EQ(points[0].sum, 2);
}

TEST(MetricSteps, RollUpsBringTheirOwnBounds) {
  store::SeriesPoints hours;
  hours.ticks = {0, 1};
  hours.last = {3, 4}, hours.count = {360, 300}, hours.min = {0, 1}, hours.max = {9, 8}, hours.sum = {1000, 2000};
  MetricSteps steps(7200);
  steps.add({{2, kBegin / 7200 * 7200, 3600, 240}, &hours}, INT64_MIN, INT64_MAX);
  const auto points = steps.take();
  ASSERT_EQ(points.size(), 1U);
  EXPECT_EQ(points[0].count, 660U);
  EXPECT_EQ(points[0].sum, 3000);
  EXPECT_EQ(points[0].min, 0);
  EXPECT_EQ(points[0].max, 9);
}

TEST(MetricSteps, TheRangeIsKeptToAtBothEnds) {
  MetricSteps steps(10);
  const auto values = counter({0, 1, 2, 3, 4}, {1, 1, 1, 1, 1});
  steps.add(part(values), kBegin + 10, kBegin + 30);
  const auto points = steps.take();
  ASSERT_EQ(points.size(), 3U);
  EXPECT_EQ(points.front().time_unix_s, kBegin + 10);
  EXPECT_EQ(points.back().time_unix_s, kBegin + 30);
}

// A rate is of the seconds that were asked for, not of those that a step would have.
TEST(MetricSteps, OfAStepAtTheEndsOfTheRangeOnlyTheSecondsInItCount) {
  const auto tens = counter({1, 2, 3, 4, 5, 6, 7}, {1, 1, 1, 1, 1, 1, 1});
  const std::int64_t since = kBegin + 35, until = kBegin + 75;
  MetricSteps steps(60);
  steps.add(part(tens), since, until);
  const auto points = steps.take();
  ASSERT_EQ(points.size(), 2U);
  EXPECT_EQ(points[0].sum, 2);
  EXPECT_EQ(covered_seconds(points[0], 60, since, until), 20);  // of the ticks at 40 and 50
  EXPECT_EQ(points[1].sum, 2);
  EXPECT_EQ(covered_seconds(points[1], 60, since, until), 20);  // at 60 and 70
  EXPECT_EQ(covered_seconds(points[0], 60, INT64_MIN, INT64_MAX), 60);
  EXPECT_EQ(covered_seconds(points[0], 60, kBegin + 59, INT64_MAX), 10);
}

TEST(MetricSteps, OfRollUpsAPartlyAskedForStepIsWholeMinutes) {
  store::SeriesPoints minutes;
  for (std::uint32_t tick = 0; tick < 20; ++tick)
    minutes.ticks.push_back(tick), minutes.last.push_back(1), minutes.count.push_back(6), minutes.min.push_back(1),
        minutes.max.push_back(1), minutes.sum.push_back(6);
  const std::int64_t since = kBegin + 90, until = kBegin + 750;
  MetricSteps steps(600);
  steps.add({{1, kBegin, 60, 1440}, &minutes}, since, until);
  const auto points = steps.take();
  ASSERT_EQ(points.size(), 2U);
  EXPECT_EQ(points[0].sum / static_cast<double>(covered_seconds(points[0], 600, since, until)), 0.1);
  EXPECT_EQ(points[1].sum / static_cast<double>(covered_seconds(points[1], 600, since, until)), 0.1);
}

TEST(MetricSteps, SketchesFarApartMergeWithoutBecomingCoarser) {
  store::SeriesPoints seconds;
  seconds.kind = MetricType::histogram;
  seconds.ticks = {0, 1};
  Sketch low;
  low.scale = 4, low.offset = -800, low.buckets = {2}, low.count = 2, low.sum = 1, low.min = low.max = 1e-15;
  Sketch high = low;
  high.offset = 800, high.min = high.max = 1e15;
  seconds.sketches = {low, high};
  MetricSteps steps(60);
  steps.add(part(seconds), INT64_MIN, INT64_MAX);
  const auto points = steps.take();
  ASSERT_EQ(points.size(), 1U);
  EXPECT_EQ(points[0].sketch().scale, 4);
  EXPECT_EQ(points[0].sketch().count, 4U);
}

TEST(MetricSteps, TimesBefore1970AndFarApart) {
  MetricSteps steps(60);
  const auto one = counter({0}, {1});
  steps.add(part(one, -10), INT64_MIN, INT64_MAX);
  steps.add(part(one, 0), INT64_MIN, INT64_MAX);
  steps.add(part(one, 4'000'000'000), INT64_MIN, INT64_MAX);
  const auto points = steps.take();
  ASSERT_EQ(points.size(), 3U);
  EXPECT_EQ(points[0].time_unix_s, -60);
  EXPECT_EQ(points[1].time_unix_s, 0);
}

TEST(MetricSteps, SketchesMergeAndTheLargestExemplarStays) {
  store::SeriesPoints seconds;
  seconds.kind = MetricType::histogram;
  seconds.ticks = {0, 1};
  Sketch sketch;
  sketch.scale = 4, sketch.offset = 3, sketch.buckets = {2, 1}, sketch.count = 3, sketch.sum = 4, sketch.min = 1.1,
  sketch.max = 1.3;
  seconds.sketches = {sketch, sketch};
  ExemplarInfo small, large;
  small.present = large.present = true;
  small.value = 1.1, large.value = 1.3;
  seconds.exemplars = {{0, large}, {1, small}};
  MetricSteps steps(60);
  steps.add(part(seconds), INT64_MIN, INT64_MAX);
  const auto points = steps.take();
  ASSERT_EQ(points.size(), 1U);
  EXPECT_EQ(points[0].sketch().count, 6U);
  EXPECT_EQ(points[0].sketch().sum, 8);
  EXPECT_EQ(points[0].exemplar().value, 1.3);
}

}  // namespace
}  // namespace honeylink::telemetry::query
