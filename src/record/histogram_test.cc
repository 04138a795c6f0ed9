// Histograms against an independent model: counts, sum, extremes and zeros are exact whatever grows or is rescaled;
// every quantile lies within the bound of its scale (I-10).
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <limits>
#include <random>
#include <thread>
#include <vector>

#include "base/sketch.h"
#include "honeylink/testing.h"
#include "record/process.h"
#include "ring/reader.h"

namespace honeylink::telemetry {
namespace {

// All blocks of one metric in the ring that is current now, merged as the engine merges them.
Sketch read_back(std::string_view metric) {
  Sketch all;
  all.scale = kHistogramScaleStart;
  std::string why;
  const auto reader = ring::RingReader::open(Fd(dup(internal::process.current.load()->fd)), "test", false, why);
  ring::CellSnapshot cells;
  if (reader == nullptr || !reader->refresh() || !reader->read_cells(cells)) {
    ADD_FAILURE() << why;
    return all;
  }
  EXPECT_EQ(cells.skipped, 0u);
  bool first = true;
  for (const ring::HistogramCell& cell : cells.histograms) {
    if (reader->series()[cell.series].info.name != metric) continue;
    if (first) all = cell.sketch;
    else merge(all, cell.sketch);
    first = false;
  }
  return all;
}

void expect_same(const Sketch& sketch, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto zeros = static_cast<std::uint64_t>(std::count(values.begin(), values.end(), 0.0));
  EXPECT_EQ(sketch.count, values.size());
  EXPECT_EQ(sketch.zeros, zeros);
  EXPECT_EQ(sketch.min, values.front());
  EXPECT_EQ(sketch.max, values.back());
  std::uint64_t in_buckets = 0;
  for (const std::uint64_t n : sketch.buckets) in_buckets += n;
  EXPECT_EQ(in_buckets, values.size() - zeros);
  // Every bucket holds exactly what lies between its bounds, by long double arithmetic.
  const auto rank_of = [&](std::int64_t index) {
    const double upper = bucket_upper_bound(sketch.scale, index);
    return static_cast<std::uint64_t>(std::upper_bound(values.begin(), values.end(), upper) - values.begin());
  };
  for (std::size_t i = 0; i < sketch.buckets.size(); ++i) {
    if (sketch.buckets[i] == 0) continue;
    const std::int64_t index = sketch.offset + static_cast<std::int64_t>(i);
    const double lower = bucket_upper_bound(sketch.scale, index - 1), upper = bucket_upper_bound(sketch.scale, index);
    const auto in = rank_of(index) - rank_of(index - 1);
    // A value within one part in 2^50 of a bound may be on either side of the rounded bound.
    std::uint64_t near = 0;
    for (const double v : values) near += std::abs(v / lower - 1) < 1e-15 || std::abs(v / upper - 1) < 1e-15;
    EXPECT_LE(sketch.buckets[i] > in ? sketch.buckets[i] - in : in - sketch.buckets[i], near) << index;
  }
  for (int percent = 0; percent <= 100; ++percent) {
    const double q = percent / 100.0;
    const double got = quantile(sketch, q);
    const auto rank = static_cast<std::size_t>(std::max(1.0, std::ceil(q * static_cast<double>(values.size())))) - 1;
    // The rank's neighbours: where the share falls between two observations either is right.
    const double low = values[rank > 0 ? rank - 1 : 0], high = values[std::min(rank + 1, values.size() - 1)];
    const double error = quantile_error(sketch.scale) + 1e-12;
    EXPECT_GE(got, low * (1 - error)) << "q " << q;
    EXPECT_LE(got, high * (1 + error)) << "q " << q;
  }
}

constinit Histogram narrow{"test.h.narrow", "1"};
constinit Histogram wide{"test.h.wide", "1"};
constinit Histogram whole{"test.h.whole", "1"};
constinit Histogram many{"test.h.many", "1"};
constinit Histogram single{"test.h.single", "1"};

void expect_sum(const Sketch& sketch, const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  EXPECT_EQ(sketch.sum, sum);  // one thread adds in the same order: bit for bit
}

TEST(HistogramModel, OneValueManyTimesKeepsTheFinestScale) {
  const testing::Capture capture;
  std::vector<double> values(5000, 12.5);
  for (const double v : values) single.record(v);
  const Sketch sketch = read_back("test.h.single");
  EXPECT_EQ(sketch.scale, kHistogramScaleStart);
  expect_same(sketch, values);
  expect_sum(sketch, values);
}

TEST(HistogramModel, ThreeOctavesFitTheFinestScale) {
  const testing::Capture capture;
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> octaves(0, 3);
  std::vector<double> values;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(i % 100 == 0 ? 0.0 : std::exp2(octaves(random)));
    narrow.record(values.back());
  }
  const Sketch sketch = read_back("test.h.narrow");
  EXPECT_EQ(sketch.scale, kHistogramScaleStart);
  expect_same(sketch, values);
  expect_sum(sketch, values);
}

TEST(HistogramModel, GrowsAndRescalesWithoutLosingAnObservation) {
  const testing::Capture capture;
  std::mt19937_64 random(2);
  std::vector<double> values;
  for (int i = 0; i < 20'000; ++i) {  // ever wider around 1: growth to both sides, then rescaling after rescaling
    std::uniform_real_distribution<double> exponent(-i / 1000.0, i / 1000.0);
    values.push_back(std::exp2(exponent(random)));
    wide.record(values.back());
  }
  expect_same(read_back("test.h.wide"), values);
}

TEST(HistogramModel, AllOfDoubleFitsIntoOneHistogram) {
  const testing::Capture capture;
  std::vector<double> values{std::numeric_limits<double>::max(), std::numeric_limits<double>::min(), 1.0};
  for (const double v : values) whole.record(v);
  const Sketch sketch = read_back("test.h.whole");
  EXPECT_EQ(sketch.count, 3u);
  EXPECT_EQ(sketch.max, std::numeric_limits<double>::max());
  EXPECT_EQ(sketch.min, std::numeric_limits<double>::min());
  EXPECT_LE(sketch.buckets.size(), kHistogramBucketsMax);
}

TEST(HistogramModel, RandomRangesAndOrders) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const std::string name = "test.h.random." + std::to_string(seed);
    const testing::Capture capture;
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> centre(-40, 40), width(0.001, 60);
    const double c = centre(random), w = width(random);
    std::uniform_real_distribution<double> exponent(c - w, c + w);
    std::vector<double> values;
    for (int i = 0; i < 3'000; ++i) {
      values.push_back(random() % 50 == 0 ? 0.0 : std::exp2(exponent(random)));
      record_metric(MetricKind::histogram, MetricName::runtime(name), "1", values.back());
    }
    SCOPED_TRACE(name);
    const Sketch sketch = read_back(name);
    expect_same(sketch, values);
    expect_sum(sketch, values);
  }
}

TEST(HistogramModel, ManyThreadsSumExactly) {
  const testing::Capture capture;
  std::vector<std::vector<double>> of_thread(6);
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < of_thread.size(); ++t)
    threads.emplace_back([&values = of_thread[t], t] {
      std::mt19937_64 random(t);
      std::uniform_real_distribution<double> exponent(-double(t) * 3, double(t) * 3 + 1);
      for (int i = 0; i < 3'000; ++i) {
        values.push_back(std::floor(std::exp2(exponent(random)) * 1024) / 1024);  // exact sums in any order
        many.record(values.back());
      }
    });
  for (auto& thread : threads) thread.join();
  std::vector<double> all;
  for (const auto& values : of_thread) all.insert(all.end(), values.begin(), values.end());
  const Sketch sketch = read_back("test.h.many");
  expect_same(sketch, all);
  expect_sum(sketch, all);
}

TEST(DurationHistogram, ConvertsToItsUnit) {
  static constinit DurationHistogram ms{"test.d.ms", "ms"};
  static constinit DurationHistogram s{"test.d.s", "s"};
  const testing::Capture capture;
  ms.record(std::chrono::microseconds(1500));
  s.record(std::chrono::milliseconds(250));
  EXPECT_DOUBLE_EQ(read_back("test.d.ms").sum, 1.5);
  EXPECT_DOUBLE_EQ(read_back("test.d.s").sum, 0.25);
  {
    auto timer = ms.time();
    timer.cancel();
  }
  { const auto timer = ms.time(); }
  EXPECT_EQ(capture.value("test.d.ms"), 2.0);
}

TEST(DurationHistogram, KeepsFractionsOfDurationsThatCountInFractions) {
  using namespace std::chrono_literals;
  static constinit DurationHistogram s{"test.d.fraction", "s"};
  const testing::Capture capture;
  s.record(0.65s);
  s.record(std::chrono::duration<float, std::milli>(0.5F));
  s.record(std::chrono::duration<double, std::ratio<60>>(0.5));
  EXPECT_DOUBLE_EQ(read_back("test.d.fraction").sum, 0.65 + 0.0005 + 30);
  EXPECT_EQ(Duration(1.5ns).ns, 2);
  EXPECT_EQ(Duration(-0.5us).ns, -500);
  EXPECT_EQ(Duration(std::chrono::hours(-1)).ns, -3'600'000'000'000);
  EXPECT_EQ(Duration(std::chrono::duration<double>(1e300)).ns, INT64_MAX) << "as long as can be said";
  EXPECT_EQ(Duration(std::chrono::duration<double>(-1e300)).ns, INT64_MIN);
  EXPECT_EQ(Duration(std::chrono::duration<double>(std::nan(""))).ns, 0);
}

TEST(Exemplar, PointsAtTheSpanOfTheLargestValue) {
  static constinit Histogram h{"test.h.exemplar", "1"};
  const testing::Capture capture;
  SpanId expected;
  {
    const auto small = scoped_span("small");
    h.record(1);
  }
  {
    const auto large = scoped_span("large");
    expected = large->context().span_id();
    h.record(100);
  }
  h.record(3);
  std::string why;
  const auto reader = ring::RingReader::open(Fd(dup(internal::process.current.load()->fd)), "test", false, why);
  ring::CellSnapshot cells;
  ASSERT_TRUE(reader->refresh() && reader->read_cells(cells));
  for (const auto& cell : cells.histograms) {
    if (reader->series()[cell.series].info.name != "test.h.exemplar") continue;
    EXPECT_TRUE(cell.exemplar.present);
    EXPECT_EQ(cell.exemplar.value, 100);
    EXPECT_EQ(cell.exemplar.span_id, expected.bytes);
    return;
  }
  FAIL() << "no histogram";
}

// The bucket into which this thread's next `value` goes.
std::uint32_t& bucket_of(std::string_view metric, double value) {
  std::string why;
  const auto reader = ring::RingReader::open(Fd(dup(internal::process.current.load()->fd)), "test", false, why);
  ring::CellSnapshot cells;
  if (reader != nullptr && reader->refresh() && reader->read_cells(cells)) {
    for (const ring::HistogramCell& cell : cells.histograms) {
      if (reader->series()[cell.series].info.name != metric) continue;
      const internal::ThreadCells& mine = internal::thread_cells;
      const auto& live = *reinterpret_cast<const internal::HistogramCell*>(mine.area + mine.base[cell.series]);
      const auto index = internal::biased_bucket_index(std::bit_cast<std::uint64_t>(value));
      return *internal::BucketPlace{live.place}.bucket(mine.area, index);
    }
  }
  ADD_FAILURE() << "no such histogram: " << metric;
  static std::uint32_t none;
  return none;
}

// A count of 2^32 looks like none, and its bucket is left behind when the buckets move. What is between the interval's
// extremes has a bucket nevertheless: nothing is written beside the bank.
TEST(Histogram, ABucketThatCountedRoundToZeroIsMissedInTime) {
  static constinit Histogram histogram{"test.round", "1"};
  const testing::Capture capture;
  histogram.record(1.0);
  std::uint32_t& first = bucket_of("test.round", 1.0);
  EXPECT_EQ(first, 1u);
  first = 0;
  histogram.record(1e6);
  histogram.record(2.0);
  histogram.record(3e5);
  const Sketch sketch = read_back("test.round");
  EXPECT_EQ(sketch.min, 1.0);
  EXPECT_EQ(sketch.max, 1e6);
  std::uint64_t in_buckets = 0;
  for (const std::uint64_t n : sketch.buckets) in_buckets += n;
  EXPECT_EQ(in_buckets, 3u);
  EXPECT_EQ(bucket_of("test.round", 2.0), 1u);
}

}  // namespace
}  // namespace honeylink::telemetry
