// The two real processes: they do their work, end in time, end when asked, and never outlive their parent.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "link.h"

namespace honeylink::link {
namespace {

using namespace std::chrono_literals;

// Condition, not a length of time: a busy machine only makes it slower.
bool eventually(const std::function<bool()>& condition) {
  for (const auto until = std::chrono::steady_clock::now() + 30s; std::chrono::steady_clock::now() < until;) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

struct RunLink : testing::Test {
  RunLink() {
    std::string name = (std::filesystem::temp_directory_path() / "link-test-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    options.home = name;
    options.duration_s = 600;
    ::setenv("XDG_RUNTIME_DIR", name.c_str(), 1);  // the children's rings: gone with the home
  }
  ~RunLink() override {
    std::error_code ignored;
    std::filesystem::remove_all(options.home, ignored);
  }
  [[nodiscard]] int rings() const {
    int count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(options.home)) {
      count += entry.path().extension() == ".ring" ? 1 : 0;
    }
    return count;
  }
  LinkOptions options;
  LinkStats stats;
};

TEST_F(RunLink, BothProcessesWorkAndEndInTime) {
  options.duration_s = 1.5;
  const auto link = run_link(options, &stats);
  EXPECT_EQ(link->wait(), 0) << link->error();
  EXPECT_FALSE(link->running());
  EXPECT_GT(stats.sessions_established.load(), 0U);
  EXPECT_EQ(stats.sessions_failed.load(), 0U);
  EXPECT_EQ(stats.packets_sent.load(), stats.packets_acknowledged.load() + stats.packets_lost.load());
  EXPECT_EQ(stats.sessions_open.load(), 0U);
  EXPECT_EQ(rings(), 2) << "each process records for itself";
}

TEST_F(RunLink, StatsAreLiveAndStopEndsIt) {
  const auto link = run_link(options, &stats);
  EXPECT_TRUE(eventually([&] { return stats.packets_acknowledged.load() > 0; })) << link->error();
  EXPECT_TRUE(link->running());
  link->stop();
  EXPECT_EQ(link->wait(), 0) << link->error();
  EXPECT_FALSE(link->running());
}

TEST_F(RunLink, LossOptionReachesTheRelay) {
  options.loss = 0.4;
  const auto link = run_link(options, &stats);
  EXPECT_TRUE(eventually([&] { return stats.packets_sent.load() > 1'000; })) << link->error();
  link->stop();
  EXPECT_EQ(link->wait(), 0) << link->error();
  const double share = static_cast<double>(stats.packets_lost.load()) / static_cast<double>(stats.packets_sent.load());
  EXPECT_NEAR(share, 0.4, 0.25) << "packets in flight when it stopped are sent and not yet lost";
}

TEST_F(RunLink, DestroyedHandleLeavesNoChild) {
  run_link(options, nullptr).reset();
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child was left";
}

// Children of `pid`, or of init after its death, are found by the home in their command line.
int processes_with(const std::string& home) {
  int count = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    std::ifstream file(entry.path() / "cmdline");
    const std::string line((std::istreambuf_iterator<char>(file)), {});
    if (line.find(kChildCommand) != std::string::npos && line.find(home) != std::string::npos) ++count;
  }
  return count;
}

TEST_F(RunLink, ChildrenDieWithAKilledParent) {
  const pid_t parent = ::fork();
  if (parent == 0) {
    const auto link = run_link(options, nullptr);
    for (;;) ::pause();
  }
  EXPECT_TRUE(eventually([&] { return processes_with(options.home) == 2; }));
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  EXPECT_TRUE(eventually([&] { return processes_with(options.home) == 0; }));
}

TEST_F(RunLink, DeadResponderEndsTheRunWithAnError) {
  const auto link = run_link(options, &stats);
  EXPECT_TRUE(eventually([&] { return stats.sessions_established.load() > 0; }));
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    std::ifstream file(entry.path() / "cmdline");
    const std::string line((std::istreambuf_iterator<char>(file)), {});
    if (line.find("responder") != std::string::npos && line.find(options.home) != std::string::npos) {
      ::kill(std::stoi(entry.path().filename()), SIGKILL);
    }
  }
  EXPECT_EQ(link->wait(), 1);
  EXPECT_NE(link->error().find("responder"), std::string::npos) << link->error();
}

TEST(LinkChild, WrongCallIsRefused) {
  const auto call = [](std::vector<std::string> arguments) {
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    return link_child_main(static_cast<int>(argv.size()), argv.data());
  };
  EXPECT_EQ(call({"x"}), 2);
  EXPECT_EQ(call({"x", "__link", "observer", "1"}), 2);
  EXPECT_EQ(call({"x", "run", "responder", "1"}), 2);
}

}  // namespace
}  // namespace honeylink::link
