// A disk that fills up under a whole engine and is freed again (F05), and one that is full before anything starts
// (F04): the application goes on, what was committed stays, recording heals unaided, the balance is exact. Needs the
// right to mount a small tmpfs.
#include <poll.h>
#include <sys/mount.h>

#include <chrono>
#include <fstream>
#include <functional>

#include "cli_support.h"
#include "honeylink/telemetry.h"

namespace honeylink::telemetry::test {
namespace {

constinit Counter calls{"disk.calls", "1"};

class FaultDisk : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    if (::mount("tmpfs", home_.c_str(), "tmpfs", 0, "size=24m,mode=0700") != 0)
      GTEST_SKIP() << "needs the right to mount a tmpfs";
  }
  void TearDown() override {
    const std::string home = home_;
    CliTest::TearDown();
    ::umount2(home.c_str(), MNT_DETACH);
    ::rmdir(home.c_str());
  }
  static bool eventually(const std::function<bool()>& right) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!right()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      ::poll(nullptr, 0, 100);
    }
    return true;
  }
  nlohmann::json status() { return honeytel({"status", "--json"}).json(); }
  pid_t agent() {
    const pid_t pid = in_background({"agent"});
    EXPECT_TRUE(eventually([&] { return status()["engine"]["pid"] == pid; }));
    return pid;
  }
  /// An application that records `n` spans, logs and counts; its exit code.
  int record(int n, bool flushed) {
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(120);
      (void)start({.resource = {.service_name = "application"}, .home = home_, .sampler = Sampler::always_on()});
      for (int i = 0; i < n; ++i) {
        const auto span = scoped_span("recorded", {{"i", i}});
        log_info("recorded", {{"i", i}});
        calls.add(1);
      }
      ::_exit(!flushed || flush(std::chrono::seconds(60)).ok() ? 0 : 1);
    }
    int ended = 0;
    ::waitpid(child, &ended, 0);
    return WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
  }
  void fill() const {
    std::ofstream file(home_ + "/filler", std::ios::binary);
    const std::string block(64 * 1024, 'x'), byte(1, 'x');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {}
    file.clear();
    for (int i = 0; i < 64 * 1024 && file.write(byte.data(), 1).flush(); ++i) {}
  }
  static std::uint64_t dropped(const nlohmann::json& signal) {
    std::uint64_t sum = 0;
    for (const auto& [reason, n] : signal["dropped"].items()) sum += n.get<std::uint64_t>();
    return sum;
  }
  /// Everything has left the rings; what was accepted is stored or counted.
  void expect_healed(std::uint64_t spans_accepted) {
    ASSERT_TRUE(eventually([&] { return status()["rings"].empty(); })) << status().dump(1);
    const nlohmann::json ledger = status()["ledger"];
    for (const auto& [name, signal] : ledger.items()) {
      EXPECT_EQ(signal["accepted"].get<std::uint64_t>() + signal["retro_kept"].get<std::uint64_t>(),
                signal["stored"].get<std::uint64_t>() + dropped(signal))
          << name << ": " << signal;
      EXPECT_EQ(signal["error"], 0) << name;
    }
    EXPECT_EQ(ledger["spans"]["accepted"], spans_accepted);
    if (std::system("command -v sqlite3 >/dev/null") != 0) return;
    for (const char* store : {"metrics.db", "traces.db"}) {
      const std::string line = "sqlite3 " + home_ + "/metrics/" + store + " 'PRAGMA integrity_check' | grep -qx ok";
      EXPECT_EQ(std::system(line.c_str()), 0) << store;
    }
  }
};

TEST_F(FaultDisk, FullMidRunThenFreedHealsUnaidedAndKeepsTheBalance) {
  agent();
  ASSERT_EQ(record(500, true), 0);
  const std::uint64_t before = status()["ledger"]["spans"]["stored"];
  EXPECT_EQ(before, 500U);
  fill();
  ASSERT_EQ(record(500, false), 0) << "the application must not notice";
  ASSERT_EQ(record(500, false), 0);
  EXPECT_GE(status()["ledger"]["spans"]["stored"].get<std::uint64_t>(), before);
  std::filesystem::remove(home_ + "/filler");
  expect_healed(1'500);
  ASSERT_EQ(record(100, true), 0) << "what is recorded after it is stored as ever";
  const Said said = honeytel({"sql", "SELECT count(*) AS n FROM spans WHERE name = 'recorded'", "--json"});
  EXPECT_EQ(said.json()["rows"][0]["n"].get<std::uint64_t>(),
            status()["ledger"]["spans"]["stored"].get<std::uint64_t>());
}

TEST_F(FaultDisk, FullBeforeTheStartIsSaidAndHealsOnceThereIsRoom) {
  fill();
  EXPECT_EQ(record(200, false), 0) << "no signal, no exit";
  const pid_t pid = in_background({"agent"}, "/dev/null");
  EXPECT_EQ(record(200, false), 0);
  const Said looked = honeytel({"status"});
  EXPECT_LT(looked.exit, 128) << looked.err;
  std::filesystem::remove(home_ + "/filler");
  // The agent may have ended, having said that it cannot use the home; then a service manager starts the next one.
  siginfo_t info{};
  const bool has_ended =
      ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
  if (has_ended) {
    EXPECT_EQ(end(pid, SIGTERM), 3);
    agent();
  }
  ASSERT_EQ(record(200, true), 0);
  ASSERT_TRUE(eventually([&] { return status()["rings"].empty(); })) << status().dump(1);
  EXPECT_GE(status()["ledger"]["spans"]["stored"].get<std::uint64_t>(), 200U);
}

}  // namespace
}  // namespace honeylink::telemetry::test
