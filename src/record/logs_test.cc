// Log records and the current context of a thread, through testing::Capture.
#include <gtest/gtest.h>

#include <coroutine>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "honeylink/coroutine.h"
#include "honeylink/testing.h"
#include "record/count.h"

namespace tel = honeylink::telemetry;

namespace {

using tel::testing::Capture;

constinit tel::Scope scope{"test.logs", "1"};
constinit tel::Logger logger{scope};

TEST(Log, LevelsFieldsMessageAndScope) {
  const Capture capture;
  logger.debug("d", {{"a", 1}});
  tel::log_info("i");
  logger.log(tel::LogLevel::warn, "w", {{"k", "v"}, {"peer", tel::hashed_id("device", "AA")}},
             {.message = "a sentence"});
  tel::log_error("e");
  const auto logs = capture.logs();
  ASSERT_EQ(logs.size(), 4u);
  EXPECT_EQ(logs[0].level, tel::LogLevel::debug);
  EXPECT_EQ(logs[0].scope, "test.logs");
  EXPECT_EQ(logs[0].fields.find("a")->second, "1");
  EXPECT_EQ(logs[1].event, "i");
  EXPECT_EQ(logs[2].message, "a sentence");
  EXPECT_EQ(logs[2].fields.size(), 2u);
  EXPECT_EQ(logs[2].fields.find("peer")->second, "device:AA");
  EXPECT_EQ(logs[3].level, tel::LogLevel::error);
  EXPECT_FALSE(logs[0].trace_id.is_valid());
  EXPECT_EQ(capture.refused(), 0u);
}

TEST(Log, BelowTheLevelNothingIsRecorded) {
  const Capture capture;
  tel::set_min_log_level(tel::LogLevel::warn);
  tel::log_info("no");
  tel::log_warn("yes");
  tel::set_min_log_level(tel::LogLevel::off);
  tel::log_error("no");
  EXPECT_EQ(capture.logs().size(), 1u);
}

TEST(Log, IsJoinedToTheCurrentSpanOrToTheGivenContext) {
  const Capture capture;
  const tel::Context remote(tel::SpanContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  {
    const auto span = tel::scoped_span("work");
    tel::log_info("inside");
    tel::kApplicationLogger.log(tel::LogLevel::info, "elsewhere", {}, {.context = &remote});
  }
  const auto logs = capture.logs();
  const auto spans = capture.spans();
  ASSERT_EQ(logs.size(), 2u);
  EXPECT_EQ(logs[0].span_id, spans[0].span_id);
  EXPECT_EQ(logs[0].trace_id, spans[0].trace_id);
  EXPECT_EQ(logs[1].span_id, remote.span().span_id());
  EXPECT_EQ(logs[1].trace_id, remote.span().trace_id());
}

TEST(Log, ThirtyTwoLongFieldsAndAMessageStayWithinOneRecord) {
  const Capture capture;
  const std::string t(256, 'f');
  tel::kApplicationLogger.log(tel::LogLevel::info, "wide",
                              {{"a1", t}, {"a2", t}, {"a3", t}, {"a4", t}, {"a5", t}, {"a6", t}, {"a7", t}, {"a8", t},
                               {"b1", t}, {"b2", t}, {"b3", t}, {"b4", t}, {"b5", t}, {"b6", t}, {"b7", t}, {"b8", t},
                               {"c1", t}, {"c2", t}, {"c3", t}, {"c4", t}, {"c5", t}, {"c6", t}, {"c7", t}, {"c8", t},
                               {"d1", t}, {"d2", t}, {"d3", t}, {"d4", t}, {"d5", t}, {"d6", t}, {"d7", t}, {"d8", t}},
                              {.message = t});
  const auto logs = capture.logs();
  ASSERT_EQ(logs.size(), 1u);
  EXPECT_EQ(logs[0].message, t);
  EXPECT_GE(logs[0].fields.size(), 29u);
  EXPECT_EQ(logs[0].fields.size() + capture.refused(), 32u);
  for (const auto& [key, value] : logs[0].fields) EXPECT_EQ(value, t);
  tel::log_info("after");
  EXPECT_EQ(capture.logs().back().event, "after");
}

TEST(Log, LongMessageIsCutAtACharacterBoundary) {
  const Capture capture;
  std::string text = "x";
  while (text.size() < 10'000) text += "\xe2\x82\xac";
  tel::kApplicationLogger.log(tel::LogLevel::info, "long", {}, {.message = text});
  EXPECT_EQ(capture.logs()[0].message, text.substr(0, 256));
  EXPECT_EQ(capture.refused(), 1u);
}

TEST(Context, ActivationIsForTheBlock) {
  const Capture capture;
  const auto span = tel::start_span("a");
  EXPECT_FALSE(tel::Context::current().span().is_valid());
  {
    const auto active = span.activate();
    EXPECT_EQ(tel::Context::current().span().span_id(), span.context().span_id());
    {
      const tel::Activation root{tel::Context()};
      EXPECT_FALSE(tel::Context::current().span().is_valid());
    }
    EXPECT_EQ(tel::Context::current().span().span_id(), span.context().span_id());
  }
  EXPECT_FALSE(tel::Context::current().span().is_valid());
}

TEST(Context, BindCarriesItToAnotherThread) {
  const Capture capture;
  const auto span = tel::scoped_span("submitter");
  tel::SpanContext there;
  auto task = tel::bind([&](int n) {
    there = tel::Context::current().span();
    return n + 1;
  });
  int result = 0;
  std::thread([&] { result = task(41); }).join();
  EXPECT_EQ(result, 42);
  EXPECT_EQ(there.span_id(), span->context().span_id());
}

TEST(Context, AnActivationThatEndsOnAnotherThreadChangesNothingThereAndIsCounted) {
  const Capture capture;
  const auto span = tel::start_span("a");
  std::unique_ptr<tel::Activation> active;
  std::promise<void> made, done;  // the thread that entered still lives, or its address might be the other one's
  std::thread enters([&] {
    active = std::make_unique<tel::Activation>(tel::Context(span.context()));
    made.set_value();
    done.get_future().wait();
  });
  made.get_future().wait();
  bool valid_there = true;
  std::thread([&] {
    active.reset();
    valid_there = tel::Context::current().span().is_valid();
  }).join();
  done.set_value();
  enters.join();
  EXPECT_FALSE(valid_there);
  EXPECT_EQ(capture.refused(), 1u);
}

struct Task {
  struct promise_type : tel::CoroutineContext {
    Task get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always final_suspend() noexcept {
      leave();
      return {};
    }
    void return_void() noexcept {}
    void unhandled_exception() noexcept {}
  };
  std::coroutine_handle<promise_type> handle;
};

Task work() {
  const auto span = tel::scoped_span("in coroutine");
  tel::log_info("before");
  co_await std::suspend_always();
  tel::log_info("after");
}

TEST(Coroutine, KeepsItsContextWhenResumedOnAnotherThread) {
  const Capture capture;
  const tel::Activation clean{tel::Context()};
  Task task = work();
  task.handle.resume();
  EXPECT_FALSE(tel::Context::current().span().is_valid());
  bool leaked = true;
  std::thread([&] {
    task.handle.resume();
    leaked = tel::Context::current().span().is_valid();
  }).join();
  EXPECT_FALSE(leaked);
  task.handle.destroy();
  const auto logs = capture.logs();
  const auto spans = capture.spans();
  ASSERT_EQ(logs.size(), 2u);
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(logs[0].span_id, spans[0].span_id);
  EXPECT_EQ(logs[1].span_id, spans[0].span_id);
  EXPECT_EQ(capture.refused(), 0u);
}

TEST(Threads, AThousandShortOnesReuseSlotsAndSumExactly) {
  static constinit tel::Counter hits{"test.threads.hits", "1"};
  const Capture capture;
  for (int i = 0; i < 1'000; ++i)
    std::thread([i] {
      hits.add(1);
      const auto span = tel::scoped_span("short", {{"i", i}});
      tel::log_info("short");
    }).join();
  EXPECT_EQ(capture.value("test.threads.hits"), 1000.0);
  // One slot and its chunks serve them all: nothing is sealed early, and all of them are there.
  EXPECT_EQ(capture.spans().size(), 1000u);
  EXPECT_EQ(capture.logs().size(), 1000u);
  EXPECT_EQ(capture.refused(), 0u);
}

}  // namespace
