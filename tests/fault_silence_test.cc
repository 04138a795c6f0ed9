// F12, I-5: without consent every command, the engine and a recorder work as they should in three worlds: one in which
// the first network socket is death (seccomp), one in which every call that has to do with networks is written down
// (strace), and a network namespace whose kernel counts every packet. 5 s each; HONEYLINK_TEST_LONG=1: ten minutes.
#include <chrono>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "cli_support.h"

namespace honeylink::telemetry::test {
namespace {

constexpr int kKilledBySeccomp = 128 + SIGSYS;
using Words = std::vector<std::string>;

/// What each command is called with. A new one belongs here, or below with the reason why it may open a socket.
const std::map<std::string, std::vector<Words>> kCalls{
    {"status", {{"--json"}, {}}},
    {"metrics", {{}, {"silence.calls"}}},
    {"traces", {{"--limit", "5"}, {"--errors"}}},
    {"logs", {{"--limit", "5"}}},
    {"sql", {{"'SELECT count(*) FROM spans'"}}},
    {"record", {{"counter", "silence.calls", "1"}, {"log", "said", "--level", "info"}}},
    {"run", {{"--", "/bin/true"}}},
    {"health", {{"--window", "5m", "--max-loss", "0.5"}}},
    {"doctor", {{}}},
    {"last-words", {{}}},
    {"consent", {{"status"}, {"test"}, {"revoke"}, {"test", "http://127.0.0.1:9"}}},
    {"audit", {{"show"}, {"verify"}, {"anchor"}}},
    {"config", {{"show"}, {"check"}, {"path"}}},
    {"db", {{"stats"}, {"check"}}},
    {"bundle", {{"--since", "10m", "-o", "BUNDLE"}}},
    {"forget", {{"--before", "300d", "--yes"}}},
    {"completion", {{"bash"}}},
    {"sli", {{}, {"--json"}}},
    {"alerts", {{}, {"--json"}}},
    {"bench", {{"--events", "2000"}}},
    {"top", {{}}},
};
const std::set<std::string> kSpeaking{
    "view",   // listens on the loopback address while it runs
    "demo",   // the example application's link between two processes
    "agent",  // in the background of each of these worlds, all the while
};
/// What a command may answer here: yes, no, nothing found, an engine writes here, nothing granted.
const std::set<int> kOrderly{0, 1, 6, 7, 8};

class FaultSilence : public CliTest {
 protected:
  using Check = std::function<void(const std::string& command, const Said& said)>;

  static std::string launcher() { return std::string(HONEYLINK_PROGRAMS_DIR) + "/no_network"; }
  static bool is_long() { return std::getenv("HONEYLINK_TEST_LONG") != nullptr; }
  bool has_seccomp() { return run(launcher().c_str(), {"no_network", "/bin/true"}).exit == 0; }
  /// A line of the shell behind the world's door.
  Said shell(const std::string& line) { return run("/bin/sh", {"sh", "-c", line}, {"TERM=xterm"}); }

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

  /// Something to tell everybody: an Alertmanager that is configured, and a service level that is missed by far.
  void configure() const {
    std::ofstream(home_ + "/config.toml") << "[alert]\nalertmanager = \"http://127.0.0.1:9\"\ntoast = false\n";
  }
  void miss_a_service_level(const std::string& door) {
    for (int i = 0; i < 25; ++i)
      ASSERT_EQ(
          shell(door + HONEYTEL_PATH + " record histogram session_establishment_duration_seconds 2.5 --unit s").exit,
          0);
  }
  std::string line_of(const std::string& door, const std::string& command, const Words& arguments) const {
    // top on a terminal of its own, and somebody who ends it.
    const std::string ended = command == "top" ? "/usr/bin/timeout --foreground -s INT 1 " : "";
    std::string line = door + ended + HONEYTEL_PATH + " " + command;
    for (const std::string& word : arguments)
      line += " " + (word == "BUNDLE" ? home_ + "/bundle" + std::to_string(calls_) + ".db" : word);
    return command == "top" ? "script -qec '" + line + "' /dev/null" : line;
  }
  /// All of them, again and again, each behind `door` ("" or a program's name and options, with a space at the end).
  void exercise(const std::string& door, const Check& check) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(is_long() ? 600 : 5);
    do {
      for (const auto& [command, ways] : kCalls) {
        for (const Words& arguments : ways) {
          const std::string line = line_of(door, command, arguments);
          const Said said = shell(line);
          ++calls_;
          const bool orderly = command == "top" ? said.exit == 130 || said.exit == 124 : kOrderly.contains(said.exit);
          ASSERT_TRUE(orderly) << line << ": " << said.exit << " " << said.err << said.out;
          check(line, said);
          if (HasFailure()) return;
        }
      }
      if (is_long()) ::sleep(5);
    } while (std::chrono::steady_clock::now() < until);
    RecordProperty("calls", static_cast<int>(calls_));
  }
  void grant() {
    ASSERT_EQ(honeytel({"consent", "grant", "--endpoint", "http://127.0.0.1:9", "--signals", "alerts", "--yes"}).exit,
              0);
  }
  std::size_t calls_ = 0;
};

TEST_F(FaultSilence, EveryCommandIsCalled) {
  for (const std::string& command : commands())
    EXPECT_TRUE(kCalls.contains(command) != kSpeaking.contains(command))
        << command << " is new: add it to kCalls, or to kSpeaking with a reason";
  EXPECT_GT(commands().size(), 15U);
}

// ---- seccomp: the first socket is death

TEST_F(FaultSilence, WithConsentSeccompWouldKill) {
  if (!has_seccomp()) GTEST_SKIP() << "needs a kernel with seccomp filters";
  grant();
  EXPECT_EQ(shell(launcher() + " " + HONEYTEL_PATH + " consent test").exit, kKilledBySeccomp);
}

TEST_F(FaultSilence, WithoutConsentNobodyOpensASocket) {
  if (!has_seccomp()) GTEST_SKIP() << "needs a kernel with seccomp filters";
  configure();
  const pid_t engine = program_in_background(launcher(), {HONEYTEL_PATH, "agent"});
  const std::string door = launcher() + " ";
  miss_a_service_level(door);
  exercise(door, [](const std::string&, const Said&) {});
  ASSERT_EQ(::waitpid(engine, nullptr, WNOHANG), 0) << "the engine is alive";
  EXPECT_EQ(end(engine, SIGTERM), 0) << "and ends in order";
  EXPECT_EQ(shell(line_of(door, "forget", {"--before", "300d", "--yes"})).exit, 0) << "which no engine hinders";
  // Not beside the engine, which would send what it may.
  const Words grant{"grant", "--endpoint", "http://127.0.0.1:9", "--signals", "metrics", "--yes"};
  EXPECT_EQ(shell(line_of(door, "consent", grant)).exit, 0);
  EXPECT_EQ(shell(line_of(door, "consent", {"revoke"})).exit, 0);
}

// ---- strace: every call is written down

class FaultSilenceTraced : public FaultSilence {
 protected:
  void SetUp() override {
    FaultSilence::SetUp();
    if (::access("/usr/bin/strace", X_OK) != 0 ||
        run("/usr/bin/strace", {"strace", "-o", "/dev/null", "/bin/true"}).exit != 0)
      GTEST_SKIP() << "needs Debian's strace and leave to trace";
  }
  [[nodiscard]] std::string trace(const std::string& of) const { return home_ + "/" + of + ".strace"; }
  [[nodiscard]] std::string door(const std::string& of) const {
    return "/usr/bin/strace -f -e trace=network -o " + trace(of) + " ";
  }
  static std::string read(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

TEST_F(FaultSilenceTraced, WithConsentASocketIsSeen) {
  grant();
  EXPECT_EQ(shell(door("test") + HONEYTEL_PATH + " consent test").exit, 1);
  EXPECT_NE(read(trace("test")).find("socket(AF_INET,"), std::string::npos) << read(trace("test"));
}

TEST_F(FaultSilenceTraced, WithoutConsentNoCallNamesANetwork) {
  configure();
  // strace ends when what it traces ends, and passes SIGTERM on to nobody: the engine's own number is in its trace.
  const pid_t tracer = program_in_background(
      "/usr/bin/strace", {"-f", "-e", "trace=network", "-o", trace("engine"), HONEYTEL_PATH, "agent"});
  miss_a_service_level({});
  exercise(door("command"), [&](const std::string& line, const Said&) {
    const std::string seen = read(trace("command"));
    EXPECT_EQ(seen.find("AF_INET"), std::string::npos) << line << ": " << seen;
    EXPECT_NE(seen.find("exited with"), std::string::npos) << line << " was not traced: " << seen;
  });
  ASSERT_EQ(::waitpid(tracer, nullptr, WNOHANG), 0) << "the engine is alive";
  const auto status = honeytel({"status", "--json"}).json();
  const pid_t engine = status["engine"]["pid"];
  ASSERT_GT(engine, 1);
  ASSERT_EQ(::kill(engine, SIGTERM), 0);
  EXPECT_EQ(end(tracer, 0), 0);
  const std::string seen = read(trace("engine"));
  EXPECT_EQ(seen.find("AF_INET"), std::string::npos) << seen;
  EXPECT_NE(seen.find("exited with 0"), std::string::npos) << seen;
}

// ---- a network namespace: the kernel counts

class FaultSilenceCounted : public FaultSilence {
 protected:
  void SetUp() override {
    FaultSilence::SetUp();
    if (::geteuid() != 0 || run("/usr/bin/unshare", {"unshare", "-n", "/bin/true"}).exit != 0)
      GTEST_SKIP() << "needs root and network namespaces (unshare -n)";
  }
  /// An engine in a namespace of its own, with a loopback device; the others come in by door().
  void open_namespace() {
    engine_ = program_in_background("/usr/bin/unshare", {"-n", HONEYTEL_PATH, "agent"});
    for (int i = 0; i < 100 && shell(door() + HONEYTEL_PATH + " status").exit != 0; ++i) ::poll(nullptr, 0, 20);
    const std::string up = "ip link set lo up && echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; ip link show lo";
    const Said said =
        shell("PATH=/usr/sbin:/sbin:$PATH; nsenter -n -t " + std::to_string(engine_) + " sh -c '" + up + "'");
    ASSERT_NE(said.out.find("UP"), std::string::npos) << said.out << said.err;
  }
  [[nodiscard]] std::string door() const { return "/usr/bin/nsenter -n -t " + std::to_string(engine_) + " "; }
  /// Whatever was sent, received, tried or refused for want of a way. (sockstat counts other namespaces too.)
  std::string counted() const {
    std::string all;
    for (const char* file : {"dev", "snmp"}) {
      std::ifstream in("/proc/" + std::to_string(engine_) + "/net/" + file);
      for (std::string line; std::getline(in, line);) all += line + "\n";
    }
    return all;
  }
  pid_t engine_ = -1;
};

TEST_F(FaultSilenceCounted, WithConsentOnePacketIsCounted) {
  open_namespace();
  grant();
  const std::string before = counted();
  EXPECT_EQ(shell(door() + HONEYTEL_PATH + " consent test").exit, 1);
  EXPECT_NE(counted(), before) << "a try to connect is counted";
}

TEST_F(FaultSilenceCounted, WithoutConsentNotOnePacketIsCounted) {
  configure();
  open_namespace();
  const std::string before = counted();
  ASSERT_NE(before.find("lo:"), std::string::npos) << before;
  miss_a_service_level(door());
  exercise(door(), [](const std::string&, const Said&) {});
  EXPECT_EQ(counted(), before);
  ASSERT_EQ(::waitpid(engine_, nullptr, WNOHANG), 0) << "the engine is alive";
  EXPECT_EQ(end(engine_, SIGTERM), 0) << "and ends in order";
}

}  // namespace
}  // namespace honeylink::telemetry::test
