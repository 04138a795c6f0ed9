// The doorbell between recorders and engine: what it says, that a ring before the wait is not lost, and a file that
// cannot be used is an answer. Times are deadlines of seconds: nothing here measures.
#include "ring/doorbell.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace honeylink::telemetry::ring {
namespace {

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}
constexpr std::int64_t kMinute_ns = 60'000'000'000;

class Doorbell : public testing::Test {
 protected:
  Doorbell() {
    char name[] = "/tmp/honeylink_bell_XXXXXX";
    home_ = std::string(::mkdtemp(name)) + "/home";
  }
  ~Doorbell() override { std::filesystem::remove_all(std::filesystem::path(home_).parent_path()); }
  BellWord* map() {
    std::string why;
    BellWord* bell = map_doorbell(home_, why);
    EXPECT_NE(bell, nullptr) << why;
    return bell;
  }
  std::string home_, why_;
};

TEST_F(Doorbell, IsOneWordOfAPrivateFileForAllWhoMapIt) {
  BellWord *engine = map(), *recorder = map();
  ASSERT_NE(engine, recorder);
  announce_sleep(*engine);
  EXPECT_EQ(recorder->load(), 1U);
  ring_doorbell(*recorder);
  EXPECT_EQ(engine->load(), 0U);
  struct stat info {};
  ASSERT_EQ(::stat((home_ + "/run/doorbell").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  EXPECT_GE(info.st_blocks, 1) << "a sparse page would be a SIGBUS on a full disk";
}

TEST_F(Doorbell, RungBetweenAnnouncementAndWaitIsNotSleptThrough) {
  BellWord* bell = map();
  for (int i = 0; i < 1000; ++i) {
    announce_sleep(*bell);
    ring_doorbell(*bell);
    ASSERT_TRUE(sleep_on(*bell, now_ns() + kMinute_ns));
  }
}

TEST_F(Doorbell, WakesASleeperOfAnotherProcess) {
  BellWord* bell = map();
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    std::string why;
    BellWord* own = map_doorbell(home_, why);
    if (own == nullptr) ::_exit(2);
    announce_sleep(*own);
    ::_exit(sleep_on(*own, now_ns() + kMinute_ns) ? 0 : 1);
  }
  while (bell->load() == 0) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, WNOHANG), 0) << "the sleeper ended before it was rung: " << status;
    std::this_thread::yield();
  }
  ring_doorbell(*bell);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST_F(Doorbell, ATimeOutIsNoRing) {
  BellWord* bell = map();
  announce_sleep(*bell);
  EXPECT_FALSE(sleep_on(*bell, now_ns() + 1'000'000));
  EXPECT_EQ(bell->load(), 0U) << "nobody sleeps any more, and nobody must pay for a wake";
  announce_sleep(*bell);
  EXPECT_FALSE(sleep_on(*bell, now_ns() - 1)) << "a deadline in the past is no wait";
  announce_sleep(*bell);
  stay_awake(*bell);
  EXPECT_EQ(bell->load(), 0U);
}

TEST_F(Doorbell, WhatCannotBeUsedIsSaidAndNotFollowed) {
  std::filesystem::create_directories(home_ + "/run");
  const std::string victim = home_ + "/victim";
  std::ofstream(victim) << "untouched";
  std::filesystem::create_symlink(victim, home_ + "/run/doorbell");
  EXPECT_EQ(map_doorbell(home_, why_), nullptr);
  EXPECT_NE(why_.find("symbolic link"), std::string::npos) << why_;
  std::string content;
  std::getline(std::ifstream(victim), content);
  EXPECT_EQ(content, "untouched");
  std::filesystem::remove(home_ + "/run/doorbell");
  ASSERT_EQ(::mkfifo((home_ + "/run/doorbell").c_str(), 0600), 0);
  EXPECT_EQ(map_doorbell(home_, why_), nullptr);
  EXPECT_NE(why_, "");
  EXPECT_EQ(map_doorbell("/proc/nowhere", why_), nullptr);
  EXPECT_NE(why_, "");
}

}  // namespace
}  // namespace honeylink::telemetry::ring
