// The recorder in bad company: forks, every way to end, homes and disks that cannot be used, a removed ring. Each
// application is a forked child of the test, which itself never records; its rings are read when it is dead.
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

// ---- every way to end

struct Ending {
  const char* name;
  void (*end)();
  int code, signal;
  bool clean;
};
const Ending kEndings[] = {
    {"exit", [] { std::exit(7); }, 7, 0, true},
    {"_exit", [] { _exit(7); }, 7, 0, false},
    {"quick_exit", [] { std::quick_exit(7); }, 7, 0, false},
    {"abort", [] { std::abort(); }, 0, SIGABRT, false},
    {"SIGSEGV",
     [] {
       signal(SIGSEGV, SIG_DFL);
       raise(SIGSEGV);
     },
     0, SIGSEGV, false},
    {"SIGKILL", [] { raise(SIGKILL); }, 0, SIGKILL, false},
};
class EveryEnd : public ::testing::TestWithParam<Ending> {};

TEST_P(EveryEnd, LosesNothing) {
  const TestHome home;
  const Ended ended = run(home, [] {
    if (!start().ok()) return 1;
    record_some(100);
    GetParam().end();
    return 2;
  });
  EXPECT_TRUE(GetParam().signal != 0 ? ended.killed_by(GetParam().signal) : ended.exited(GetParam().code))
      << ended.status << ended.said;
  const auto rings = home.rings();
  expect_sound(rings);
  ASSERT_EQ(rings.size(), 1u);
  EXPECT_EQ(rings[0].count("span"), 100u);
  EXPECT_EQ(rings[0].count("log"), 100u);
  EXPECT_EQ(rings[0].values.at("fault.hits"), 100);
  EXPECT_EQ(rings[0].clean, GetParam().clean);
}
INSTANTIATE_TEST_SUITE_P(Process, EveryEnd, ::testing::ValuesIn(kEndings), [](const auto& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), '_', 'x');
  return name;
});

struct RecordsWhenDestroyed {
  const char* name;
  ~RecordsWhenDestroyed() { log_info(EventName::runtime(name)); }
};

TEST(Process, DestructorsOfThreadsAndOfTheProcessMayRecord) {
  const TestHome home;
  const Ended ended = run(home, [] {
    if (!start().ok()) return 1;
    static const RecordsWhenDestroyed at_exit{"static"};
    std::thread([] {
      thread_local const RecordsWhenDestroyed at_end{"thread_local"};
      if (at_end.name != nullptr) log_info("thread");
    }).join();
    std::exit(0);
  });
  EXPECT_TRUE(ended.exited(0));
  const auto rings = home.rings();
  expect_sound(rings);
  ASSERT_EQ(rings.size(), 1u);
  EXPECT_EQ(rings[0].count("static"), 1u);
  EXPECT_EQ(rings[0].count("thread_local"), 1u);
}

// ---- fork

TEST(Fork, TheChildHasItsOwnRingAndIds) {
  const TestHome home;
  const Ended ended = run(home, [] {
    if (!start().ok()) return 1;
    auto inherited = start_span("parent's");
    hits.add(10);
    const pid_t child = fork();
    if (child == 0) {
      hits.add(1);
      log_info("child");
      { const auto span = scoped_span("child's"); }
      inherited.set_attribute("from", "child");
      inherited.end();
      std::exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    hits.add(10);
    inherited.end();
    return WEXITSTATUS(status);
  });
  EXPECT_TRUE(ended.exited(0)) << ended.said;
  const auto rings = home.rings();
  expect_sound(rings);
  ASSERT_EQ(rings.size(), 2u);
  const RingContents& child = rings[0].count("child") == 1 ? rings[0] : rings[1];
  const RingContents& parent = &child == &rings[0] ? rings[1] : rings[0];
  EXPECT_NE(child.pid, parent.pid);
  EXPECT_NE(child.trace_key, parent.trace_key);
  EXPECT_EQ(child.count("child's"), 1u);
  EXPECT_EQ(child.count("parent's"), 0u);
  EXPECT_EQ(child.values.at("fault.hits"), 1);
  EXPECT_EQ(parent.values.at("fault.hits"), 20);
  ASSERT_EQ(parent.records.size(), 1u);
  EXPECT_EQ(parent.records[0].texts.count("from"), 0u);
  EXPECT_TRUE(child.clean);
}

#ifdef __SANITIZE_THREAD__
constexpr int kForks = 15;  // there a fork of four threads takes most of a second
#else
constexpr int kForks = 100;
#endif

TEST(Fork, ManyTimesUnderFourRecordingThreads) {
  const TestHome home;
  const Ended ended = run(home, [] {
    if (!start_small().ok()) return 1;
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        while (!stop) record_some(1);
      });
    int bad = 0;
    for (int i = 0; i < kForks; ++i) {
      const pid_t child = fork();
      if (child == 0) {
        alarm(20);
        record_some(3);
        _exit(0);
      }
      int status = 0;
      waitpid(child, &status, 0);
      bad += !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    stop = true;
    for (auto& thread : threads) thread.join();
    return bad == 0 ? 0 : 3;
  });
  EXPECT_TRUE(ended.exited(0)) << ended.status << ended.said;
  const auto rings = home.rings();
  expect_sound(rings);
  ASSERT_EQ(rings.size(), kForks + 1u);
  std::set<std::uint64_t> pids;
  int children = 0;
  for (const RingContents& ring : rings) {
    pids.insert(ring.pid);
    if (ring.accepted_in_all() != 6) continue;
    ++children;
    EXPECT_EQ(ring.count("span"), 3u);
    EXPECT_EQ(ring.values.at("fault.hits"), 3);
  }
  EXPECT_EQ(children, kForks);
  EXPECT_EQ(pids.size(), kForks + 1u);
}

// ---- start()

TEST(Start, WhatWasRecordedBeforeItIsHandedOver) {
  const TestHome home;
  const Ended ended = run(home, [] {
    record_some(5);
    if (!start().ok()) return 1;
    record_some(7);
    return 0;
  });
  EXPECT_TRUE(ended.exited(0)) << ended.said;
  const auto rings = home.rings();
  expect_sound(rings);
  std::size_t spans = 0;
  double sum = 0;
  for (const RingContents& ring : rings)
    spans += ring.count("span"), sum += ring.values.count("fault.hits") != 0 ? ring.values.at("fault.hits") : 0;
  EXPECT_EQ(spans, 12u);
  EXPECT_EQ(sum, 12);
}

TEST(Start, WithoutItNoFileIsWritten) {
  const TestHome home;
  EXPECT_TRUE(run(home, [] {
                record_some(5);
                return 0;
              }).exited(0));
  EXPECT_EQ(home.rings().size(), 0u);
  EXPECT_FALSE(std::filesystem::exists(home.home()));
}

TEST(Start, TwiceAndWithWrongOptions) {
  const TestHome home;
  const Ended ended = run(home, [] {
    Options options;
    options.buffer_bytes = 1000;
    if (start(options).error() != Error::invalid_option) return 1;
    options = {};
    options.sampler = Sampler::trace_id_ratio(1.5);
    if (start(options).error() != Error::invalid_option) return 2;
    if (!start().ok()) return 3;
    if (start().error() != Error::already_started) return 4;
    record_some(1);
    return 0;
  });
  EXPECT_TRUE(ended.exited(0)) << ended.status;
  EXPECT_EQ(home.rings().size(), 1u);
}

TEST(Start, TheOwnersWishWins) {
  const TestHome home;
  const Ended off = run(home, [] {
    setenv("HONEYLINK_TELEMETRY", "off", 1);
    const bool ok = start().ok();
    record_some(10);
    return ok ? 0 : 1;
  });
  EXPECT_TRUE(off.exited(0));
  EXPECT_EQ(home.rings().size(), 0u);
  const Ended on = run(home, [] {
    setenv("HONEYLINK_TELEMETRY", "on", 1);
    setenv("OTEL_SERVICE_NAME", "named-outside", 1);
    record_some(10);
    return 0;
  });
  EXPECT_TRUE(on.exited(0));
  const auto rings = home.rings();
  ASSERT_EQ(rings.size(), 1u);
  EXPECT_EQ(rings[0].service, "named-outside");
  EXPECT_EQ(rings[0].count("log"), 10u);
}

TEST(Flush, WithoutAnEngineSaysSoInTime) {
  const TestHome home;
  const Ended ended = run(home, [] {
    if (flush(std::chrono::milliseconds(20)).error() != Error::no_engine) return 1;
    if (!start().ok()) return 2;
    record_some(1);
    return flush(std::chrono::milliseconds(20)).error() == Error::no_engine ? 0 : 3;
  });
  EXPECT_TRUE(ended.exited(0)) << ended.status;
}

// ---- homes and disks that cannot be used: F57, F06

TEST(BadHome, DegradesToMemoryWithOneLine) {
  const TestHome home;
  std::ofstream(home.path() + "/file") << "x";
  for (const char* bad : {"/proc/nowhere", "/file/home", "/dev/null"}) {
    const std::string path = std::string(bad) == "/file/home" ? home.path() + bad : bad;
    const Ended ended = run(home, [&] {
      unsetenv("XDG_RUNTIME_DIR");
      setenv("HONEYLINK_HOME", path.c_str(), 1);
      const Status status = start();
      record_some(50);
      return status.ok() || status.error() == Error::home_unusable || status.error() == Error::memory_file_failed ? 0
                                                                                                                  : 1;
    });
    EXPECT_TRUE(ended.exited(0)) << bad << " " << ended.status;
    EXPECT_LE(ended.lines(), 1) << bad << ": " << ended.said;
  }
}

TEST(BadHome, NoDescriptorsLeft) {
  const TestHome home;
  for (const rlim_t limit : {rlim_t{3}, rlim_t{4}, rlim_t{5}, rlim_t{6}, rlim_t{8}, rlim_t{16}}) {
    const Ended ended = run(home, [&] {
      const rlimit few{limit, limit};
      setrlimit(RLIMIT_NOFILE, &few);
      (void)start();
      record_some(50);
      return 0;
    });
    EXPECT_TRUE(ended.exited(0)) << limit << ": " << ended.status;
    EXPECT_LE(ended.lines(), 1) << limit << ": " << ended.said;
  }
  expect_sound(home.rings());
}

TEST(BadHome, AFullDiskCostsNoSignal) {
  const TestHome home;
  const std::string disk = home.path() + "/disk";
  std::filesystem::create_directory(disk);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=2m,mode=0700") != 0)
    GTEST_SKIP() << "mounting is not allowed here";
  const Ended ended = run(home, [&] {
    setenv("XDG_RUNTIME_DIR", disk.c_str(), 1);
    setenv("HONEYLINK_HOME", (disk + "/home").c_str(), 1);
    (void)start();
    record_some(20'000);
    return 0;
  });
  umount(disk.c_str());
  EXPECT_TRUE(ended.exited(0)) << ended.status << ended.said;
  EXPECT_LE(ended.lines(), 1) << ended.said;
}

TEST(RemovedRing, IsReplacedByANewOneWithinSeconds) {
  const TestHome home;
  const Ended ended = run(home, [&] {
    if (!start_small().ok()) return 1;
    record_some(10);
    home.remove_rings();
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::chrono::steady_clock::now() < until) {
      record_some(100);
      if (internal::counted(ProcessCounter::ring_moved) == 0) continue;
      log_info("in the new one");
      return 0;
    }
    return 2;
  });
  EXPECT_TRUE(ended.exited(0)) << ended.status << ended.said;
  const auto rings = home.rings();
  expect_sound(rings);
  ASSERT_EQ(rings.size(), 1u);
  EXPECT_EQ(rings[0].count("in the new one"), 1u);
}

}  // namespace
}  // namespace honeylink::telemetry::tests
