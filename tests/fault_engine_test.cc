// The engine in bad company, as processes: stopped while an application records at full speed (F20), a million label
// sets (F47), and every reading command without a single network socket (I-5). The balance is read from the tool
// afterwards (F44).
#include <poll.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <string>

#include "cli_support.h"
#include "honeylink/telemetry.h"

namespace honeylink::telemetry::test {
namespace {

constinit Counter calls{"fault.calls", "1"};

class FaultEngine : public CliTest {
 protected:
  static bool eventually(const std::function<bool()>& right) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!right()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      ::poll(nullptr, 0, 50);
    }
    return true;
  }
  nlohmann::json status() { return honeytel({"status", "--json"}).json(); }
  pid_t agent() {
    const pid_t pid = in_background({"agent"});
    EXPECT_TRUE(eventually([&] { return status()["engine"]["pid"] == pid; }));
    return pid;
  }
  /// Runs `application` in a child that has started recording into the home; its exit code.
  int run(const std::function<int()>& application) {
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(120);
      ::_exit(start({.resource = {.service_name = "application"}, .home = home_, .sampler = Sampler::always_on()}).ok()
                  ? application()
                  : 99);
    }
    int ended = 0;
    ::waitpid(child, &ended, 0);
    return WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
  }
  static std::uint64_t dropped(const nlohmann::json& signal) {
    std::uint64_t sum = 0;
    for (const auto& [reason, n] : signal["dropped"].items()) sum += n.get<std::uint64_t>();
    return sum;
  }
  static void expect_balance(const nlohmann::json& ledger) {
    for (const auto& [name, signal] : ledger.items()) {
      EXPECT_EQ(signal["accepted"].get<std::uint64_t>() + signal["retro_kept"].get<std::uint64_t>(),
                signal["stored"].get<std::uint64_t>() + dropped(signal) + signal["in_ring"].get<std::uint64_t>())
          << name << ": " << signal;
      EXPECT_EQ(signal["error"], 0) << name;
    }
  }
};

TEST_F(FaultEngine, StoppedWhileAnApplicationRecordsDropsTheOldestAndCountsThem) {
  constexpr std::uint64_t kSpans = 400'000;  // some 40 MB: four times what the ring holds
  const pid_t pid = agent();
  ::kill(pid, SIGSTOP);
  ASSERT_EQ(run([] {
              for (std::uint64_t i = 0; i < kSpans; ++i) const auto span = scoped_span("recorded", {{"i", i}});
              return 0;
            }),
            0);
  ::kill(pid, SIGCONT);
  ASSERT_TRUE(eventually([&] { return status()["rings"].empty(); }));
  const nlohmann::json ledger = status()["ledger"];
  expect_balance(ledger);
  EXPECT_EQ(ledger["spans"]["accepted"], kSpans);
  EXPECT_GT(ledger["spans"]["dropped"]["buffer_full"], 0);
  EXPECT_GT(ledger["spans"]["stored"], 10'000);
  // The newest are the ones that were kept.
  const Said newest =
      honeytel({"sql", "SELECT max(start_unix_nano), count(*) FROM spans WHERE service = 'application'", "--json"});
  EXPECT_EQ(newest.json()["rows"][0]["count(*)"], ledger["spans"]["stored"]) << newest.out << newest.err;
}

TEST_F(FaultEngine, AMillionLabelSetsAreTwoThousandSeriesAndOneForTheRest) {
  agent();
  const char* sets = std::getenv("HONEYLINK_TEST_LONG");
  const int label_sets = sets != nullptr ? 1'000'000 : 100'000;
  ASSERT_EQ(run([=] {
              for (int i = 0; i < label_sets; ++i) calls.add(1, {{"user", i}});
              // 6 MB of growth for the thread and 10.5 MB of ring are promised; the rest is the test program itself.
              return flush(std::chrono::seconds(20)).ok() ? 0 : 1;
            }),
            0);
  ASSERT_TRUE(eventually([&] { return status()["rings"].empty(); }));
  expect_balance(status()["ledger"]);
  const Said said = honeytel(
      {"sql", "SELECT count(DISTINCT labels) AS sets, sum(value) AS total FROM points WHERE metric = 'fault.calls'",
       "--json"});
  const nlohmann::json row = said.json()["rows"][0];
  EXPECT_EQ(row["sets"], 2'001) << said.out << said.err;
  EXPECT_EQ(row["total"], label_sets);
}

TEST_F(FaultEngine, NoCommandAndNoRecorderOpensANetworkSocket) {
  if (::access("/usr/bin/strace", X_OK) != 0) GTEST_SKIP() << "needs Debian's strace";
  agent();
  ASSERT_EQ(run([] {
              log_info("said");
              const auto span = scoped_span("done");
              return 0;
            }),
            0);
  const std::string trace = home_ + "/strace";
  const std::string commands[] = {"status",
                                  "metrics",
                                  "traces",
                                  "logs",
                                  "doctor",
                                  "last-words",
                                  "health --window 5m --max-loss 0.5",
                                  "config show",
                                  "sql 'SELECT 1'",
                                  "record counter a 1",
                                  "run -- /bin/true",
                                  "consent status",
                                  "consent grant --endpoint http://127.0.0.1:9 --signals metrics,alerts --yes",
                                  "consent revoke",
                                  "audit show",
                                  "audit verify",
                                  "audit anchor"};
  for (const std::string& command : commands) {
    const std::string line = "HONEYLINK_HOME=" + home_ + " strace -f -e trace=socket,connect,sendto -o " + trace + " " +
                             HONEYTEL_PATH + " " + command + " >/dev/null 2>&1";
    (void)!std::system(line.c_str());
    std::ifstream in(trace);
    const std::string seen{std::istreambuf_iterator<char>(in), {}};
    EXPECT_EQ(seen.find("AF_INET"), std::string::npos) << command << ": " << seen;
    EXPECT_NE(seen.find("exited with"), std::string::npos) << command << " was not traced: " << seen;
  }
}

}  // namespace
}  // namespace honeylink::telemetry::test
