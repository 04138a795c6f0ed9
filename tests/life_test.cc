// How a recording program, thread or plug-in begins and ends (F42): before main() and after it, without exceptions, as
// a plug-in that is closed and opened again, and with several copies of the recorder in one process. Applications are
// children of the test, which itself never records; their rings are read when they are dead.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "forked_application.h"
#include "honeylink/telemetry.h"
#include "ring_contents.h"

namespace honeylink::telemetry::tests {
namespace {

const std::string kPlugin = HONEYLINK_PROGRAMS_DIR "/recording_plugin.so";

/// The plug-in's functions, found anew at each opening.
struct Plugin {
  explicit Plugin(const std::string& path = kPlugin) : handle(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle == nullptr) std::fprintf(stderr, "%s\n", ::dlerror()), _exit(90);
    start = reinterpret_cast<int (*)()>(::dlsym(handle, "plugin_start"));
    record = reinterpret_cast<void (*)(int)>(::dlsym(handle, "plugin_record"));
    record_at_thread_end = reinterpret_cast<void (*)()>(::dlsym(handle, "plugin_record_at_thread_end"));
  }
  void close() const { ::dlclose(handle); }
  void* handle;
  int (*start)();
  void (*record)(int);
  void (*record_at_thread_end)();
};

std::size_t count(const std::vector<RingContents>& rings, std::string_view name) {
  std::size_t sum = 0;
  for (const RingContents& ring : rings) sum += ring.count(name);
  return sum;
}
double value(const std::vector<RingContents>& rings, const std::string& name) {
  double sum = 0;
  for (const RingContents& ring : rings) sum += ring.values.count(name) != 0 ? ring.values.at(name) : 0;
  return sum;
}

// ---- programs without exceptions, before main() and after it

struct End {
  const char* how;
  int signal;
  bool clean, destroyed;
};
class WholeLife : public ::testing::TestWithParam<End> {};

TEST_P(WholeLife, RecordsFromBeforeMainToItsLastDestructor) {
  const TestHome home;
  const Ended ended = run(home, [] {
    ::execl(HONEYLINK_PROGRAMS_DIR "/lean_life", "lean_life", GetParam().how, nullptr);
    return 91;
  });
  EXPECT_TRUE(GetParam().signal != 0 ? ended.killed_by(GetParam().signal) : ended.exited(0)) << ended.said;
  const auto rings = home.rings();
  expect_sound(rings);
  const std::size_t after = GetParam().destroyed ? 1 : 0;
  EXPECT_EQ(count(rings, "before main"), 1u);
  EXPECT_EQ(count(rings, "main"), 1u);
  EXPECT_EQ(count(rings, "thread"), 1u);
  EXPECT_EQ(count(rings, "thread_local destructor"), 1u);
  EXPECT_EQ(count(rings, "after main"), after);
  EXPECT_EQ(count(rings, "life.span"), 3 + after);
  EXPECT_EQ(value(rings, "life.hits"), 3.0 + static_cast<double>(after));
  EXPECT_EQ(value(rings, "life.spent"), 1);
  for (const RingContents& ring : rings) {
    EXPECT_EQ(ring.clean, GetParam().clean) << ring.name;
    EXPECT_EQ(ring.service, "lean");
    EXPECT_TRUE(ring.open.empty());
  }
}
INSTANTIATE_TEST_SUITE_P(Ends, WholeLife,
                         ::testing::Values(End{"return", 0, true, true}, End{"exit", 0, true, true},
                                           End{"_exit", 0, false, false}, End{"quick_exit", 0, false, false},
                                           End{"abort", SIGABRT, false, false}),
                         [](const auto& info) { return "By" + std::to_string(info.index); });

TEST(LifeWithoutStart, LeavesNoFile) {
  const TestHome home;
  const Ended ended = run(home, [] {
    ::execl(HONEYLINK_PROGRAMS_DIR "/lean_life", "lean_life", "return", "late", nullptr);
    return 91;
  });
  EXPECT_TRUE(ended.exited(0)) << ended.said;
  EXPECT_EQ(ended.said, "");
  EXPECT_TRUE(home.rings().empty());
  EXPECT_FALSE(std::filesystem::exists(home.home()));
}

// ---- plug-ins

TEST(PlugIn, ClosedAndOpenedAgainGoesOnInOneRing) {
  const TestHome home;
  const Ended ended = run(home, [] {
    for (int round = 0; round < 20; ++round) {
      const Plugin plugin;
      if (plugin.start() != 0) return 1;
      plugin.record(10);
      plugin.close();
    }
    std::exit(0);
    return 2;
  });
  EXPECT_TRUE(ended.exited(0)) << ended.status << ended.said;
  EXPECT_EQ(ended.said, "");
  const auto rings = home.rings();
  expect_sound(rings);
  // start()'s, and the one in which the plug-in recorded while it was loaded: not one pair a round, which would use up
  // the home's space for rings while the process lives.
  EXPECT_LE(rings.size(), 2u);
  EXPECT_EQ(count(rings, "plugin.span"), 200u);
  EXPECT_EQ(count(rings, "plugin.log"), 200u);
  EXPECT_EQ(value(rings, "plugin.hits"), 200);
  EXPECT_EQ(count(rings, "plugin.loaded"), count(rings, "plugin.unloaded"));
  EXPECT_GE(count(rings, "plugin.loaded"), 1u);
  for (const RingContents& ring : rings) EXPECT_TRUE(ring.clean);
}

TEST(PlugIn, MayBeClosedBeforeAThreadThatRecordedInItEnds) {
  const TestHome home;
  const Ended ended = run(home, [] {
    for (const bool destructor : {false, true}) {
      const Plugin plugin;
      if (plugin.start() != 0) return 1;
      std::atomic<bool> recorded{false}, closed{false};
      std::thread thread([&] {
        plugin.record(10);
        if (destructor) plugin.record_at_thread_end();
        recorded = true;
        while (!closed) std::this_thread::yield();
      });
      while (!recorded) std::this_thread::yield();
      plugin.close();
      closed = true;
      thread.join();
    }
    return 0;
  });
  EXPECT_TRUE(ended.exited(0)) << ended.status << ended.said;
  const auto rings = home.rings();
  expect_sound(rings);
  EXPECT_EQ(count(rings, "plugin.span"), 20u);
  EXPECT_EQ(count(rings, "plugin.thread_end"), 1u);
}

TEST(PlugIn, ForkAfterItWasClosedIsHarmless) {
  const TestHome home;
  const Ended ended = run(home, [] {
    const Plugin plugin;
    if (plugin.start() != 0) return 1;
    plugin.record(5);
    plugin.close();
    const pid_t child = ::fork();
    if (child == 0) {
      const Plugin again;
      again.record(3);
      _exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 3;
  });
  EXPECT_TRUE(ended.exited(0)) << ended.status << ended.said;
  const auto rings = home.rings();
  expect_sound(rings);
  EXPECT_EQ(count(rings, "plugin.span"), 8u);
  EXPECT_EQ(value(rings, "plugin.hits"), 8);
}

// ---- two copies in one process: two rings (DESIGN 5)

TEST(TwoCopies, ProgramAndPlugInRecordIntoRingsOfTheirOwn) {
  const TestHome home;
  const Ended ended = run(home, [] {
    if (!start({.resource = {.service_name = "program"}, .sampler = Sampler::always_on()}).ok()) return 1;
    const Plugin plugin;
    if (plugin.start() != 0) return 2;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 100; ++i) {
          const auto span = scoped_span("around");
          record_some(1);
          plugin.record(1);
        }
        plugin.record_at_thread_end();
      });
    for (std::thread& thread : threads) thread.join();
    return 0;
  });
  EXPECT_TRUE(ended.exited(0)) << ended.status << ended.said;
  const auto rings = home.rings();
  expect_sound(rings);
  for (const RingContents& ring : rings) {
    const bool plugins = ring.service == "plugin";
    EXPECT_TRUE(plugins || ring.service == "program") << ring.service;
    EXPECT_EQ(ring.values.count("fault.hits"), plugins ? 0u : 1u) << ring.name;
    EXPECT_EQ(ring.count(plugins ? "span" : "plugin.span"), 0u);
  }
  EXPECT_EQ(count(rings, "around"), 400u);
  EXPECT_EQ(count(rings, "span"), 400u);
  EXPECT_EQ(count(rings, "plugin.span"), 400u);
  EXPECT_EQ(count(rings, "plugin.thread_end"), 4u);
  EXPECT_EQ(value(rings, "fault.hits"), 400);
  EXPECT_EQ(value(rings, "plugin.hits"), 400);
}

TEST(TwoCopies, ForkedChildrenRecordInBoth) {
  const TestHome home;
  const Ended ended = run(home, [] {
    if (!start_small().ok()) return 1;
    const Plugin plugin;
    if (plugin.start() != 0) return 2;
    for (int i = 0; i < 3; ++i) {  // ten rings more of 10 MB would meet the home's cap
      const pid_t child = ::fork();
      if (child == 0) {
        record_some(2);
        plugin.record(2);
        _exit(0);
      }
      int status = 0;
      ::waitpid(child, &status, 0);
      if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return 3;
    }
    return 0;
  });
  EXPECT_TRUE(ended.exited(0)) << ended.status << ended.said;
  const auto rings = home.rings();
  expect_sound(rings);
  EXPECT_EQ(value(rings, "fault.hits"), 6);
  EXPECT_EQ(value(rings, "plugin.hits"), 6);
}

TEST(TwoCopies, EightPlugInsFindRoomForTheirThreadLocals) {
  const TestHome home;
  const Ended ended = run(home, [&] {
    for (int i = 0; i < 8; ++i) {
      const std::string copy = home.path() + "/plugin" + std::to_string(i) + ".so";
      std::filesystem::copy_file(kPlugin, copy);
      const Plugin plugin(copy);  // ends the process where it cannot be opened
      plugin.record(10);
    }
    return 0;
  });
  EXPECT_TRUE(ended.exited(0)) << ended.status << ended.said;
}

}  // namespace
}  // namespace honeylink::telemetry::tests
