// Files by descriptor: links are not followed, directories are private, content is replaced whole, locks last as long
// as they should.
#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>

#include "base/clock.h"

namespace honeylink::telemetry {
namespace {

class Files : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "honeylink-files.XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { EXPECT_EQ(system(("rm -rf " + folder_).c_str()), 0); }
  [[nodiscard]] std::string at(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] mode_t mode_of(const std::string& name) const {
    struct stat info {};
    EXPECT_EQ(stat(at(name).c_str(), &info), 0);
    return info.st_mode & 07777;
  }
  void put(const std::string& name, const std::string& content) { std::ofstream(at(name)) << content; }
  std::string folder_, why_;
};

TEST_F(Files, DirectoriesAreMadeAndPrivateWhateverTheUmask) {
  const mode_t before = umask(0);
  EXPECT_TRUE(make_private_directory(at("a/b/c"), why_)) << why_;
  umask(before);
  for (const char* name : {"a", "a/b", "a/b/c"}) EXPECT_EQ(mode_of(name), 0700U) << name;
  chmod(at("a/b/c").c_str(), 0777);
  EXPECT_TRUE(make_private_directory(at("a/b/c"), why_));
  EXPECT_EQ(mode_of("a/b/c"), 0700U);
  EXPECT_TRUE(why_.empty());
}
TEST_F(Files, ALinkOrAFileIsNoDirectory) {
  put("file", "x");
  ASSERT_EQ(symlink(folder_.c_str(), at("link").c_str()), 0);
  EXPECT_FALSE(make_private_directory(at("file"), why_));
  EXPECT_FALSE(make_private_directory(at("link"), why_));
  EXPECT_NE(why_.find("symbolic link"), std::string::npos) << why_;
  EXPECT_FALSE(make_private_directory(at("file/below"), why_));
  EXPECT_FALSE(make_private_directory("", why_));
}
TEST_F(Files, ADirectoryOfAnotherUserIsRefused) {
  ASSERT_EQ(mkdir(at("theirs").c_str(), 0777), 0);
  if (chown(at("theirs").c_str(), 12345, 12345) != 0) GTEST_SKIP() << "only root can give a directory away";
  EXPECT_FALSE(make_private_directory(at("theirs"), why_));
  EXPECT_NE(why_.find("another user"), std::string::npos) << why_;
}
TEST_F(Files, LinksFifosAndDirectoriesAreNotOpened) {
  put("victim", "x");
  ASSERT_EQ(symlink(at("victim").c_str(), at("link").c_str()), 0);
  ASSERT_EQ(mkfifo(at("fifo").c_str(), 0600), 0);
  EXPECT_FALSE(open_file(at("link"), O_RDWR, 0600, why_));
  EXPECT_NE(why_.find("symbolic link"), std::string::npos) << why_;
  EXPECT_FALSE(open_file(at("fifo"), O_RDONLY, 0600, why_)) << "and does not hang";
  EXPECT_FALSE(open_file(folder_, O_RDONLY, 0600, why_));
  EXPECT_FALSE(open_file(at("missing"), O_RDONLY, 0600, why_));
  EXPECT_EQ(errno, ENOENT);
  EXPECT_TRUE(open_file(at("victim"), O_RDONLY, 0600, why_));
  EXPECT_TRUE(why_.empty());
}
TEST_F(Files, ReadingBehindTheEndIsAnErrorNotZeros) {
  put("file", "12345");
  const Fd file = open_file(at("file"), O_RDWR, 0, why_);
  char bytes[8] = {};
  EXPECT_TRUE(read_exactly(file.get(), bytes, 5, 0));
  EXPECT_FALSE(read_exactly(file.get(), bytes, 6, 0));
  EXPECT_EQ(errno, ENODATA);
  EXPECT_TRUE(read_exactly(file.get(), bytes, 0, 99));
  EXPECT_TRUE(write_exactly(file.get(), "ab", 2, 3));
  EXPECT_TRUE(read_exactly(file.get(), bytes, 5, 0));
  EXPECT_EQ(std::string_view(bytes, 5), "123ab");
  EXPECT_FALSE(read_exactly(-1, bytes, 1, 0));
  EXPECT_FALSE(write_exactly(-1, bytes, 1, 0));
}
TEST_F(Files, AFileIsReadWholeUpToItsBound) {
  put("file", std::string(10'000, 'x'));
  std::string content;
  EXPECT_TRUE(read_whole(at("file"), 10'000, content, why_));
  EXPECT_EQ(content.size(), 10'000U);
  EXPECT_FALSE(read_whole(at("file"), 9'999, content, why_));
  EXPECT_NE(why_.find("larger"), std::string::npos) << why_;
  put("empty", "");
  EXPECT_TRUE(read_whole(at("empty"), 10, content, why_));
  EXPECT_TRUE(content.empty());
  EXPECT_TRUE(read_whole("/proc/self/stat", 4096, content, why_)) << "a file that says it has 0 bytes";
  EXPECT_FALSE(content.empty());
}
TEST_F(Files, AReplacedFileIsOldOrNewAndNeverALink) {
  ASSERT_TRUE(replace_file(at("file"), "old", 0600, why_)) << why_;
  ASSERT_TRUE(replace_file(at("file"), "new content", 0644, why_)) << why_;
  std::string content;
  ASSERT_TRUE(read_whole(at("file"), 100, content, why_));
  EXPECT_EQ(content, "new content");
  EXPECT_EQ(mode_of("file"), 0644U);
  put("victim", "victim");
  ASSERT_EQ(symlink(at("victim").c_str(), at("link").c_str()), 0);
  ASSERT_TRUE(replace_file(at("link"), "mine", 0600, why_));
  ASSERT_TRUE(read_whole(at("victim"), 100, content, why_));
  EXPECT_EQ(content, "victim");
  EXPECT_FALSE(replace_file(at("missing/file"), "x", 0600, why_));
  EXPECT_EQ(access(at("file.new-" + std::to_string(getpid())).c_str(), F_OK), -1) << "nothing is left beside";
}
TEST_F(Files, ALockIsHeldAgainstEverybodyElse) {
  put("lock", "");
  const Fd one = open_file(at("lock"), O_RDWR, 0, why_), two = open_file(at("lock"), O_RDWR, 0, why_);
  EXPECT_FALSE(is_locked(two.get()));
  EXPECT_TRUE(try_lock(one.get()));
  EXPECT_TRUE(try_lock(one.get())) << "its holder may ask again";
  EXPECT_FALSE(try_lock(two.get()));
  EXPECT_TRUE(is_locked(two.get()));
}
TEST_F(Files, AProcessLockOutlivesItsDescriptorAndNotItsMapping) {
  void* page = lock_for_process_life(AT_FDCWD, at("engine.lock"));
  ASSERT_NE(page, nullptr);
  EXPECT_EQ(lock_for_process_life(AT_FDCWD, at("engine.lock")), nullptr);
  const Fd look = open_file(at("engine.lock"), O_RDWR, 0, why_);
  EXPECT_TRUE(is_locked(look.get()));
  release_process_lock(page);
  EXPECT_FALSE(is_locked(look.get()));
  EXPECT_EQ(mode_of("engine.lock"), 0600U);
}
TEST_F(Files, AProcessLockEndsWithItsProcessEvenIfAChildLives) {
  int held[2], gate[2];
  ASSERT_EQ(pipe(held), 0);
  ASSERT_EQ(pipe(gate), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    close(gate[1]);
    if (lock_for_process_life(AT_FDCWD, at("lock")) == nullptr) _exit(1);
    if (fork() == 0) {  // a grandchild that lives on
      const bool told = write(held[1], "x", 1) == 1;
      char byte;
      _exit(told && read(gate[0], &byte, 1) == 0 ? 0 : 1);
    }
    pause();
  }
  close(gate[0]);
  char byte;
  ASSERT_EQ(read(held[0], &byte, 1), 1);
  const Fd look = open_file(at("lock"), O_RDWR, 0, why_);
  EXPECT_TRUE(is_locked(look.get()));
  ASSERT_EQ(kill(parent, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(waitpid(parent, &status, 0), parent);
  EXPECT_FALSE(is_locked(look.get()));
  close(gate[1]);  // lets the grandchild go
}
TEST_F(Files, ALinkInPlaceOfALockIsNotFollowed) {
  ASSERT_EQ(symlink(at("elsewhere").c_str(), at("lock").c_str()), 0);
  EXPECT_EQ(lock_for_process_life(AT_FDCWD, at("lock")), nullptr);
  EXPECT_EQ(access(at("elsewhere").c_str(), F_OK), -1);
}

TEST(Clock, TheSystemsClocksGoForward) {
  const Clock& clock = system_clock();
  const std::int64_t monotonic = clock.monotonic_ns(), boottime = clock.boottime_ns();
  EXPECT_GE(clock.monotonic_ns(), monotonic);
  EXPECT_GE(boottime, monotonic);
  EXPECT_GT(clock.realtime_ns(), 1'600'000'000'000'000'000) << "after 2020";
}
TEST(Clock, AManualClockMovesWhenToldOnly) {
  ManualClock clock(1000);
  EXPECT_EQ(clock.realtime_ns(), 1000);
  clock.advance(5);
  clock.step(-100);
  EXPECT_EQ(clock.realtime_ns(), 905);
  EXPECT_EQ(clock.monotonic_ns(), 1'000'000'005);
}

}  // namespace
}  // namespace honeylink::telemetry
