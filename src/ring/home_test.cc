// Homes: where rings go, that they are locked before they are seen, and who makes room for whom. Real files in folders
// of their own.
#include "ring/home.h"

#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "base/text.h"
#include "ring/test_ring.h"

namespace honeylink::telemetry::ring {
namespace {

constexpr std::uint8_t kId[16] = {0xa0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
const std::string kName =
    "a0010203040506070809"
    "0a0b0c0d0e0f.ring";

// A home and a runtime directory of one's own; what the owner of this machine has is not touched.
class RingHome : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "honeylink-home.XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    home_ = folder_ + "/home";
    runtime_ = folder_ + "/runtime";
    ASSERT_EQ(mkdir(runtime_.c_str(), 0700), 0);
    setenv("XDG_RUNTIME_DIR", runtime_.c_str(), 1);
    directory_ = ring_directories(home_)[0];
  }
  void TearDown() override {
    for (const std::string& directory : ring_directories(home_)) {
      if (directory.starts_with("/dev/shm/")) rmdir(directory.c_str());
    }
    EXPECT_EQ(system(("rm -rf " + folder_).c_str()), 0);
  }
  RingFileError make(NewRing& made, std::uint64_t bytes = kRingBytesMin) {
    return make_ring(home_, kId, bytes, made, unlinked_, why_);
  }
  // A ring of 30 MB as its size says; sparse.
  std::string big_dead_ring(char digit, std::int64_t created_ns, std::uint64_t logs) {
    EXPECT_TRUE(make_private_directory(directory_, why_)) << why_;
    const std::string name = std::string(32, digit) + ".ring", path = directory_ + "/" + name;
    TestRing ring(Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600)));
    ring.header().created.realtime_ns = created_ns;
    ring.take(0, 0);
    ring.seal(0, 0, 0, logs);
    EXPECT_EQ(truncate(path.c_str(), 30'000'000), 0);
    return path;
  }
  std::string folder_, home_, runtime_, directory_, why_;
  std::vector<UnlinkedRing> unlinked_;
};

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

TEST_F(RingHome, IsWhatIsGivenThenTheEnvironmentThenHome) {
  setenv("HOME", "/somewhere", 1);
  unsetenv("HONEYLINK_HOME");
  EXPECT_EQ(home_path(""), "/somewhere/.honeylink");
  setenv("HONEYLINK_HOME", "/elsewhere//x/./y/", 1);
  EXPECT_EQ(home_path(""), "/elsewhere/x/y");
  EXPECT_EQ(home_path("/given/"), "/given");
  EXPECT_EQ(home_path("relative").substr(0, 1), "/");
  EXPECT_TRUE(home_path("relative").ends_with("/relative"));
  unsetenv("HONEYLINK_HOME");
  setenv("HOME", "not/absolute", 1);
  EXPECT_TRUE(home_path("").starts_with("/")) << "the password database's";
}

TEST_F(RingHome, CandidatesAreListedOnceAndInOrder) {
  const std::string user = std::to_string(geteuid());
  setenv("XDG_RUNTIME_DIR", ("/run/user/" + user + "/").c_str(), 1);
  const auto directories = ring_directories("/home/x/.honeylink");
  ASSERT_EQ(directories.size(), 3U);
  // FNV-1a 64 of the path: two versions of this product must agree on it.
  EXPECT_EQ(directories[0], "/run/user/" + user + "/honeylink/d86345a689688f2a");
  EXPECT_EQ(directories[1], "/dev/shm/honeylink-" + user + "/d86345a689688f2a");
  EXPECT_EQ(directories[2], "/home/x/.honeylink/run");
  unsetenv("XDG_RUNTIME_DIR");
  // A /run/user on a disk, or none, is no reason to leave memory.
  struct statfs system {};
  const bool in_memory = statfs(("/run/user/" + user).c_str(), &system) == 0 && system.f_type == TMPFS_MAGIC;
  auto expected = directories;
  if (!in_memory) std::swap(expected[0], expected[1]);
  EXPECT_EQ(ring_directories("/home/x/.honeylink"), expected);
  EXPECT_NE(ring_directories("/home/y/.honeylink")[0], directories[0]);
}

TEST_F(RingHome, ARingIsAllocatedAndLockedBeforeItIsSeen) {
  NewRing made;
  ASSERT_EQ(make(made), RingFileError::none) << why_;
  struct stat info {};
  ASSERT_EQ(fstat(made.file.get(), &info), 0);
  EXPECT_EQ(static_cast<std::uint64_t>(info.st_size), kRingBytesMin);
  EXPECT_GE(static_cast<std::uint64_t>(info.st_blocks) * 512, kRingBytesMin)
      << "a sparse file on a full disk is a SIGBUS";
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  EXPECT_TRUE(is_locked(made.file.get()));
  EXPECT_TRUE(list_rings(home_).empty());
  ASSERT_TRUE(publish_ring(home_, kId, made, why_)) << why_;
  EXPECT_EQ(made.name, kName);
  const auto rings = list_rings(home_);
  ASSERT_EQ(rings.size(), 1U);
  EXPECT_EQ(rings[0].directory, directory_);
  EXPECT_EQ(rings[0].bytes, kRingBytesMin);
  EXPECT_TRUE(rings[0].alive);
  release_process_lock(made.lock_page);
  EXPECT_FALSE(list_rings(home_)[0].alive);
  EXPECT_TRUE(unlink_ring(rings[0].directory, rings[0].name));
  EXPECT_TRUE(list_rings(home_).empty());
}

TEST_F(RingHome, AForkChildDoesNotKeepItsParentsRingAlive) {
  NewRing made;
  ASSERT_EQ(make(made), RingFileError::none) << why_;
  ASSERT_TRUE(publish_ring(home_, kId, made, why_));
  int gate[2];
  ASSERT_EQ(pipe(gate), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(gate[1]);
    char byte;
    _exit(read(gate[0], &byte, 1) == 0 ? 0 : 1);  // until the parent lets go; holds every descriptor that it inherited
  }
  EXPECT_TRUE(list_rings(home_)[0].alive);
  release_process_lock(made.lock_page);  // what the end of the parent would do
  EXPECT_FALSE(list_rings(home_)[0].alive);
  close(gate[0]);
  close(gate[1]);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
}

TEST_F(RingHome, TwoRingsOfOneNameAreAnError) {
  NewRing first, second;
  ASSERT_EQ(make(first), RingFileError::none);
  ASSERT_EQ(make(second), RingFileError::none);
  ASSERT_TRUE(publish_ring(home_, kId, first, why_));
  EXPECT_FALSE(publish_ring(home_, kId, second, why_));
  EXPECT_NE(why_.find("File exists"), std::string::npos) << why_;
  release_process_lock(first.lock_page);
  release_process_lock(second.lock_page);
}

TEST_F(RingHome, ARingWithoutANameIsFoundOnlyOnceItsHomeIsKnown) {
  NewRing made;
  ASSERT_EQ(make_unnamed_ring(kId, kRingBytesMin, made, why_), RingFileError::none) << why_;
  EXPECT_TRUE(made.directory.empty());
  EXPECT_TRUE(is_locked(made.file.get()));
  ASSERT_TRUE(publish_ring(home_, kId, made, why_)) << why_;
  const auto rings = list_rings(home_);
  ASSERT_EQ(rings.size(), 1U);
  EXPECT_TRUE(rings[0].directory.starts_with("/dev/shm/honeylink-")) << rings[0].directory;
  EXPECT_TRUE(rings[0].alive);
  release_process_lock(made.lock_page);
  EXPECT_TRUE(unlink_ring(rings[0].directory, rings[0].name));
}

TEST_F(RingHome, TheOldestDeadRingsMakeRoomAndAreCounted) {
  const std::string newer = big_dead_ring('b', 2000, 5), older = big_dead_ring('c', 1000, 7);
  NewRing made;
  ASSERT_EQ(make(made, 10'485'760), RingFileError::none) << why_;
  EXPECT_FALSE(exists(older));
  EXPECT_TRUE(exists(newer));
  ASSERT_EQ(unlinked_.size(), 1U);
  EXPECT_EQ(unlinked_[0].ring_id[0], 0xcc);
  EXPECT_EQ(unlinked_[0].accepted[2], 7U);
  release_process_lock(made.lock_page);
}

TEST_F(RingHome, WhatIsNoRingGoesBeforeAnyRing) {
  const std::string ring = big_dead_ring('b', 1, 5), broken = big_dead_ring('c', 0, 0);
  std::fstream(broken, std::ios::in | std::ios::out | std::ios::binary) << "not a ring";
  NewRing made;
  ASSERT_EQ(make(made, 10'485'760), RingFileError::none) << why_;
  EXPECT_TRUE(exists(ring));
  EXPECT_FALSE(exists(broken));
  release_process_lock(made.lock_page);
}

TEST_F(RingHome, LivingRingsAreNeverUnlinked) {
  const std::string living = big_dead_ring('b', 1, 1), second = big_dead_ring('c', 2, 2),
                    dead = big_dead_ring('d', 3, 3);
  void* locks[] = {hold_lock(open_file(living, O_RDWR, 0, why_)), hold_lock(open_file(second, O_RDWR, 0, why_))};
  NewRing made;
  EXPECT_EQ(make(made, 10'485'760), RingFileError::too_large);
  EXPECT_FALSE(made.file);
  EXPECT_TRUE(exists(living) && exists(second) && exists(dead)) << "nothing is given up where that would not be enough";
  EXPECT_TRUE(unlinked_.empty());
  EXPECT_EQ(make(made, kRingBytesMin), RingFileError::none) << why_;
  EXPECT_FALSE(exists(dead));
  for (void* lock : locks) release_process_lock(lock);
  release_process_lock(made.lock_page);
}

TEST_F(RingHome, ALinkInPlaceOfADirectoryIsNotFollowed) {
  const std::string victim = folder_ + "/victim";
  ASSERT_EQ(mkdir(victim.c_str(), 0700), 0);
  ASSERT_EQ(symlink(victim.c_str(), (runtime_ + "/honeylink").c_str()), 0);
  NewRing made;
  ASSERT_EQ(make(made), RingFileError::none) << "the next candidate serves";
  EXPECT_NE(made.directory, directory_);
  EXPECT_EQ(rmdir(victim.c_str()), 0) << "nothing was put into it";
  release_process_lock(made.lock_page);
}

TEST_F(RingHome, ALinkInPlaceOfARingIsListedAsUnreadable) {
  ASSERT_TRUE(make_private_directory(directory_, why_));
  std::ofstream(folder_ + "/victim") << "victim";
  ASSERT_EQ(symlink((folder_ + "/victim").c_str(), (directory_ + "/" + kName).c_str()), 0);
  const auto rings = list_rings(home_);
  ASSERT_EQ(rings.size(), 1U);
  EXPECT_EQ(rings[0].bytes, 0U);
}

TEST_F(RingHome, ADirectoryThatOthersMayWriteIsNotRead) {
  big_dead_ring('b', 1, 1);
  ASSERT_EQ(chmod(directory_.c_str(), 0777), 0);
  EXPECT_TRUE(list_rings(home_).empty());
  NewRing made;
  ASSERT_EQ(make(made), RingFileError::none);  // forces it to 0700
  EXPECT_EQ(list_rings(home_).size(), 1U);
  release_process_lock(made.lock_page);
}

TEST_F(RingHome, UmaskDoesNotMakeARingPublic) {
  const mode_t before = umask(0);
  NewRing made;
  ASSERT_EQ(make(made), RingFileError::none);
  umask(before);
  struct stat info {};
  ASSERT_EQ(stat(directory_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700U);
  ASSERT_EQ(fstat(made.file.get(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  release_process_lock(made.lock_page);
}

TEST_F(RingHome, OnlyForgottenHiddenFilesAreRemoved) {
  ASSERT_TRUE(make_private_directory(directory_, why_));
  const std::string fresh = directory_ + "/.new-fresh", old = directory_ + "/.new-old",
                    held = directory_ + "/.new-held";
  for (const std::string& path : {fresh, old, held}) std::ofstream(path) << "x";
  timespec long_ago[2] = {{1000, 0}, {1000, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, old.c_str(), long_ago, 0), 0);
  ASSERT_EQ(utimensat(AT_FDCWD, held.c_str(), long_ago, 0), 0);
  void* lock = hold_lock(open_file(held, O_RDWR, 0, why_));
  EXPECT_TRUE(list_rings(home_).empty());
  EXPECT_TRUE(exists(fresh));
  EXPECT_FALSE(exists(old));
  EXPECT_TRUE(exists(held));
  release_process_lock(lock);
}

TEST_F(RingHome, NamesThatAreNoRingsAreNeitherListedNorUnlinked) {
  ASSERT_TRUE(make_private_directory(directory_, why_));
  for (const char* name : {"x.ring",
                           "A0010203040506070809"
                           "0a0b0c0d0e0f.ring",
                           "doorbell"}) {
    std::ofstream(directory_ + "/" + name) << "x";
    EXPECT_FALSE(unlink_ring(directory_, name));
    EXPECT_TRUE(exists(directory_ + "/" + name));
  }
  EXPECT_FALSE(unlink_ring(directory_, "../" + kName));
  EXPECT_TRUE(list_rings(home_).empty());
}

// Runs `body` in a child with mounts of its own; 77: this user may not mount.
template <class Body>
int in_own_mounts(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) _exit(77);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

// In one's own mounts: /run/user/<uid> of this machine is no candidate.
bool hide_user_directories() {
  return access("/run/user", F_OK) != 0 || mount("none", "/run/user", "tmpfs", MS_RDONLY, "size=4k") == 0;
}

TEST_F(RingHome, AFullDiskIsAnErrorAndNoSignal) {
  ASSERT_EQ(mkdir(home_.c_str(), 0700), 0);
  const int answer = in_own_mounts([&] {
    if (!hide_user_directories()) return 77;
    for (const std::string& path : {runtime_, home_, std::string("/dev/shm")}) {
      if (mount("none", path.c_str(), "tmpfs", 0, path == "/dev/shm" ? "size=128k,mode=1777" : "size=128k,mode=700") !=
          0)
        return 77;
    }
    NewRing made;
    if (make(made) != RingFileError::no_space) return 1;
    if (why_.find("no space") == std::string::npos) return 2;
    if (!list_rings(home_).empty()) return 3;
    return make_unnamed_ring(kId, kRingBytesMin, made, why_) == RingFileError::no_space ? 0 : 4;
  });
  if (answer == 77) GTEST_SKIP() << "needs the right to mount";
  EXPECT_EQ(answer, 0);
}

TEST_F(RingHome, WithoutProcARingIsMadeUnderAHiddenName) {
  const int answer = in_own_mounts([&] {
    if (mount("none", "/proc", "tmpfs", 0, "size=4k") != 0) return 77;
    NewRing made;
    if (make(made) != RingFileError::none) return 1;
    if (made.name != ".new-" + kName.substr(0, 32) || !is_locked(made.file.get())) return 2;
    if (!list_rings(home_).empty()) return 3;
    if (!publish_ring(home_, kId, made, why_)) return 4;
    const auto rings = list_rings(home_);
    if (rings.size() != 1 || !rings[0].alive || rings[0].name != kName) return 5;
    return exists(directory_ + "/.new-" + kName.substr(0, 32)) ? 6 : 0;
  });
  if (answer == 77) GTEST_SKIP() << "needs the right to mount";
  EXPECT_EQ(answer, 0);
}

TEST_F(RingHome, NoDirectoryAtAllIsSaid) {
  std::ofstream(folder_ + "/file") << "x";
  const int answer = in_own_mounts([&] {
    if (!hide_user_directories() || mount("none", "/dev/shm", "tmpfs", MS_RDONLY, "size=4k") != 0) return 77;
    setenv("XDG_RUNTIME_DIR", (folder_ + "/missing").c_str(), 1);
    NewRing made;
    const RingFileError error = make_ring(folder_ + "/file", kId, kRingBytesMin, made, unlinked_, why_);
    return error == RingFileError::no_directory && !why_.empty() ? 0 : 1;
  });
  if (answer == 77) GTEST_SKIP() << "needs the right to mount";
  EXPECT_EQ(answer, 0);
}

}  // namespace
}  // namespace honeylink::telemetry::ring
