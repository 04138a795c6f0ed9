// Alerts as an Alertmanager gets them: Debian's own with the routes of deploy/alertmanager.yml, and servers that answer
// 500, hang or are not there (F51); nothing without consent (I-5).
#include "alert_manager_support.h"

namespace honeylink::telemetry::test {
namespace {

using alert::Outbox;
using nlohmann::json;

class ToAlertmanager : public AlertmanagerTest {
 protected:
  void SetUp() override {
    AlertmanagerTest::SetUp();
    if (!IsSkipped() && !has_alertmanager()) GTEST_SKIP() << "Debian package prometheus-alertmanager is not installed";
  }
  Webhooks hooks_;
  RealAlertmanager manager_;
};

TEST_F(ToAlertmanager, EachSeverityReachesItsReceiverAndIsResolvedThere) {
  manager_.start(home_ + "/am", hooks_);
  options_.instance = "p:0123456789abcdef";
  const auto outbox = allowed(manager_.url());
  const AlertEvent yellow = alert("a", Level::yellow), orange = alert("b", Level::orange), red = alert("c", Level::red);
  for (const AlertEvent* event : {&yellow, &orange, &red}) outbox->fired(*event);
  ASSERT_TRUE(eventually([&] { return hooks_.all().size() >= 3; }));
  EXPECT_EQ(hooks_.receivers("a", "firing", "yellow"), "slack ");
  EXPECT_EQ(hooks_.receivers("b", "firing", "orange"), "pagerduty-low ");
  EXPECT_EQ(hooks_.receivers("c", "firing", "red"), "pagerduty-high ");
  ASSERT_TRUE(eventually([&] { return outbox->counts().alertmanager.delivered == 3; }));
  for (const AlertEvent* event : {&yellow, &orange, &red}) outbox->cleared(over(*event));
  ASSERT_TRUE(eventually([&] { return hooks_.all().size() >= 6; }));
  EXPECT_EQ(hooks_.receivers("a", "resolved", "yellow"), "slack ");
  EXPECT_EQ(hooks_.receivers("b", "resolved", "orange"), "pagerduty-low ");
  EXPECT_EQ(hooks_.receivers("c", "resolved", "red"), "pagerduty-high ");
  ASSERT_TRUE(eventually([&] { return outbox->counts().alertmanager.cleared == 3; }));
  balanced(outbox->counts());
  EXPECT_EQ(outbox->take_deliveries().size(), 3U);
}

TEST_F(ToAlertmanager, LabelsAreTheIdentityAndAnnotationsTheRest) {
  manager_.start(home_ + "/am", hooks_);
  options_.instance = "p:0123456789abcdef";
  const auto outbox = allowed(manager_.url());
  AlertEvent event = alert("packet_loss_rate", Level::red);
  outbox->fired(event);
  ASSERT_TRUE(eventually([&] { return manager_.alerts().size() == 1; }));
  const json held = manager_.alerts()[0];
  EXPECT_EQ(held["labels"], json({{"alertname", "HoneylinkServiceLevel"},
                                  {"sli_name", "packet_loss_rate"},
                                  {"severity", "red"},
                                  {"module", "transport"},
                                  {"environment", "production"},
                                  {"instance", "p:0123456789abcdef"}}));
  EXPECT_EQ(held["annotations"]["value"], "0.112");
  EXPECT_EQ(held["annotations"]["threshold"], "0.1");
  EXPECT_EQ(held["annotations"]["trace_id"], event.trace_id);
  EXPECT_EQ(held["annotations"]["alert_id"], event.alert_id);
  EXPECT_EQ(held["annotations"]["show_trace"], "honeytel traces " + event.trace_id);
  // Another value is the same alert still.
  event.alert_id += "again";
  event.current_value = 0.5;
  outbox->fired(event);
  ASSERT_TRUE(eventually([&] { return manager_.alerts()[0]["annotations"]["value"] == "0.5"; }));
  EXPECT_EQ(manager_.alerts().size(), 1U);
}

TEST_F(ToAlertmanager, AChangeOfLevelResolvesTheOldAlertAndFiresTheNewOne) {
  manager_.start(home_ + "/am", hooks_);
  const auto outbox = allowed(manager_.url());
  outbox->fired(alert("a", Level::yellow));
  ASSERT_TRUE(eventually([&] { return hooks_.receivers("a", "firing", "yellow") == "slack "; }));
  outbox->fired(alert("a", Level::red));  // its end was never told
  ASSERT_TRUE(eventually([&] { return hooks_.receivers("a", "firing", "red") == "pagerduty-high "; }));
  ASSERT_TRUE(eventually([&] {
    const json held = manager_.alerts();
    return held.size() == 1 && held[0]["labels"]["severity"] == "red";
  }));
}

TEST_F(ToAlertmanager, AnAlertIsRepeatedWhileItFires) {
  manager_.start(home_ + "/am", hooks_);
  options_.repost_ms = 300;
  const auto outbox = allowed(manager_.url());
  outbox->fired(alert("a", Level::red));
  ASSERT_TRUE(eventually([&] { return manager_.alerts().size() == 1; }));
  const std::string first = manager_.alerts()[0]["endsAt"];
  ASSERT_TRUE(eventually([&] { return manager_.alerts()[0]["endsAt"].get<std::string>() > first; }));
  EXPECT_EQ(outbox->counts().alertmanager.delivered, 1U) << "told once";
}

TEST_F(ToAlertmanager, AfterItsAbsenceItIsToldWhatIsSoNotWhatWas) {
  manager_.start(home_ + "/am", hooks_);
  manager_.peer().end();
  const auto outbox = allowed(manager_.url());
  const AlertEvent gone = alert("gone", Level::red);
  outbox->fired(gone);
  ASSERT_TRUE(said(*outbox, "alerts do not reach http://127.0.0.1:"));
  outbox->cleared(over(gone));
  for (int i = 0; i < 50; ++i) outbox->fired(alert("stays", i % 2 == 0 ? Level::yellow : Level::red));
  EXPECT_GE(outbox->counts().alertmanager.unreachable, 1U);
  manager_.start(home_ + "/am", hooks_);
  ASSERT_TRUE(eventually([&] { return hooks_.receivers("stays", "firing", "red") == "pagerduty-high "; }));
  ASSERT_TRUE(said(*outbox, "are posted to"));
  EXPECT_EQ(words_.find("do not reach"), words_.rfind("do not reach")) << "said once";
  EXPECT_EQ(hooks_.receivers("gone", "firing", "red"), "");
  EXPECT_EQ(hooks_.receivers("stays", "firing", "yellow"), "");
  EXPECT_EQ(manager_.alerts().size(), 1U);
  balanced(outbox->counts());
}

TEST_F(ToAlertmanager, AnEngineThatStartsAgainPostsWhatFires) {
  manager_.start(home_ + "/am", hooks_);
  const AlertEvent event = alert("a", Level::orange);
  auto outbox = allowed(manager_.url());
  outbox->restore(std::vector{event});
  ASSERT_TRUE(eventually([&] { return manager_.alerts().size() == 1; }));
  outbox.reset();
  EXPECT_EQ(manager_.alerts().size(), 1U) << "an engine that ends resolves nothing";
  outbox = Outbox::start(options_);
  outbox->restore(std::vector{event});
  outbox->cleared(over(event));
  ASSERT_TRUE(eventually([&] { return manager_.alerts().empty(); }));
}

TEST_F(ToAlertmanager, HostileTextIsTextThere) {
  manager_.start(home_ + "/am", hooks_);
  const auto outbox = allowed(manager_.url());
  AlertEvent event = alert("a\"}],\"x\":[{\n\x1b[31m\xff\u202e</script>", Level::red);
  event.module = std::string(10'000, 'm');
  event.trace_id = "'; drop";
  outbox->fired(event);
  ASSERT_TRUE(eventually([&] { return manager_.alerts().size() == 1; }));
  EXPECT_EQ(manager_.alerts()[0]["labels"]["module"], event.module);
}

TEST_F(ToAlertmanager, TheShippedConfigurationIsSoundAndRoutesEachSeverity) {
  const std::string file = HONEYLINK_SOURCE_DIR "/deploy/alertmanager.yml";
  if (!is_there("/usr/bin/amtool")) GTEST_SKIP() << "amtool is not installed";
  ASSERT_EQ(::system(("/usr/bin/amtool check-config " + file + " >/dev/null 2>&1").c_str()), 0);
  for (const auto& [severity, receiver] : std::map<std::string, std::string>{
           {"yellow", "slack"}, {"orange", "pagerduty-low"}, {"red", "pagerduty-high"}, {"unknown", "slack"}}) {
    const std::string command = "/usr/bin/amtool config routes test --config.file=" + file +
                                " --verify.receivers=" + receiver + " severity=" + severity + " >/dev/null 2>&1";
    EXPECT_EQ(::system(command.c_str()), 0) << severity;
  }
}

using ToOthers = AlertmanagerTest;

TEST_F(ToOthers, WithoutConsentNoSocketIsOpenedAndTheCommandIsSaidOnce) {
  net::TestServer server([](const std::string&) { return std::string(); });
  options_.alertmanager = server.url();
  const auto outbox = Outbox::start(options_);
  outbox->fired(alert("a", Level::red));
  ASSERT_TRUE(said(*outbox, "honeytel consent grant --endpoint " + server.url() + " --signals alerts"));
  ASSERT_TRUE(eventually([&] { return outbox->counts().alertmanager.not_allowed >= 3; }));
  EXPECT_TRUE(outbox->take_words().empty()) << "once";
  EXPECT_EQ(server.connections(), 0);
  EXPECT_EQ(outbox->counts().alertmanager.attempts, 0U);
  // A receipt for another signal or endpoint is none for this.
  balanced(outbox->counts());
  grant_alerts(home_, server.url());
  outbox->configure(options_);
  ASSERT_TRUE(eventually([&] { return server.connections() >= 1; }));
}

TEST_F(ToOthers, AServerThatAnswers500IsTriedAgainAndSaidOnce) {
  std::atomic<bool> well{false};
  net::TestServer server([&](const std::string&) -> std::string {
    return well ? "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
                : "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 7\r\n\r\nbr\x1bken\n";
  });
  const auto outbox = allowed(server.url());
  outbox->fired(alert("a", Level::red));
  ASSERT_TRUE(said(*outbox, "it answered 500: br\\x1bken"));
  ASSERT_TRUE(eventually([&] { return outbox->counts().alertmanager.failed >= 3; }));
  EXPECT_TRUE(outbox->take_words().empty()) << "once";
  EXPECT_EQ(outbox->counts().alertmanager.waiting, 1U);
  well = true;
  ASSERT_TRUE(eventually([&] { return outbox->counts().alertmanager.delivered == 1; }));
  balanced(outbox->counts());
}

TEST_F(ToOthers, AServerThatHangsDelaysNeitherTheEngineNorTheToastNorTheEnd) {
  if (!has_python_daemon()) GTEST_SKIP() << "Debian packages python3-dbus and python3-gi are not installed";
  WrittenDaemon daemon;
  daemon.start(bus_);
  net::TestServer server([](const std::string&) { return std::string(); });
  options_.toast = true;
  auto outbox = allowed(server.url());
  outbox->fired(alert("a", Level::red));
  ASSERT_TRUE(eventually([&] { return server.connections() == 1; }));
  std::vector<std::int64_t> calls;
  for (int i = 0; i < 200; ++i) {
    const AlertEvent event = alert("b", Level::red);
    const std::int64_t before = system_clock().monotonic_ns();
    outbox->fired(event);
    calls.push_back(system_clock().monotonic_ns() - before);
  }
  EXPECT_FALSE(daemon.toast(2000).empty());
  ASSERT_TRUE(eventually([&] { return outbox->counts().toast.waiting == 0; }));
  std::sort(calls.begin(), calls.end());
  EXPECT_LT(calls[calls.size() / 2], 50'000);
  EXPECT_EQ(outbox->counts().alertmanager.waiting, 2U);
  balanced(outbox->counts());
  const std::int64_t before = system_clock().monotonic_ns();
  outbox.reset();
  EXPECT_LT(system_clock().monotonic_ns() - before, 2'200'000'000);
}

TEST_F(ToOthers, RevokedConsentEndsItWithinASecond) {
  net::TestServer server([](const std::string&) { return std::string(); });
  const auto outbox = allowed(server.url());
  outbox->fired(alert("a", Level::red));
  ASSERT_TRUE(eventually([&] { return server.connections() == 1; }));
  std::string why;
  const auto endpoint = consent::parse_endpoint(server.url(), why);
  ASSERT_EQ(consent::revoke_receipt(home_, consent::check_receipt(home_, *endpoint, system_clock()), false,
                                    system_clock(), why),
            consent::Revoked::done)
      << why;
  const std::int64_t revoked = system_clock().monotonic_ns();
  ASSERT_TRUE(said(*outbox, "no alert is posted to"));
  EXPECT_LT(system_clock().monotonic_ns() - revoked, 1'000'000'000);
}

TEST_F(ToOthers, AnAddressThatIsNoneIsSaid) {
  options_.alertmanager = "alertmanager.example.org:9093";
  const auto outbox = Outbox::start(options_);
  outbox->fired(alert("a", Level::red));
  EXPECT_TRUE(said(*outbox, "no address that can be posted to"));
}

}  // namespace
}  // namespace honeylink::telemetry::test
