// Counters, up-down counters and gauges: exact sums whatever the thread, label order and bounds; what is refused is
// counted.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "honeylink/testing.h"
#include "record/count.h"

namespace tel = honeylink::telemetry;

namespace {

using tel::ProcessCounter;
using tel::testing::Capture;

std::uint64_t counted(ProcessCounter what) { return tel::internal::counted(what); }

constinit tel::Counter packets{"test.packets", "{packet}"};
constinit tel::Counter<double> seconds{"test.seconds", "s"};
constinit tel::UpDownCounter open_sessions{"test.sessions", "{session}"};
constinit tel::Gauge temperature{"test.temperature", "Cel"};
constinit tel::Histogram sizes{"test.sizes", "By"};

TEST(Counter, SumsWhatWasAdded) {
  const Capture capture;
  packets.add(2);
  packets.add(40u);
  EXPECT_EQ(capture.value("test.packets"), 42.0);
  EXPECT_EQ(capture.refused(), 0u);
}

TEST(Counter, NothingRecordedIsNoValue) {
  const Capture capture;
  EXPECT_EQ(capture.value("test.packets"), std::nullopt);
  EXPECT_EQ(capture.value("test.never.declared"), std::nullopt);
}

TEST(Counter, ACaptureSeesOnlyItsOwn) {
  {
    const Capture first;
    packets.add(5);
    EXPECT_EQ(first.value("test.packets"), 5.0);
  }
  packets.add(1000);
  const Capture second;
  packets.add(3);
  EXPECT_EQ(second.value("test.packets"), 3.0);
}

TEST(Counter, LabelsInAnotherOrderAreTheSameSeries) {
  const Capture capture;
  packets.add(1, {{"link", "wifi"}, {"peer", 7}, {"up", true}});
  packets.add(2, {{"up", true}, {"link", "wifi"}, {"peer", 7}});
  packets.with({{"peer", 7}, {"up", true}, {"link", "wifi"}}).add(4);
  EXPECT_EQ(capture.value("test.packets", {{"peer", 7}, {"link", "wifi"}, {"up", true}}), 7.0);
}

TEST(Counter, LabelsInAnotherOrderTakeOneSeriesOfTheLimit) {
  static constinit tel::Counter twice{"test.order.limit", "1"};
  const Capture capture;
  for (int i = 0; i < 1500; ++i) {
    twice.add(1, {{"a", i}, {"b", 1}});
    twice.add(1, {{"b", 1}, {"a", i}});
  }
  EXPECT_EQ(capture.value("test.order.limit", {{"otel.metric.overflow", true}}), std::nullopt);
  EXPECT_EQ(capture.value("test.order.limit", {{"a", 1499}, {"b", 1}}), 2.0);
}

TEST(Counter, DifferentTypesOfALabelAreDifferentSeries) {
  const Capture capture;
  packets.add(1, {{"v", 1}});
  packets.add(10, {{"v", true}});
  EXPECT_EQ(capture.value("test.packets", {{"v", 1}}), 1.0);
  EXPECT_EQ(capture.value("test.packets", {{"v", true}}), 10.0);
}

TEST(Counter, BoundAndUnboundMeet) {
  const Capture capture;
  const auto bound = packets.with({{"link", "lte"}});
  for (int i = 0; i < 1000; ++i) bound.add(1);
  packets.add(1, {{"link", "lte"}});
  EXPECT_EQ(capture.value("test.packets", {{"link", "lte"}}), 1001.0);
}

TEST(Counter, WrapsAtTwoToTheSixtyFour) {
  static constinit tel::Counter wrapping{"test.wrapping", "1"};
  const Capture capture;
  wrapping.add(std::numeric_limits<std::uint64_t>::max());
  wrapping.add(6);
  EXPECT_EQ(capture.value("test.wrapping"), 5.0);
}

TEST(Counter, NegativeNaNAndInfiniteAreRefusedAndCounted) {
  const Capture capture;
  const std::uint64_t before = counted(ProcessCounter::increment_refused);
  seconds.add(0.5);
  seconds.add(-1.0);
  seconds.add(std::nan(""));
  seconds.add(std::numeric_limits<double>::infinity());
  EXPECT_EQ(capture.value("test.seconds"), 0.5);
  EXPECT_EQ(counted(ProcessCounter::increment_refused) - before, 3u);
  EXPECT_EQ(capture.refused(), 3u);
}

TEST(Counter, ManyThreadsSumExactly) {
  const Capture capture;
  constexpr int kThreads = 12, kTimes = 20'000;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([] {
      for (int i = 0; i < kTimes; ++i) packets.add(1), open_sessions.add(i % 2 == 0 ? 3 : -3);
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(capture.value("test.packets"), 1.0 * kThreads * kTimes);
  EXPECT_EQ(capture.refused(), 0u);
}

TEST(Counter, TwoThousandSeriesThenOverflow) {
  static constinit tel::Counter many{"test.many", "1"};
  const Capture capture;
  const std::uint64_t before = counted(ProcessCounter::series_overflow);
  for (int i = 0; i < 2'100; ++i) many.add(1, {{"n", i}});
  double named = 0;
  int series = 0;
  for (int i = 0; i < 2'100; ++i)
    if (const auto value = capture.value("test.many", {{"n", i}})) named += *value, ++series;
  EXPECT_EQ(series, 2'000);
  EXPECT_EQ(capture.value("test.many", {{"otel.metric.overflow", true}}), 2'100.0 - named);
  EXPECT_EQ(counted(ProcessCounter::series_overflow) - before, 100u);
}

TEST(Counter, MoreThanSixteenLabelsAreRefusedAndCounted) {
  const Capture capture;
  packets.add(1, {{"a", 1},
                  {"b", 1},
                  {"c", 1},
                  {"d", 1},
                  {"e", 1},
                  {"f", 1},
                  {"g", 1},
                  {"h", 1},
                  {"i", 1},
                  {"j", 1},
                  {"k", 1},
                  {"l", 1},
                  {"m", 1},
                  {"n", 1},
                  {"o", 1},
                  {"p", 1},
                  {"q", 1}});
  EXPECT_GE(capture.refused(), 1u);
}

TEST(UpDown, PlusOnOneThreadAndMinusOnAnotherIsTheDifference) {
  const Capture capture;
  open_sessions.add(10);
  std::thread([] { open_sessions.add(-4); }).join();
  EXPECT_EQ(capture.value("test.sessions"), 6.0);
  {
    const auto held = open_sessions.hold();
    auto moved = open_sessions.hold();
    const auto there = std::move(moved);
    EXPECT_EQ(capture.value("test.sessions"), 8.0);
  }
  EXPECT_EQ(capture.value("test.sessions"), 6.0);
}

TEST(Gauge, TheLastSetWins) {
  const Capture capture;
  EXPECT_EQ(capture.value("test.temperature"), std::nullopt);
  temperature.set(20.5);
  std::thread([] { temperature.set(-3.25); }).join();
  EXPECT_EQ(capture.value("test.temperature"), -3.25);
  temperature.set(0.0);
  EXPECT_EQ(capture.value("test.temperature"), 0.0);
  temperature.set(7, {{"where", "cpu"}});
  EXPECT_EQ(capture.value("test.temperature", {{"where", "cpu"}}), 7.0);
}

TEST(Gauge, IsUnsetWhenTheNextCaptureBegins) {
  {
    const Capture first;
    temperature.set(0.0);
  }
  const Capture second;
  EXPECT_EQ(second.value("test.temperature"), std::nullopt);
}

TEST(Gauge, NaNAndInfinityAreRefusedAndCounted) {
  const Capture capture;
  temperature.set(1.5);
  temperature.set(std::nan(""));
  temperature.set(-std::numeric_limits<double>::infinity());
  EXPECT_EQ(capture.value("test.temperature"), 1.5);
  EXPECT_EQ(capture.refused(), 2u);
}

TEST(Histogram, NegativeNaNAndInfiniteAreRefusedAndCounted) {
  const Capture capture;
  sizes.record(1.0);
  sizes.record(0.0);
  sizes.record(-1.0);
  sizes.record(std::nan(""));
  sizes.record(std::numeric_limits<double>::infinity());
  EXPECT_EQ(capture.value("test.sizes"), 2.0);
  EXPECT_EQ(capture.refused(), 3u);
}

TEST(Instrument, TheSameDeclarationTwiceIsOne) {
  static constinit tel::Counter a{"test.same", "1"};
  static constinit tel::Counter b{"test.same", "1"};
  const Capture capture;
  a.add(1);
  b.add(2);
  EXPECT_EQ(capture.value("test.same"), 3.0);
  EXPECT_EQ(capture.refused(), 0u);
}

TEST(Instrument, AnotherUnitIsKeptApartAndCounted) {
  static constinit tel::Counter a{"test.conflict", "1"};
  static constinit tel::Counter b{"test.conflict", "By"};
  const Capture capture;
  const std::uint64_t before = counted(ProcessCounter::instrument_conflict);
  a.add(1);
  b.add(2);
  EXPECT_EQ(counted(ProcessCounter::instrument_conflict) - before, 1u);
}

TEST(RecordMetric, IsTheInstrumentOfTheSameContent) {
  static constinit tel::Counter<double> declared{"test.oneline", "1"};
  const Capture capture;
  declared.add(1.0);
  tel::record_metric(tel::MetricKind::counter, "test.oneline", "1", 2.5);
  tel::record_metric(tel::MetricKind::gauge, "test.oneline.gauge", "1", -2.5, {{"k", "v"}});
  tel::record_metric(tel::MetricKind::histogram, "test.oneline.histogram", "By", 3);
  EXPECT_EQ(capture.value("test.oneline"), 3.5);
  EXPECT_EQ(capture.value("test.oneline.gauge", {{"k", "v"}}), -2.5);
  EXPECT_EQ(capture.value("test.oneline.histogram"), 1.0);
}

TEST(RecordMetric, EveryInvalidNameIsRefusedAndCounted) {
  const Capture capture;
  for (const char* name : {"", "1a", "a b", "\xc3\xa4", "a\nb", ".a"})
    tel::record_metric(tel::MetricKind::counter, tel::MetricName::runtime(name), "1", 1);
  tel::record_metric(tel::MetricKind::counter, tel::MetricName::runtime(std::string(129, 'a')), "1", 1);
  EXPECT_EQ(capture.refused(), 7u);
}

TEST(RecordMetric, ARunTimeNameNeedNotOutliveTheCall) {
  const Capture capture;
  {
    std::string name = "test.short.lived";
    tel::record_metric(tel::MetricKind::counter, tel::MetricName::runtime(name), "1", 1);
    name.assign(name.size(), 'x');
  }
  tel::record_metric(tel::MetricKind::counter, "test.short.lived", "1", 1);
  EXPECT_EQ(capture.value("test.short.lived"), 2.0);
}

}  // namespace
