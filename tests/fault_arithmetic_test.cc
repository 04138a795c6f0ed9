// accepted = stored + dropped, where records are lost by intent: a small ring, more threads than slots, signal handlers
// that record.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <fstream>
#include <functional>
#include <thread>

#include "base/counters.h"
#include "forked_application.h"
#include "honeylink/telemetry.h"
#include "record/count.h"
#include "ring_contents.h"

namespace honeylink::telemetry::tests {
namespace {

TEST(Arithmetic, ManyThreadsOverASmallRing) {
  const TestHome home;
  constexpr int kThreads = 8, kTimes = 5'000;
  const Ended ended = run(home, [] {
    if (!start_small().ok()) return 1;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) threads.emplace_back([] { record_some(kTimes); });
    for (auto& thread : threads) thread.join();
    return 0;
  });
  EXPECT_TRUE(ended.exited(0));
  const auto rings = home.rings();
  expect_sound(rings);
  ASSERT_EQ(rings.size(), 1u);
  EXPECT_EQ(rings[0].accepted[0], std::uint64_t{kThreads} * kTimes);
  EXPECT_EQ(rings[0].accepted[2], std::uint64_t{kThreads} * kTimes);
  EXPECT_EQ(rings[0].values.at("fault.hits"), kThreads * kTimes);
  EXPECT_GT(rings[0].records.size(), 100u);
}

TEST(Arithmetic, MoreThreadsThanChunksAndThanSlots) {
  const TestHome home;
  constexpr int kThreads = 50, kTimes = 200;  // 32 slots, 11 chunks
  const Ended ended = run(home, [] {
    if (!start_small().ok()) return 1;
    std::barrier all(kThreads);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&] {
        log_info("log");
        all.arrive_and_wait();  // all live at the same time
        for (int i = 0; i < kTimes; ++i) log_info("log"), hits.add(1);
        all.arrive_and_wait();
      });
    for (auto& thread : threads) thread.join();
    return 0;
  });
  EXPECT_TRUE(ended.exited(0)) << ended.status << ended.said;
  EXPECT_LE(ended.lines(), 1) << ended.said;
  const auto rings = home.rings();
  expect_sound(rings);
  ASSERT_EQ(rings.size(), 1u);
  EXPECT_GT(rings[0].no_slot[2], 0u);
  EXPECT_EQ(rings[0].accepted[2] + rings[0].no_slot[2], std::uint64_t{kThreads} * (kTimes + 1));
  EXPECT_EQ(rings[0].values.at("fault.hits"), kThreads * kTimes) << "additions of threads without a slot are lost";
}

std::atomic<std::uint64_t> from_handler{0};

TEST(Arithmetic, ASignalHandlerThatRecordsIsCountedOrStored) {
  const TestHome home;
  const Ended ended = run(home, [] {
    if (!start().ok()) return 1;
    record_some(1);  // bound: an addition in a handler is then one instruction
    struct sigaction action {};
    action.sa_handler = [](int) {
      from_handler.fetch_add(1);
      log_info("handler");
      hits.add(1);
    };
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, nullptr);
    const itimerval every{{0, 50}, {0, 50}};
    setitimer(ITIMER_REAL, &every, nullptr);
    std::uint64_t logs = 1, adds = 1;
    while (from_handler.load() < 500) {
      for (int i = 0; i < 100; ++i) log_info("log", {{"i", i}}), hits.add(1);
      logs += 100, adds += 100;
    }
    const itimerval none{};
    setitimer(ITIMER_REAL, &none, nullptr);
    log_info("told", {{"logs", logs},
                      {"adds", adds},
                      {"handled", from_handler.load()},
                      {"nested", internal::counted(ProcessCounter::nested_call)}});
    return 0;
  });
  EXPECT_TRUE(ended.exited(0)) << ended.status << ended.said;
  const auto rings = home.rings();
  expect_sound(rings);
  ASSERT_EQ(rings.size(), 1u);
  const auto told =
      std::find_if(rings[0].records.begin(), rings[0].records.end(), [](const Record& r) { return r.name == "told"; });
  ASSERT_NE(told, rings[0].records.end());
  const auto number = [&](const char* name) { return static_cast<std::uint64_t>(told->numbers.at(name)); };
  EXPECT_EQ(rings[0].accepted[2] + number("nested"), number("logs") + number("handled") + 1);
  EXPECT_EQ(rings[0].values.at("fault.hits"), static_cast<double>(number("adds") + number("handled")));
}

}  // namespace
}  // namespace honeylink::telemetry::tests
