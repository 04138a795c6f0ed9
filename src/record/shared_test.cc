// The block behind tracestate and baggage: allocated only where there is one, freed by its last holder on whatever
// thread, absent where memory is short.
#include "record/shared.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "honeylink/propagation.h"

namespace {

// This program's own form of the one allocation function that propagation uses.
thread_local int nothrow_allocations = 0;
thread_local bool out_of_memory = false;

}  // namespace

void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++nothrow_allocations;
  if (out_of_memory) return nullptr;
  try {
    return ::operator new(bytes);
  } catch (const std::bad_alloc&) { return nullptr; }
}

namespace honeylink::telemetry {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;
const std::string kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Shared, NothingIsAllocatedWithoutTracestateAndBaggage) {
  const Headers headers{{"traceparent", kParent}, {"accept", "x"}};
  const int before = nothrow_allocations;
  const Context context = extract(headers);
  const Context copy = context;
  std::size_t bytes = 0;
  inject([&bytes](std::string_view name, std::string_view value) { bytes += name.size() + value.size(); }, copy);
  EXPECT_EQ(nothrow_allocations, before);
  EXPECT_EQ(bytes, 11U + 55U);
}

TEST(Shared, OneAllocationForEachOfThemAndNoneToSend) {
  const Headers headers{{"traceparent", kParent}, {"tracestate", "a=1,b=2"}, {"baggage", "k=v,l=%20"}};
  int before = nothrow_allocations;
  const Context context = extract(headers);
  EXPECT_EQ(nothrow_allocations, before + 2);
  before = nothrow_allocations;
  std::size_t fields = 0;
  inject([&fields](std::string_view, std::string_view) { ++fields; }, Context(context));
  EXPECT_EQ(nothrow_allocations, before);
  EXPECT_EQ(fields, 3U);
}

TEST(Shared, WithoutMemoryTheTextIsAbsentAndTheParentStays) {
  const Headers headers{{"traceparent", kParent}, {"tracestate", "a=1"}, {"baggage", "k=v"}};
  const TraceState state = TraceState::parse("a=1,b=2");
  const Baggage baggage = Baggage().set("k", "v").set("l", "w");
  out_of_memory = true;
  const Context context = extract(headers);
  const TraceState parsed = TraceState::parse("a=1"), changed = state.set("c", "3"), erased = state.erase("a");
  const Baggage set = Baggage().set("k", "v"), more = baggage.set("m", "x"), less = baggage.erase("k");
  out_of_memory = false;
  EXPECT_TRUE(context.span().is_valid());
  EXPECT_EQ(context.span().trace_state().header(), "");
  EXPECT_EQ(context.baggage().size(), 0U);
  EXPECT_EQ(parsed.header(), "");
  EXPECT_EQ(changed.header(), "a=1,b=2") << "a change that cannot be made is none";
  EXPECT_EQ(erased.header(), "") << "what was to go does not stay";
  EXPECT_EQ(set.size(), 0U);
  EXPECT_EQ(more.get("l"), "w");
  EXPECT_EQ(less.get("k"), "");
}

TEST(Shared, ManyThreadsMayCopyAndDropOneContext) {
  Context context = extract(Headers{{"traceparent", kParent}, {"tracestate", "a=1"}, {"baggage", "k=v"}});
  std::atomic<int> wrong = 0;
  {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&wrong, mine = context]() mutable {
        for (int round = 0; round < 20000; ++round) {
          Context copy = mine;
          mine = std::move(copy);
          if (mine.span().trace_state().get("a") != "1" || mine.baggage().get("k") != "v") ++wrong;
        }
      });
    }
    context = Context();
    for (auto& thread : threads) thread.join();
  }
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace honeylink::telemetry
