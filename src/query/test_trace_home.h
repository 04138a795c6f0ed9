// For tests: a home whose traces.db holds spans in hot rows, in blocks, or in both. Not part of a program.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>

#include "query/trace_reader.h"
#include "store/test_packed.h"

namespace honeylink::telemetry::query {

inline constexpr std::int64_t kStart = 1'700'000'000'000'000'000, kSecond = 1'000'000'000, kHour = 3600 * kSecond;
inline constexpr std::uint64_t kSpans = 20'000;

/// Traces of four spans: two processes, of which the second answers the first; every 50th trace is from elsewhere.
struct TraceHome {
  store::TempHome home;
  std::unique_ptr<store::TraceStore> store;

  TraceHome() {
    std::mt19937_64 random(5);
    const auto one = store::make_source(1, {"_other", "ask", "answer", "peer", "try"});
    const auto two = store::make_source(2, {"_other", "ask", "answer", "peer", "try"});
    const IdCipher ids(one.trace_key, one.span_key);
    std::string said;
    store = store::open_traces(home.options(), said);
    for (std::uint64_t i = 0; i < kSpans; ++i) {
      store::Items items;
      items.text(3, "peer-" + std::to_string(random() % 30)).integer(4, static_cast<std::int64_t>(i % 7));
      SpanEvent event = store::make_span(i % 4 == 3 ? two : one, i, items.view());
      event.start_unix_ns = kStart + static_cast<std::int64_t>(i) * kSecond / 10;
      event.duration_ns = static_cast<std::int64_t>(random() >> (20 + random() % 20));
      event.name = i % 4 == 3 ? 2 : 1, event.status = i % 100 == 0 ? 2 : 0;
      if (i % 4 != 0) event.parent = {true, i % 4 == 3, event.span - 1};
      if (i % 4 == 3) {
        event.trace = store::foreign_trace(ids.trace_id(i / 4));
        event.parent.value = store::span_value(ids.span_id(event.parent.value));
      }
      if (i / 4 % 50 == 0) event.trace = {true, 0x1234'5678'0000'0000ULL + i / 4, 77};
      store->add(event);
      if (i % 500 != 499) continue;
      EXPECT_EQ(store->commit({}, store::stored(500), false), store::CommitResult::ok);
    }
  }
  std::unique_ptr<TraceReader> reader() {
    auto opened = TraceReader::open(home.path);
    EXPECT_TRUE(opened.ok());
    return opened.ok() ? std::move(opened.value()) : nullptr;
  }
  void pack() {
    const store::Upkeep done = store->maintain(kStart + 24 * kHour, kHour);
    ASSERT_EQ(done.result, store::CommitResult::ok) << store->why();
    ASSERT_GE(done.blocks, 4U);
    ASSERT_LT(done.spans_packed, kSpans);  // some stay hot: answers come from both
  }
};

}  // namespace honeylink::telemetry::query
