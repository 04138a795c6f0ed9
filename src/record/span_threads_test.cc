// Spans that several threads hold: annotated at once, ended elsewhere, outliving the thread that started them.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "honeylink/testing.h"
#include "record/span_access.h"
#include "record/span_slots.h"

namespace tel = honeylink::telemetry;

namespace {

using tel::testing::Capture;

constinit tel::Scope scope{"test.spans", "2.0"};
constinit tel::Tracer tracer{scope};

TEST(Span, FourThreadsAnnotateAtTheSameTime) {
  const Capture capture;
  {
    auto span = tracer.start_span("shared");
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        ++ready;
        while (ready != 4) std::this_thread::yield();
        for (int i = 0; i < 7; ++i)
          span.set_attribute(tel::Key::runtime("t" + std::to_string(t) + "." + std::to_string(i)), i);
      });
    for (auto& thread : threads) thread.join();
  }
  const auto spans = capture.spans();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].attributes.size() + capture.refused(), 28u);
  for (const auto& [key, value] : spans[0].attributes) EXPECT_EQ(key.substr(3), value);
}

// The end may meet an annotation on another thread: then the span is stored once, and none stays open for ever.
TEST(Span, EndWhileOthersAnnotateStoresEverySpanOnce) {
  constexpr int kSpans = 2'000;
  const Capture capture;
  std::atomic<const tel::Span*> shared{nullptr};
  std::atomic<bool> stop{false};
  std::atomic<int> inside{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      while (!stop) {
        ++inside;
        if (const tel::Span* span = shared.load()) span->set_attribute("k", 1);
        --inside;
      }
    });
  for (int i = 0; i < kSpans; ++i) {
    tel::Span span = tracer.start_span("raced", {{"i", i}});
    shared = &span;
    span.set_attribute("own", i);
    shared = nullptr;
    span.end();
    while (inside != 0) std::this_thread::yield();
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  const auto spans = capture.spans();
  EXPECT_EQ(spans.size(), static_cast<std::size_t>(kSpans));
  for (const auto& span : spans)
    EXPECT_EQ(span.attributes.count("i"), 1u) << "a span lost its attributes because another thread annotated it";
}

// The same without chance: another thread is inside the slot and stays there. What it had finished is stored.
TEST(Span, EndWhileTheSlotIsHeldKeepsWhatWasAdded) {
  const Capture capture;
  tel::Span span = tracer.start_span("held", {{"a", 1}, {"b", "two"}});
  span.set_attribute("c", 3);
  auto& slot = *static_cast<tel::ring::SpanSlot*>(tel::internal::SpanAccess::ref(span).slot);
  ASSERT_EQ(tel::internal::lock_span_slot(slot), tel::internal::SlotLock::taken);
  span.end();
  tel::internal::unlock_span_slot(slot);
  tracer.start_span("next").end();
  const auto spans = capture.spans();
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[0].name, "held");
  EXPECT_EQ(spans[0].attributes, (decltype(spans[0].attributes){{"a", "1"}, {"b", "two"}, {"c", "3"}}));
  EXPECT_GE(spans[0].end_unix_ns, spans[0].start_unix_ns);
}

// Who comes second finds the first one's work: it catches up, and from then on both end the same span at once.
TEST(Span, EndedByTwoThreadsAtOnceIsStoredOnce) {
  constexpr int kRounds = 20, kSpans = 400;
  const Capture capture;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<tel::Span> started;
    for (int i = 0; i < kSpans; ++i) started.push_back(tracer.start_span("ended twice", {{"i", i}}));
    std::atomic<int> ready{0};
    const auto end_all = [&] {
      ++ready;
      while (ready != 2) std::this_thread::yield();
      for (tel::Span& span : started) span.end();
    };
    std::thread other(end_all);
    end_all();
    other.join();
  }
  const auto spans = capture.spans();
  ASSERT_EQ(spans.size(), static_cast<std::size_t>(kRounds * kSpans));
  for (const auto& span : spans) EXPECT_EQ(span.attributes.count("i"), 1u);
}

// The same without chance: two threads saw that it records, and one of them was suspended then.
TEST(Span, EndThatComesAfterAnotherThreadsEndStoresNothing) {
  const Capture capture;
  tel::Span span = tracer.start_span("ended twice", {{"i", 1}});
  std::thread([&] { span.end(); }).join();
  tel::internal::SpanAccess::finish_by_call(span, 0);
  const auto spans = capture.spans();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].attributes.count("i"), 1u);
}

TEST(Span, EndsOnAnotherThreadWithItsAttributes) {
  const Capture capture;
  {
    tel::Span span = tracer.start_span("travelling", {{"a", 1}});
    std::thread([span = std::move(span)]() mutable {
      span.set_attribute("b", 2);
      span.end();
    }).join();
  }
  const auto spans = capture.spans();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].attributes.size(), 2u);
}

TEST(Span, OutlivesTheThreadThatStartedIt) {
  const Capture capture;
  tel::Span span;
  std::thread([&] { span = tracer.start_span("orphan", {{"a", 1}}); }).join();
  std::thread([&] { const auto other = tracer.scoped_span("other"); }).join();
  span.set_attribute("b", 2);
  span.end();
  const auto spans = capture.spans();
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[1].name, "orphan");
  EXPECT_EQ(spans[1].attributes.size(), 2u);
}

}  // namespace
