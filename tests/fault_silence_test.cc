// F12, I-5: without consent every command, the engine and a recorder run as they should in a world in which the first
// network socket is death (seccomp), and in a network namespace whose only device counts every packet. 5 s;
// HONEYLINK_TEST_LONG=1: ten minutes.
#include <chrono>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "cli_support.h"

namespace honeylink::telemetry::test {
namespace {

constexpr int kKilledBySeccomp = 128 + SIGSYS;

class FaultSilence : public CliTest {
 protected:
  static std::string launcher() { return std::string(HONEYLINK_PROGRAMS_DIR) + "/no_network"; }
  static std::chrono::seconds how_long() {
    return std::chrono::seconds(std::getenv("HONEYLINK_TEST_LONG") != nullptr ? 600 : 5);
  }
  Said silently(std::vector<std::string> words) {
    words.insert(words.begin(), {"no_network", HONEYTEL_PATH});
    return run(launcher().c_str(), words);
  }
  bool has_seccomp() { return run(launcher().c_str(), {"no_network", "/bin/true"}).exit == 0; }
  std::set<std::string> commands() {
    std::istringstream help(honeytel({"--help"}).out);
    std::set<std::string> found;
    bool inside = false;
    for (std::string line; std::getline(help, line);) {
      if (inside && line.empty()) break;
      if (inside) found.insert(line.substr(2, line.find(' ', 2) - 2));
      inside = inside || line == "Commands";
    }
    return found;
  }
};

/// What each command is called with. A new one belongs here, or below with the reason why it may open a socket.
const std::map<std::string, std::vector<std::vector<std::string>>> kCalls{
    {"status", {{"--json"}, {}}},
    {"metrics", {{}, {"silence.calls"}}},
    {"traces", {{"--limit", "5"}, {"--errors"}}},
    {"logs", {{"--limit", "5"}}},
    {"sql", {{"SELECT count(*) FROM spans"}}},
    {"record", {{"counter", "silence.calls", "1"}, {"log", "said", "--level", "info"}}},
    {"run", {{"--", "/bin/true"}}},
    {"health", {{"--window", "5m", "--max-loss", "0.5"}}},
    {"doctor", {{}}},
    {"last-words", {{}}},
    {"consent",
     {{"status"}, {"grant", "--endpoint", "http://127.0.0.1:9", "--signals", "metrics"}, {"test"}, {"revoke"}}},
    {"audit", {{"show"}, {"verify"}, {"anchor"}}},
    {"config", {{"show"}, {"check"}, {"path"}}},
    {"db", {{"stats"}, {"check"}}},
    {"bundle", {{"--since", "10m", "-o", "BUNDLE"}}},
    {"forget", {{"--before", "300d", "--yes"}}},
    {"completion", {{"bash"}}},
    {"manual", {{}}},
    {"sli", {{}, {"--json"}}},
    {"alerts", {{}, {"--json"}}},
    {"top", {{}}},
};
const std::set<std::string> kSpeaking{
    "view",   // listens on the loopback address while it runs
    "demo",   // the example application's link between two processes
    "agent",  // in the background of this test
    "bench",  // runs for long; its recorders and engine are those that run here
};

TEST_F(FaultSilence, ThisTestWouldSeeASocket) {
  if (!has_seccomp()) GTEST_SKIP() << "needs a kernel with seccomp filters";
  ASSERT_EQ(honeytel({"consent", "grant", "--endpoint", "http://127.0.0.1:9", "--signals", "alerts", "--yes"}).exit, 0);
  EXPECT_EQ(silently({"consent", "test"}).exit, kKilledBySeccomp)
      << "with consent a socket is opened, here it is death";
}

TEST_F(FaultSilence, EveryCommandIsCalled) {
  for (const std::string& command : commands())
    EXPECT_TRUE(kCalls.contains(command) != kSpeaking.contains(command))
        << command << " is new: add it to kCalls, or to kSpeaking with a reason";
  EXPECT_GT(commands().size(), 15U);
}

TEST_F(FaultSilence, WithoutConsentNobodyOpensASocket) {
  if (!has_seccomp()) GTEST_SKIP() << "needs a kernel with seccomp filters";
  // An engine that is told of an Alertmanager, and a service level that is missed by far: there is something to send.
  std::ofstream(home_ + "/config.toml") << "[alert]\nalertmanager = \"http://127.0.0.1:9\"\ntoast = false\n";
  const pid_t engine = ::fork();
  if (engine == 0) {
    ::setenv("HONEYLINK_HOME", home_.c_str(), 1);
    const int nowhere = ::open("/dev/null", O_RDWR);
    ::dup2(nowhere, 1), ::dup2(nowhere, 2);
    ::execl(launcher().c_str(), "no_network", HONEYTEL_PATH, "agent", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  for (int i = 0; i < 25; ++i)
    ASSERT_EQ(silently({"record", "histogram", "session_establishment_duration_seconds", "2.5"}).exit, 0);
  const auto until = std::chrono::steady_clock::now() + how_long();
  std::size_t calls = 0;
  do {
    for (const auto& [command, ways] : kCalls) {
      for (std::vector<std::string> words : ways) {
        words.insert(words.begin(), command);
        for (std::string& word : words)
          if (word == "BUNDLE") word = home_ + "/bundle" + std::to_string(calls) + ".db";
        const Said said = silently(words);
        ASSERT_NE(said.exit, kKilledBySeccomp) << command << ": " << said.err;
        ASSERT_LT(said.exit, 127) << command << ": " << said.err;
        ++calls;
      }
    }
  } while (std::chrono::steady_clock::now() < until);
  int status = 0;
  ASSERT_EQ(::waitpid(engine, &status, WNOHANG), 0) << "the engine is alive";
  ::kill(engine, SIGTERM);
  ::waitpid(engine, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "and ends in order";
  RecordProperty("calls", static_cast<int>(calls));
}

TEST_F(FaultSilence, InANamespaceOfItsOwnNotOnePacketIsCounted) {
  if (::geteuid() != 0 || std::system("unshare -n true 2>/dev/null") != 0)
    GTEST_SKIP() << "needs root and network namespaces (unshare -n)";
  const std::string script =
      "ip link set lo up 2>/dev/null; " + std::string(HONEYTEL_PATH) +
      " agent & engine=$!; sleep 1; for i in 1 2 3; do for c in "
      "'status' 'record counter silence.calls 1' 'traces' 'logs' 'doctor' 'consent status' 'consent test' 'audit "
      "verify'; do " +
      HONEYTEL_PATH +
      " $c >/dev/null 2>&1; done; done; kill $engine; wait $engine; grep -v -e Inter -e face /proc/net/dev; "
      "cat /proc/net/sockstat | grep -E '^(TCP|UDP):'";
  const std::string command =
      "HONEYLINK_HOME=" + home_ + " unshare -n sh -c \"" + script + "\" > " + home_ + "/counted 2>/dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0);
  std::ifstream in(home_ + "/counted");
  std::size_t devices = 0;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    if (name == "TCP:" || name == "UDP:") {
      EXPECT_NE(line.find("inuse 0"), std::string::npos) << line;
      continue;
    }
    std::uint64_t bytes = 0, packets = 0;
    words >> bytes >> packets;
    EXPECT_EQ(packets, 0U) << line;
    ++devices;
  }
  EXPECT_GE(devices, 1U) << "the loopback device was there to count";
}

}  // namespace
}  // namespace honeylink::telemetry::test
