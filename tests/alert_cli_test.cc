// honeytel alerts --test: one marked alert through the real ways, and an exit code that says whether it arrived.
#include "alert_manager_support.h"
#include "cli_support.h"

namespace honeylink::telemetry::test {
namespace {

class CliAlertTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    if (!is_there("/usr/bin/dbus-daemon")) GTEST_SKIP() << "Debian package dbus-daemon is not installed";
    if (!is_there("/usr/bin/python3") || ::system("/usr/bin/python3 -c 'import dbus, gi' 2>/dev/null") != 0)
      GTEST_SKIP() << "Debian packages python3-dbus and python3-gi are not installed";
    bus_.start(home_);
  }
  void configure(const std::string& lines) const {
    std::ofstream(home_ + "/config.toml") << "[alert]\n" << lines << "\n";
  }
  Said test_alert(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"alerts", "--test", "red"});
    return honeytel(more, bus_.environment());
  }
  PrivateBus bus_;
  WrittenDaemon daemon_;
};

TEST_F(CliAlertTest, IsShownMarkedAndMeasured) {
  daemon_.start(bus_);
  const Said said = test_alert({"--json"});
  EXPECT_EQ(said.exit, 0) << said.err;
  EXPECT_EQ(daemon_.toast()["summary"], "■ Red: honeytel_test (test alert)");
  const auto json = said.json();
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["ways"][0]["way"], "toast");
  EXPECT_EQ(json["ways"][0]["result"], "delivered");
  EXPECT_GT(json["ways"][0]["ms"].get<double>(), 0);
  EXPECT_EQ(json["ways"][1]["result"], "off");
  EXPECT_FALSE(std::filesystem::exists(home_ + "/run/toasts"));
  EXPECT_FALSE(std::filesystem::exists(home_ + "/metrics/metrics.db")) << "nothing is stored";
}

TEST_F(CliAlertTest, WithoutADaemonIsANo) {
  const Said said = test_alert();
  EXPECT_EQ(said.exit, 1);
  EXPECT_NE(said.out.find("nobody there"), std::string::npos) << said.out;
  EXPECT_NE(said.err.find("no notification daemon answers"), std::string::npos) << said.err;
}

TEST_F(CliAlertTest, WithoutConsentEndsWith8AndNamesTheCommand) {
  daemon_.start(bus_);
  net::TestServer server([](const std::string&) { return std::string(); });
  configure("alertmanager = \"" + server.url() + "\"");
  const Said said = test_alert();
  EXPECT_EQ(said.exit, 8) << said.out << said.err;
  EXPECT_NE(said.err.find("honeytel consent grant --endpoint " + server.url() + " --signals alerts"), std::string::npos)
      << said.err;
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(CliAlertTest, IsPostedToAlertmanagerWithItsMark) {
  daemon_.start(bus_);
  net::TestServer server([](const std::string&) { return "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"; });
  configure("toast = false\nalertmanager = \"" + server.url() + "\"");
  grant_alerts(home_, server.url());
  const Said said = test_alert();
  EXPECT_EQ(said.exit, 0) << said.out << said.err;
  const std::string request = server.received();
  EXPECT_NE(request.find("POST /api/v2/alerts "), std::string::npos) << request;
  EXPECT_NE(request.find("\"summary\":\"test alert: honeytel_test"), std::string::npos) << request;
  EXPECT_NE(request.find("\"severity\":\"red\""), std::string::npos) << request;
}

TEST_F(CliAlertTest, WhereNobodyWouldBeToldSaysSo) {
  configure("toast = false");
  const Said said = test_alert();
  EXPECT_EQ(said.exit, 1);
  EXPECT_NE(said.err.find("alert.toast is false"), std::string::npos) << said.err;
  EXPECT_EQ(honeytel({"alerts", "--test", "purple"}).exit, 2);
}

}  // namespace
}  // namespace honeylink::telemetry::test
