// Points as commands ask for them: the latest value of a gauge, how far a series goes.
#include "query/metric_reader.h"

#include <gtest/gtest.h>

#include "store/test_history.h"

namespace honeylink::telemetry::query {
namespace {

constexpr std::int64_t kBegin = 1'699'488'000;  // a multiple of ten days

// A clock that goes back writes ticks a second time; rows of a window then overlap, and one may begin before another
// that is older.
TEST(MetricReader, OfTicksThatWereWrittenTwiceTheLaterRowWins) {
  store::TempHome home;
  store::History history(home.options(), kBegin + 7'200);
  const auto put = [&](double value) { ASSERT_EQ(history.tick({{"g_a", value}}), store::CommitResult::ok); };
  put(1);
  history.step(-600);
  put(5);
  history.maintain();
  history.step(600);
  put(9);
  history.step(3'600);
  put(2);
  history.maintain();
  auto reader = MetricReader::open(home.path);
  ASSERT_TRUE(reader.ok());
  const auto series = reader.value()->find({.name = "g_a", .labels = {}});
  ASSERT_EQ(series.size(), 1U);
  const auto points = reader.value()->points(series, {.step_s = 10});
  ASSERT_TRUE(points.ok());
  ASSERT_EQ(points.value().size(), 3U);
  EXPECT_EQ(points.value()[0].last, 5);
  EXPECT_EQ(points.value()[1].time_unix_s, kBegin + 7'200);
  EXPECT_EQ(points.value()[1].last, 9);
  EXPECT_EQ(points.value()[1].count, 2U);
}

TEST(MetricReader, TheNewestPointOfAHistogramIsItsOwnNotItsSegments) {
  store::TempHome home;
  store::History history(home.options(), kBegin);
  Sketch sketch;
  sketch.buckets = {3}, sketch.count = 3, sketch.sum = 3.5, sketch.min = 1.1, sketch.max = 1.2;
  for (int hour = 0; hour < 9; ++hour) {
    SeriesInfo info;
    info.name = hour < 5 ? "ended" : "goes_on", info.kind = MetricType::histogram;
    MetricDelta delta;
    delta.sid = history.store->series_id(info), delta.kind = info.kind, delta.sketch = &sketch;
    ASSERT_EQ(history.store->commit_tick(history.now_s(), {&delta, 1}, 0, 0, store::stored(1), {}, false),
              store::CommitResult::ok);
    history.pass(3'600);
    history.maintain();
  }
  auto reader = MetricReader::open(home.path);
  ASSERT_TRUE(reader.ok());
  const auto summaries = reader.value()->summarize(reader.value()->find({}), {});
  ASSERT_TRUE(summaries.ok());
  ASSERT_EQ(summaries.value().size(), 2U);
  EXPECT_EQ(summaries.value()[0].newest_unix_s, kBegin + 4 * 3'600);
  EXPECT_EQ(summaries.value()[0].all.sketch().count, 15U);
  EXPECT_EQ(summaries.value()[1].newest_unix_s, kBegin + 8 * 3'600);
}

}  // namespace
}  // namespace honeylink::telemetry::query
