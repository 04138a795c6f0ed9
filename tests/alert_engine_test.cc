// From lost packets to the desktop and to Alertmanager and back into the table: the engine with its own outbox, a real
// bus, a notification daemon and Debian's Alertmanager.
#include "alert_manager_support.h"
#include "engine/testing_sli.h"

namespace honeylink::telemetry::test {
namespace {

using engine::pass_tick;
using engine::SliProgram;
using engine::TestEngine;
using engine::TestHome;

class AlertOfEngine : public AlertmanagerTest {
 protected:
  void SetUp() override {
    AlertmanagerTest::SetUp();
    if (IsSkipped()) return;
    if (!has_python_daemon()) GTEST_SKIP() << "Debian packages python3-dbus and python3-gi are not installed";
    if (!has_alertmanager()) GTEST_SKIP() << "Debian package prometheus-alertmanager is not installed";
    ::setenv("DBUS_SESSION_BUS_ADDRESS", bus_.address().c_str(), 1);
    ::setenv("LC_ALL", "C.UTF-8", 1);
    daemon_.start(bus_);
    manager_.start(home_ + "/am", hooks_);
    std::ofstream(levels_.path() + "/config.toml") << "[alert]\nalertmanager = \"" << manager_.url() << "\"\n";
    grant_alerts(levels_.path(), manager_.url());
  }
  void TearDown() override {
    ::unsetenv("DBUS_SESSION_BUS_ADDRESS");
    AlertmanagerTest::TearDown();
  }
  std::string cell(const char* sql) {
    const auto rows = engine::rows_of(levels_, sql);
    return rows.empty() ? "none" : rows[0];
  }
  TestHome levels_;
  WrittenDaemon daemon_;
  Webhooks hooks_;
  RealAlertmanager manager_;
};

TEST_F(AlertOfEngine, IsShownPostedAndItsDeliveriesAreStored) {
  SliProgram link(levels_, 1);
  {
    TestEngine e(levels_, engine::Mode::agent, true);
    ASSERT_TRUE(engine::lead_on_time(e));
    pass_tick(e);
    for (int i = 0; i < 3; ++i) link.packets(140, 2000), pass_tick(e);
    nlohmann::json toast = daemon_.toast();
    EXPECT_EQ(toast["summary"], "▲ Yellow: packet_loss_rate") << toast;
    ASSERT_TRUE(eventually([&] { return hooks_.receivers("packet_loss_rate", "firing", "yellow") == "slack "; }));
    for (int i = 0; i < 3; ++i) link.packets(300, 2000), pass_tick(e);
    toast = daemon_.toast(20'000);
    EXPECT_EQ(toast["summary"], "◆ Orange: packet_loss_rate") << toast;
    ASSERT_TRUE(
        eventually([&] { return hooks_.receivers("packet_loss_rate", "firing", "orange") == "pagerduty-low "; }));
    ASSERT_TRUE(eventually([&] { return !hooks_.receivers("packet_loss_rate", "resolved", "yellow").empty(); }));
    // What was delivered is stored with a later tick.
    ASSERT_TRUE(eventually(
        [&] {
          pass_tick(e);
          return cell(
                     "SELECT count(*) FROM alerts WHERE delivered->>'toast_ms' > 0 AND delivered->>'alertmanager_ms' > "
                     "0") == "2";
        },
        20'000))
        << cell("SELECT group_concat(delivered) FROM alerts");
  }
  // Another engine goes on posting and shows nothing again.
  TestEngine e(levels_, engine::Mode::agent, true);
  e.clock.advance(200'000'000'000);
  ASSERT_TRUE(engine::lead_on_time(e));
  pass_tick(e);
  EXPECT_TRUE(daemon_.toast(1'500).empty());
  EXPECT_EQ(manager_.alerts().size(), 1U) << manager_.alerts();
  for (int i = 0; i < 3; ++i) link.packets(0, 2000), pass_tick(e);
  EXPECT_EQ(cell("SELECT count(*) FROM alerts WHERE cleared_at IS NULL"), "0");
  EXPECT_TRUE(eventually([&] { return !hooks_.receivers("packet_loss_rate", "resolved", "orange").empty(); }));
}

}  // namespace
}  // namespace honeylink::telemetry::test
