// F03, the audit log's part: the power is cut (ext4's shutdown without a flush, in a loop file) while entries are
// written. Every entry that was acknowledged is there, a torn last line is set aside at the next append, and the log
// verifies. 5 rounds; HONEYLINK_TEST_LONG=1: 100.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "audit/journal.h"
#include "audit/verify.h"
#include "base/clock.h"

namespace honeylink::telemetry::test {
namespace {

constexpr unsigned long kShutdown = 0x8004587d;  // FS_IOC_SHUTDOWN
constexpr int kWithoutFlush = 2;

bool run(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

class PowerCut : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/honeylink_power_XXXXXX";
    folder_ = ::mkdtemp(name);
    std::filesystem::create_directory(mount_point());
    if (::geteuid() != 0 || !run("truncate -s 32M " + folder_ + "/disk && mkfs.ext4 -q -F " + folder_ + "/disk") ||
        !mount())
      GTEST_SKIP() << "needs root, mkfs.ext4 and loop mounts";
  }
  void TearDown() override {
    unmount();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  [[nodiscard]] std::string mount_point() const { return folder_ + "/mounted"; }
  [[nodiscard]] std::string home() const { return mount_point() + "/home"; }
  [[nodiscard]] bool mount() const { return run("mount -o loop " + folder_ + "/disk " + mount_point()); }
  void unmount() const { run("umount " + mount_point()); }

  /// Writes entries until it is killed; each number goes into the pipe once append() has answered.
  [[noreturn]] void write_for_ever(int acknowledged) const {
    const audit::Journal journal(home(), system_clock());
    for (int n = 1;; ++n) {
      std::string why;
      audit::Journal::End end;
      const bool done =
          n % 4 == 0 ? journal.heartbeat(why, &end)
                     : journal.append("config.changed", {{"n", std::to_string(n)}}, audit::Result::ok, why, &end);
      if (!done) ::pause();  // the disk is gone
      (void)!::write(acknowledged, &end.seq, sizeof end.seq);
    }
  }
  std::string folder_;
};

TEST_F(PowerCut, LosesNoAcknowledgedEntryAndTheLogVerifies) {
  const int rounds = std::getenv("HONEYLINK_TEST_LONG") != nullptr ? 100 : 5;
  std::mt19937 random(std::random_device{}());
  std::uint64_t entries = 0;
  for (int round = 0; round < rounds; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const pid_t writer = ::fork();
    if (writer == 0) write_for_ever(ends[1]);
    ::close(ends[1]);
    ::usleep(static_cast<useconds_t>(50'000 + random() % 400'000));
    const int disk = ::open(mount_point().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int how = kWithoutFlush;
    ASSERT_EQ(::ioctl(disk, kShutdown, &how), 0);
    ::close(disk);
    ::usleep(20'000);
    ::kill(writer, SIGKILL);
    ::waitpid(writer, nullptr, 0);
    std::uint64_t acknowledged = 0, seq = 0;
    while (::read(ends[0], &seq, sizeof seq) == sizeof seq) acknowledged = seq, ++entries;
    ::close(ends[0]);
    unmount();
    ASSERT_TRUE(mount());
    const audit::Verification found = audit::verify_log(home(), {}, [](double) { return true; });
    EXPECT_GE(found.last_seq, acknowledged) << "round " << round;
    for (const audit::Finding& finding : found.findings)
      EXPECT_EQ(finding.fault, audit::Fault::unsigned_end) << "round " << round << ": " << finding.what;
    std::string why;
    ASSERT_TRUE(audit::Journal(home(), system_clock()).append("engine.start", {}, audit::Result::ok, why)) << why;
    const audit::Verification mended = audit::verify_log(home(), {}, [](double) { return true; });
    EXPECT_TRUE(mended.sound()) << "round " << round << ": "
                                << (mended.findings.empty() ? "" : mended.findings[0].what);
  }
  EXPECT_GT(entries, static_cast<std::uint64_t>(rounds)) << "the writer came to write";
}

}  // namespace
}  // namespace honeylink::telemetry::test
