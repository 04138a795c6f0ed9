// The numerator of a service level remembers a span in which it counted; no other counter does, and no count is lost by
// it.
#include "record/counter_exemplar.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>
#include <thread>
#include <vector>

#include "honeylink/testing.h"
#include "honeylink/trace.h"
#include "record/process.h"
#include "ring/reader.h"

namespace honeylink::telemetry {
namespace {

constinit Counter lost{"packets_lost_total", "{packet}"};  // built in as a numerator
constinit Counter<double> real{"qos_packets_dropped_total", "{packet}"};
constinit Counter other{"test.exemplar.other", "{packet}"};

/// The exemplar of a counter's name; one ring serves all tests of the program.
std::optional<ExemplarInfo> exemplar_of(std::string_view name) {
  std::string why;
  const auto reader = ring::RingReader::open(Fd(dup(internal::process.current.load()->fd)), "test", false, why);
  ring::CellSnapshot cells;
  if (reader == nullptr || !reader->refresh() || !reader->read_cells(cells)) {
    ADD_FAILURE() << why;
    return std::nullopt;
  }
  for (const ring::CounterExemplar& of : cells.exemplars) {
    if (reader->series()[of.series].info.name == name) return of.exemplar;
  }
  return std::nullopt;
}
double value_of(std::string_view name) {
  const auto exemplar = exemplar_of(name);
  return exemplar ? exemplar->value : -1;
}
/// As an engine does at its tick.
void begin_interval() { internal::process.current.load()->map.header().tick_epoch.fetch_add(1); }
void add_in_span(const auto& counter, auto n) {
  const auto span = scoped_span("session.transfer");
  counter.add(n);
}

TEST(CounterExemplar, PointsAtASpanInWhichItCounted) {
  testing::Capture capture;
  lost.add(5);  // in no span, and so without one
  begin_interval();
  SpanId expected;
  {
    const auto span = scoped_span("session.transfer");
    expected = span->context().span_id();
    lost.add(2, {{"link", "wifi"}});
  }
  const auto exemplar = exemplar_of("packets_lost_total");
  ASSERT_TRUE(exemplar && exemplar->present);
  EXPECT_EQ(exemplar->value, 2);
  EXPECT_EQ(exemplar->span_id, expected.bytes);
  lost.add(100);
  EXPECT_EQ(value_of("packets_lost_total"), 2);
  EXPECT_EQ(capture.value("packets_lost_total"), 105);
  EXPECT_EQ(capture.value("packets_lost_total", {{"link", "wifi"}}), 2);
}

TEST(CounterExemplar, TheLargestOfAnIntervalStays) {
  testing::Capture capture;
  begin_interval();
  const auto bound = lost.with({{"link", "lora"}});
  for (const unsigned n : {3U, 1U, 3U}) add_in_span(bound, n);
  const auto first = exemplar_of("packets_lost_total");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->value, 3);
  add_in_span(bound, 9U);
  EXPECT_EQ(value_of("packets_lost_total"), 9);
  EXPECT_NE(exemplar_of("packets_lost_total")->span_id, first->span_id);
  begin_interval();
  add_in_span(bound, 1U);
  EXPECT_EQ(value_of("packets_lost_total"), 1);
  EXPECT_EQ(capture.value("packets_lost_total", {{"link", "lora"}}), 17);
}

TEST(CounterExemplar, RealCountersToo) {
  testing::Capture capture;
  begin_interval();
  add_in_span(real, 0.5);
  EXPECT_EQ(value_of("qos_packets_dropped_total"), 0.5);
}

TEST(CounterExemplar, OtherCountersKeepNone) {
  testing::Capture capture;
  for (int i = 0; i < 100; ++i) add_in_span(other, 1U);
  EXPECT_FALSE(exemplar_of("test.exemplar.other"));
  EXPECT_EQ(capture.value("test.exemplar.other"), 100);
}

TEST(CounterExemplar, NoCountIsLostAmongThreads) {
  testing::Capture capture;
  begin_interval();
  constexpr std::uint64_t kEach = 20'000;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (std::uint64_t i = 0; i < kEach; ++i) {
        const auto span = scoped_span("session.transfer");
        lost.add(1 + i % 7);
      }
    });
  }
  for (int i = 0; i < 200; ++i) EXPECT_LE(value_of("packets_lost_total"), 7);
  for (std::thread& thread : threads) thread.join();
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < kEach; ++i) sum += 1 + i % 7;
  EXPECT_EQ(capture.value("packets_lost_total"), static_cast<double>(4 * sum));
  EXPECT_EQ(value_of("packets_lost_total"), 7);
}

}  // namespace
}  // namespace honeylink::telemetry
