// honeytel audit as its owner uses it, beside a real engine: what is written down, and what a tampered log is told.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>

#include "cli_support.h"

namespace honeylink::telemetry::test {
namespace {

constexpr const char* kTo = "https://collector.example:4317";

class CliAudit : public CliTest {
 protected:
  static bool eventually(const std::function<bool()>& right) {
    for (int i = 0; i < 600; ++i) {
      if (right()) return true;
      ::usleep(50'000);
    }
    return false;
  }
  Said grant() { return honeytel({"consent", "grant", "--endpoint", kTo, "--signals", "metrics", "--yes"}); }
  std::vector<nlohmann::json> entries(const std::string& event = "") {
    std::vector<nlohmann::json> found;
    const nlohmann::json shown = honeytel({"audit", "show", "--limit", "0", "--json"}).json();
    for (const auto& entry : shown["audit"])
      if (event.empty() || entry["event"] == event) found.push_back(entry);
    return found;
  }
  nlohmann::json verify(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"audit", "verify", "--json"});
    return honeytel(more).json();
  }
  pid_t agent() {
    const pid_t pid = in_background({"agent"});
    EXPECT_TRUE(eventually([&] { return honeytel({"status", "--json"}).json()["engine"]["pid"] == pid; }));
    return pid;
  }
  std::string log() const { return home_ + "/audit/audit.log"; }
  static std::string content(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void put(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::trunc) << text; }
};

TEST_F(CliAudit, ConsentsAreWrittenDownBeforeTheyCount) {
  EXPECT_EQ(honeytel({"audit", "verify"}).exit, 6) << "nothing was decided yet";
  ASSERT_EQ(grant().exit, 0);
  ASSERT_EQ(honeytel({"consent", "revoke", kTo, "--purge"}).exit, 0);
  ASSERT_EQ(entries("key.created").size(), 1U);
  const auto granted = entries("consent.grant"), revoked = entries("consent.revoke");
  ASSERT_EQ(granted.size(), 1U);
  ASSERT_EQ(revoked.size(), 1U);
  EXPECT_EQ(granted[0]["context"]["endpoint"], kTo);
  EXPECT_EQ(granted[0]["context"]["signals"], "metrics");
  EXPECT_EQ(granted[0]["actor"]["uid"], ::geteuid());
  EXPECT_EQ(granted[0]["result"], "ok");
  EXPECT_EQ(revoked[0]["context"]["nonce"], granted[0]["context"]["nonce"]);
  EXPECT_EQ(revoked[0]["context"]["purge"], "yes");
  EXPECT_EQ(honeytel({"audit", "verify"}).exit, 0);
}

TEST_F(CliAudit, WhatTheLogDoesNotTakeIsNotGranted) {
  ASSERT_EQ(grant().exit, 0);
  ASSERT_EQ(honeytel({"consent", "revoke"}).exit, 0);
  std::filesystem::rename(log(), home_ + "/elsewhere");
  std::filesystem::create_symlink(home_ + "/elsewhere", log());
  const Said said = grant();
  EXPECT_EQ(said.exit, 3) << said.err;
  EXPECT_NE(said.err.find("symbolic link"), std::string::npos) << said.err;
  EXPECT_EQ(honeytel({"consent", "status", kTo}).exit, 8);
}

TEST_F(CliAudit, AnEngineWritesDownItsLifeAndAnchorsTheLogElsewhere) {
  const pid_t pid = agent();
  ASSERT_EQ(grant().exit, 0);
  put(home_ + "/config.toml", "[alert]\ntoast = false\n");
  ASSERT_EQ(honeytel({"consent", "revoke"}).exit, 0);  // rings the doorbell
  EXPECT_TRUE(eventually([&] { return !entries("config.changed").empty(); }));
  EXPECT_EQ(end(pid, SIGTERM), 0);
  std::vector<std::string> events;
  for (const auto& entry : entries()) events.push_back(entry["event"]);
  const std::set<std::string> seen(events.begin(), events.end());
  for (const char* event : {"engine.start", "consent.grant", "consent.revoke", "config.changed", "engine.stop"})
    EXPECT_TRUE(seen.contains(event)) << event;
  EXPECT_EQ(events.front(), "journal.begin");
  EXPECT_EQ(events.back(), "journal.end");
  const nlohmann::json found = verify();
  EXPECT_TRUE(found["sound"]) << found;
  EXPECT_TRUE(found["ended"]);
  std::size_t stored = 0;
  for (const auto& anchor : found["anchors"]) stored += anchor["where"] == "metrics.db" && anchor["state"] == "holds";
  EXPECT_GE(stored, 3U) << found;
}

TEST_F(CliAudit, ALogThatWasCutToItsBeginningIsFoundByTheDatabaseAlone) {
  const pid_t pid = agent();
  EXPECT_EQ(end(pid, SIGTERM), 0);
  const std::string whole = content(log());
  put(log(), whole.substr(0, whole.find('\n') + 1));
  std::filesystem::remove(home_ + "/audit/head");
  std::filesystem::remove(home_ + "/keys/audit.key");
  const nlohmann::json found = verify();
  EXPECT_FALSE(found["sound"]);
  std::set<std::string> faults;
  for (const auto& finding : found["findings"]) faults.insert(finding["fault"]);
  EXPECT_TRUE(faults.contains("cut_off")) << found;
}

TEST_F(CliAudit, AKilledEngineLeavesALogThatVerifies) {
  const pid_t pid = agent();
  end(pid, SIGKILL);
  EXPECT_EQ(honeytel({"audit", "verify"}).exit, 0);
  EXPECT_FALSE(verify()["ended"]);
}

TEST_F(CliAudit, AForgedReceiptIsRefusedAndWrittenDownOnceByTheEngine) {
  agent();
  ASSERT_EQ(grant().exit, 0);
  const std::string path = honeytel({"consent", "status", "--json"}).json()["consent"][0]["receipt"];
  std::filesystem::permissions(path, std::filesystem::perms(0666));
  // Any change that a command makes rings the doorbell.
  EXPECT_TRUE(eventually([&] {
    honeytel({"consent", "grant", "--endpoint", "http://127.0.0.1:9", "--signals", "alerts", "--yes"});
    return !entries("consent.refused").empty();
  }));
  const auto refused = entries("consent.refused");
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0]["result"], "refused");
  EXPECT_EQ(refused[0]["context"]["file"], path);
  EXPECT_NE(refused[0]["context"]["why"].get<std::string>().find("others"), std::string::npos);
}

TEST_F(CliAudit, AChangedEntryIsNamedByItsLineAndTheExitSaysNo) {
  ASSERT_EQ(grant().exit, 0);
  std::string text = content(log());
  const std::size_t at = text.find("collector.example");
  text.replace(at, 9, "connector");
  put(log(), text);
  const Said said = honeytel({"audit", "verify"});
  EXPECT_EQ(said.exit, 1);
  EXPECT_NE(said.out.find("NOT WHOLE"), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("audit.log:3"), std::string::npos) << said.out;
  EXPECT_EQ(honeytel({"audit", "show"}).exit, 0) << "what is there can still be read";
}

TEST_F(CliAudit, AnAnchorOnPaperTellsThatTheWholeHomeWasPutBack) {
  ASSERT_EQ(grant().exit, 0);
  const std::string copy = home_ + ".copy";
  std::filesystem::copy(home_, copy, std::filesystem::copy_options::recursive);
  ASSERT_EQ(honeytel({"consent", "revoke"}).exit, 0);
  std::string anchor = honeytel({"audit", "anchor"}).out;
  anchor.pop_back();
  EXPECT_EQ(honeytel({"audit", "verify", "--head", anchor}).exit, 0);
  EXPECT_EQ(honeytel({"audit", "verify", "--head", anchor.substr(anchor.find(':') + 1)}).exit, 0);
  std::filesystem::remove_all(home_);
  std::filesystem::rename(copy, home_);
  const Said inside = honeytel({"audit", "verify"});
  EXPECT_EQ(inside.exit, 0) << "nothing inside a home can tell";
  EXPECT_NE(inside.out.find("put back to an earlier copy"), std::string::npos) << "and it says so: " << inside.out;
  const Said held = honeytel({"audit", "verify", "--head", anchor});
  EXPECT_EQ(held.exit, 1);
  EXPECT_NE(held.out.find("it is gone"), std::string::npos) << held.out;
}

TEST_F(CliAudit, ForgettingIsWrittenDownAndTheLogStays) {
  ASSERT_EQ(grant().exit, 0);
  ASSERT_EQ(honeytel({"forget", "--all", "--yes"}).exit, 0);
  ASSERT_EQ(entries("data.forget").size(), 1U);
  EXPECT_EQ(entries("data.forget")[0]["context"]["all"], "yes");
  EXPECT_EQ(entries("consent.grant").size(), 1U);
}

TEST_F(CliAudit, NonsenseIsRefused) {
  ASSERT_EQ(grant().exit, 0);
  EXPECT_EQ(honeytel({"audit", "verfiy"}).exit, 2);
  EXPECT_NE(honeytel({"audit", "verfiy"}).err.find("did you mean 'verify'"), std::string::npos);
  for (const char* head : {"", "abc", "0:00", "x:0000000000000000000000000000000000000000000000000000000000000000"})
    EXPECT_EQ(honeytel({"audit", "verify", "--head", head}).exit, 2) << head;
  EXPECT_EQ(honeytel({"audit", "show", "--since", "tomorrowish"}).exit, 2);
}

TEST_F(CliAudit, ShowsTheNewestAndSaysHowManyThereAre) {
  for (int i = 0; i < 3; ++i) ASSERT_EQ(grant().exit, 0);
  const nlohmann::json shown = honeytel({"audit", "show", "--event", "consent", "--limit", "2", "--json"}).json();
  ASSERT_EQ(shown["audit"].size(), 2U);
  EXPECT_EQ(shown["total"], 3);
  EXPECT_TRUE(shown["truncated"]);
  EXPECT_LT(shown["audit"][0]["seq"], shown["audit"][1]["seq"]);
  EXPECT_TRUE(honeytel({"audit", "show", "--until", "1h", "--json"}).json()["audit"].empty());
}

}  // namespace
}  // namespace honeylink::telemetry::test
