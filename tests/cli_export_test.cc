// What left and what was given up, as the tool says it: status, health, over a restart of the engine.
#include <thread>

#include "cli_support.h"
#include "export/testing_peer.h"

namespace honeylink::telemetry::test {
namespace {

using namespace std::chrono_literals;

class CliExport : public CliTest {
 protected:
  void agent() { agent_ = in_background({"agent"}); }
  void grant() {
    ASSERT_EQ(honeytel({"consent", "grant", "--endpoint", peer_.url(), "--signals", "traces", "--yes"}).exit, 0);
  }
  /// Spans: each a command that is run.
  void record(int n) {
    for (int i = 0; i < n; ++i)
      ASSERT_EQ(honeytel({"run", "--", "true"}, {"HONEYLINK_ENVIRONMENT=development"}).exit, 0);
  }
  bool until(const std::function<bool()>& holds, std::chrono::seconds within = 30s) {
    const auto end = std::chrono::steady_clock::now() + within;
    while (!holds() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(50ms);
    return holds();
  }
  nlohmann::json exports() { return honeytel({"status", "--json"}).json()["exports"]; }

  exporting::TestPeer peer_;
  pid_t agent_ = 0;
};

TEST_F(CliExport, StatusSaysWhatWasSentWhatWaitsAndWhyAndForgetsNothingOverARestart) {
  agent(), grant(), record(3);
  ASSERT_TRUE(until([&] { return exports().size() == 1 && exports()[0]["sent"] == 3; })) << exports().dump();
  EXPECT_EQ(exports()[0]["signal"], "traces");
  EXPECT_EQ(exports()[0]["endpoint"], peer_.url());
  EXPECT_EQ(exports()[0]["lost"], 0);
  EXPECT_TRUE(exports()[0]["failing_since"].is_null());
  peer_.set_status(503);
  record(2);
  ASSERT_TRUE(until([&] { return exports()[0]["backlog"] == 2 && exports()[0]["failing_since"].is_string(); }))
      << exports().dump();
  EXPECT_EQ(exports()[0]["said"], "HTTP 503");
  const std::string said = honeytel({"status"}).out;
  EXPECT_NE(said.find("2 spans"), std::string::npos) << said;
  EXPECT_NE(said.find("fails since"), std::string::npos) << said;
  end(agent_, SIGTERM);
  EXPECT_EQ(exports()[0]["sent"], 3) << "without an engine, too";
  peer_.set_status(200);
  agent();
  ASSERT_TRUE(until([&] { return exports()[0]["sent"] == 5; })) << exports().dump();
  EXPECT_TRUE(until([&] { return exports()[0]["backlog"] == 0; }));
  EXPECT_EQ(peer_.different(), 5U) << "what status says was sent is what arrived";
}

TEST_F(CliExport, HealthJudgesWhatReceiversRefused) {
  agent(), grant(), record(2);
  ASSERT_TRUE(until([&] { return peer_.different() == 2; }));
  peer_.set_status(400);
  record(2);
  ASSERT_TRUE(until([&] { return exports()[0]["refused"] == 2; })) << exports().dump();
  end(agent_, SIGTERM);  // its last tick
  const Said strict = honeytel({"health", "--max-loss", "0.01", "--json"});
  EXPECT_EQ(strict.exit, 1) << strict.out << strict.err;
  EXPECT_EQ(strict.json()["export"]["traces"]["due"], 4);
  EXPECT_EQ(strict.json()["export"]["traces"]["reasons"]["refused"], 2);
  EXPECT_EQ(strict.json()["signals"]["spans"]["lost"], 0) << "stored here all the same";
  EXPECT_EQ(honeytel({"health", "--max-loss", "0.5"}).exit, 0);
}

TEST_F(CliExport, RevokingWithPurgeLeavesNothingOfItBehindWhoeverWasSending) {
  const auto files = [&] {
    std::size_t n = 0;
    for (const auto& file : std::filesystem::directory_iterator(home_ + "/export")) n += file.is_regular_file();
    return n;
  };
  const auto revoke = [&](std::vector<std::string> how) {
    how.insert(how.begin(), {"consent", "revoke", peer_.url()});
    ASSERT_EQ(honeytel(how).exit, 0);
  };
  agent(), grant(), record(1);
  ASSERT_TRUE(until([&] { return peer_.different() == 1 && files() == 1; }));
  revoke({});
  EXPECT_FALSE(until([&] { return files() == 0; }, 3s)) << "what a later grant goes on from is kept";
  grant(), record(1);
  ASSERT_TRUE(until([&] { return peer_.different() == 2; }));
  revoke({"--purge"});
  ASSERT_TRUE(until([&] { return files() == 0; }, 10s));
  std::this_thread::sleep_for(2s);
  EXPECT_EQ(files(), 0U) << "the engine has written it again";
  end(agent_, SIGTERM);
  EXPECT_EQ(files(), 0U);
}

}  // namespace
}  // namespace honeylink::telemetry::test
