// The tool with living processes: records, runs commands, is the engine, tells of the dead, measures.
#include <poll.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <thread>

#include "cli_support.h"

namespace honeylink::telemetry::test {
namespace {

class CliLive : public CliTest {
 protected:
  /// Asks again until the answer is right or ten seconds have gone.
  static bool eventually(const std::function<bool()>& right) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!right()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      ::poll(nullptr, 0, 20);
    }
    return true;
  }
  pid_t agent() {
    const pid_t pid = in_background({"agent"});
    EXPECT_TRUE(eventually([&] {
      const Said said = honeytel({"status", "--json"});
      EXPECT_EQ(said.exit, 0) << said.err;
      return said.exit == 0 && said.json()["engine"]["pid"] == pid;
    }));
    return pid;
  }
  nlohmann::json status() { return honeytel({"status", "--json"}).json(); }
  using json = nlohmann::json;
};

TEST_F(CliLive, WhatAShellRecordsIsStoredByTheNextAgent) {
  const Said said = honeytel({"record", "counter", "backup.files", "1200", "--label", "host=nas", "--unit", "{file}"});
  ASSERT_EQ(said.exit, 0) << said.err;
  EXPECT_NE(said.err.find("no engine runs"), std::string::npos);
  ASSERT_EQ(honeytel({"record", "gauge", "temperature", "-5.5"}).exit, 0);
  ASSERT_EQ(honeytel({"record", "histogram", "backup.duration", "42.5", "--unit", "s"}).exit, 0);
  ASSERT_EQ(
      honeytel({"record", "log", "backup.failed", "no space left", "--level", "error", "--label", "disk=sda"}).exit, 0);
  EXPECT_EQ(status()["rings"].size(), 4U);
  const pid_t pid = agent();
  EXPECT_TRUE(eventually([&] { return honeytel({"logs", "--level", "error", "--json"}).json()["total"] == 1; }));
  EXPECT_TRUE(eventually([&] { return status()["rings"].empty(); }));
  EXPECT_EQ(end(pid, SIGTERM), 0);
  EXPECT_EQ(honeytel({"logs", "--level", "error", "--json"}).json()["logs"][0]["fields"]["disk"], "sda");
  const auto rows =
      honeytel(
          {"sql", "SELECT metric, labels, value, count FROM points WHERE service = 'shell' ORDER BY metric", "--json"})
          .json()["rows"];
  ASSERT_EQ(rows.size(), 3U) << rows;
  EXPECT_EQ(rows[0]["count"], 1);
  EXPECT_EQ(rows[1]["value"], 1200.0);
  EXPECT_EQ(rows[1]["labels"], R"({"host":"nas"})");
  EXPECT_EQ(rows[2]["value"], -5.5);
  for (const char* signal : {"metrics", "spans", "logs"}) EXPECT_EQ(status()["ledger"][signal]["error"], 0);
}

TEST_F(CliLive, ATracedCommandKeepsItsExitCodeAndBecomesAParent) {
  const pid_t pid = agent();
  const Said inner = honeytel({"run", "--", "/bin/sh", "-c", "echo $TRACEPARENT; echo $HONEYLINK_TELEMETRY; exit 3"});
  EXPECT_EQ(inner.exit, 3);
  ASSERT_GT(inner.out.size(), 55U) << inner.err;
  EXPECT_EQ(inner.out.substr(56), "on\n");
  const std::string trace = inner.out.substr(3, 32), span = inner.out.substr(36, 16);
  EXPECT_EQ(honeytel({"run", "/bin/sh", "-c", "kill -TERM $$"}).exit, 128 + SIGTERM);
  EXPECT_EQ(honeytel({"run", "--", "/nonexistent/program"}).exit, 127);
  const std::string self = HONEYTEL_PATH;
  EXPECT_EQ(honeytel({"run", "--service", "outer", "--", self, "run", "--", "/bin/true"}).exit, 0);
  // The outer span ends last, and may be stored in a transaction after the inner one's.
  EXPECT_TRUE(eventually([&] {
    const auto outer = honeytel({"traces", "--name", "honeytel", "--json"}).json()["traces"];
    return outer.size() == 1 && outer[0]["spans"] == 2 && honeytel({"traces", "--json"}).json()["total"] == 4;
  })) << honeytel({"traces"}).out;
  const auto json = honeytel({"traces", trace, "--json"}).json();
  EXPECT_EQ(json["spans"][0]["span_id"], span);
  EXPECT_EQ(json["spans"][0]["status"], "error");
  EXPECT_EQ(json["spans"][0]["attributes"]["process.exit.code"], 3);
  const auto nested = honeytel({"traces", "--name", "honeytel", "--json"}).json()["traces"];
  ASSERT_EQ(nested.size(), 1U);
  EXPECT_EQ(nested[0]["spans"], 2) << "the inner span is a child of the outer one, across two processes";
  EXPECT_EQ(end(pid, SIGTERM), 0);
}

TEST_F(CliLive, LastWordsOfAKilledProcessAreReadFromItsRingAndThenFromTheStore) {
  // The parent of the shell is `honeytel run`, in the middle of its span.
  EXPECT_EQ(honeytel({"run", "--", "/bin/sh", "-c", "kill -KILL $PPID"}).exit, 128 + SIGKILL);
  const auto from_ring = honeytel({"last-words", "--json"}).json();
  EXPECT_EQ(from_ring["from"], "ring");
  ASSERT_EQ(from_ring["spans"].size(), 1U) << from_ring;
  EXPECT_EQ(from_ring["spans"][0]["name"], "sh");
  EXPECT_EQ(from_ring["spans"][0]["unfinished"], true);
  const pid_t pid = agent();
  EXPECT_TRUE(eventually([&] { return honeytel({"last-words", "--json"}).json().value("from", "") == "store"; }));
  EXPECT_EQ(end(pid, SIGTERM), 0);
  const auto from_store = honeytel({"last-words", std::to_string(from_ring["pid"].get<int>()), "--json"}).json();
  ASSERT_EQ(from_store["spans"].size(), 1U) << from_store;
  EXPECT_EQ(from_store["spans"][0]["span_id"], from_ring["spans"][0]["span_id"]);
  EXPECT_NE(honeytel({"last-words"}).out.find("It was in the middle of:"), std::string::npos);
  EXPECT_EQ(honeytel({"last-words", "1"}).exit, 6);
}

TEST_F(CliLive, ASecondAgentWaitsAndTakesOver) {
  const pid_t first = agent();
  const pid_t second = in_background({"agent"});
  EXPECT_EQ(status()["engine"]["pid"], first);
  EXPECT_EQ(end(first, SIGKILL), 128 + SIGKILL);
  EXPECT_TRUE(eventually([&] { return status()["engine"]["pid"] == second; }));
  EXPECT_EQ(end(second, SIGTERM), 0);
  EXPECT_EQ(status()["engine"]["mode"], "none");
}

TEST_F(CliLive, ForgettingWaitsForNoAgentAndNamesIt) {
  const pid_t pid = agent();
  const Said said = honeytel({"forget", "--all", "--yes"});
  EXPECT_EQ(said.exit, 7);
  EXPECT_NE(said.err.find(std::to_string(pid)), std::string::npos) << said.err;
  EXPECT_EQ(end(pid, SIGTERM), 0);
  EXPECT_EQ(honeytel({"forget", "--all", "--yes"}).exit, 0);
}

TEST_F(CliLive, BenchAccountsForEveryEvent) {
  const Said said = honeytel({"bench", "--events", "20000", "--rate", "20000", "--threads", "2", "--json"});
  EXPECT_EQ(said.exit, 0) << said.out << said.err;
  const auto json = said.json();
  EXPECT_EQ(json["events"], 20'000);
  EXPECT_EQ(json["stored"], 20'000);
  EXPECT_EQ(json["dropped"], 0);
  EXPECT_EQ(json["missing"], 0);
  EXPECT_EQ(json["balance_exact"], true);
  EXPECT_EQ(json["mix"]["metrics"], 14'000);
  EXPECT_GT(json["latency_ns"]["p50"], 0);
  EXPECT_LE(json["latency_ns"]["p50"], json["latency_ns"]["p99_99"]);
  EXPECT_GT(json["rss_bytes"]["engine"], 0);
}

TEST_F(CliLive, TheDemoEndsByNamingATraceThatIsThere) {
  const Said said = honeytel({"demo", "--duration", "3s", "--scenario", "lossy", "--headless"});
  ASSERT_EQ(said.exit, 0) << said.err;
  const std::size_t at = said.out.find("honeytel traces ");
  ASSERT_NE(at, std::string::npos) << said.out;
  const std::string trace = said.out.substr(at + 16, 32);
  const auto json = honeytel({"traces", trace, "--json"}).json();
  EXPECT_EQ(json["trace_id"], trace);
  EXPECT_GE(json["spans"].size(), 2U);
  EXPECT_NE(said.out.find("the balance is exact"), std::string::npos) << said.out;
  EXPECT_EQ(said.out.find('\x1b'), std::string::npos);
  const auto names = honeytel({"sql", "SELECT DISTINCT name FROM spans", "--csv"}).out;
  for (const char* name : {"session.establish", "policy.fetch", "key.exchange", "packet.send", "physical.transmit"})
    EXPECT_NE(names.find(name), std::string::npos) << name;
}

}  // namespace
}  // namespace honeylink::telemetry::test
