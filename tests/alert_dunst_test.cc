// Toasts on a real desktop: dunst on an X server without a screen. How fast an alert is there, at most one per service
// level, and a dunst that was stopped and goes on (F51).
#include <algorithm>

#include "alert_manager_support.h"

namespace honeylink::telemetry::test {
namespace {

using alert::Outbox;

constexpr const char* kServiceLevels[] = {"session_establishment_latency_p95", "policy_update_latency_p95",
                                          "encryption_latency_p95", "packet_loss_rate", "qos_packet_drop_rate"};

int alerts_to_measure() { return ::getenv("HONEYLINK_TEST_LONG") != nullptr ? 300 : 40; }

double percentile(std::vector<double> sorted, double share) {
  std::sort(sorted.begin(), sorted.end());
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(static_cast<double>(sorted.size()) * share))];
}

class Dunst : public AlertmanagerTest {
 protected:
  void SetUp() override {
    AlertmanagerTest::SetUp();
    if (IsSkipped()) return;
    for (const char* program : {"/usr/bin/Xvfb", "/usr/bin/dunst", "/usr/bin/dunstctl"}) {
      if (!is_there(program)) GTEST_SKIP() << "Debian packages xvfb and dunst are not installed";
    }
    options_.toast = true;
    screen_.start({"/usr/bin/Xvfb", "-displayfd", "1", "-screen", "0", "1024x600x24", "-nolisten", "tcp"});
    const auto display = screen_.line();
    ASSERT_TRUE(display.has_value()) << "Xvfb names no display";
    environment_ = bus_.environment();
    environment_.push_back("DISPLAY=:" + *display);
    environment_.push_back("LC_ALL=C.UTF-8");
    dunst_.start({"/usr/bin/dunst", "-conf", "/dev/null"}, environment_);
    ASSERT_TRUE(eventually([this] { return count("displayed") >= 0; }, 30'000)) << "dunst does not answer";
  }
  /// What dunstctl counts, -1 where dunst does not answer.
  int count(const std::string& what) {
    Peer control;
    control.start({"/usr/bin/dunstctl", "count", what}, environment_);
    const auto line = control.line();
    return line && !line->empty() && std::isdigit(static_cast<unsigned char>(line->front())) ? std::stoi(*line) : -1;
  }
  int on_screen() { return count("displayed") + count("waiting"); }
  nlohmann::json history() {
    for (const char* what : {"close-all", "history"}) {
      Peer control;
      control.start({"/usr/bin/dunstctl", what}, environment_);
      std::string all;
      for (auto line = control.line(3000); line; line = control.line(3000)) all += *line + "\n";
      if (what == std::string("history")) return nlohmann::json::parse(all, nullptr, false);
    }
    return {};
  }
  Peer screen_, dunst_;
  std::vector<std::string> environment_;
};

TEST_F(Dunst, ShowsOneToastPerServiceLevelWithItsWords) {
  const auto outbox = Outbox::start(options_);
  for (int round = 0; round < 3; ++round) {
    for (const char* sli : kServiceLevels) outbox->fired(alert(sli, static_cast<Level>(1 + round)));
    ASSERT_TRUE(eventually([&] { return outbox->counts().toast.waiting == 0; }));
  }
  EXPECT_EQ(on_screen(), 5);
  const auto shown = history()["data"][0];
  ASSERT_EQ(shown.size(), 5U) << shown;
  for (const auto& one : shown) {
    EXPECT_EQ(one["category"]["data"], "x-honeylink.red");
    EXPECT_EQ(one["appname"]["data"], "honeytel");
    EXPECT_TRUE(one["summary"]["data"].get<std::string>().starts_with("■ Red: ")) << one;
    EXPECT_NE(one["body"]["data"].get<std::string>().find("honeytel traces 0af7"), std::string::npos) << one;
  }
}

TEST_F(Dunst, AToastIsThereWithin100msAndAPostWithin50ms) {
  if (!has_alertmanager()) GTEST_SKIP() << "Debian package prometheus-alertmanager is not installed";
  Webhooks hooks;
  RealAlertmanager manager;
  manager.start(home_ + "/am", hooks);
  const auto outbox = allowed(manager.url());
  std::vector<double> toast, post;
  const int alerts = alerts_to_measure();
  for (int i = 0; i < alerts; ++i) {
    outbox->fired(alert(kServiceLevels[i % 5], static_cast<Level>(1 + i / 5 % 3)));
    ASSERT_TRUE(eventually([&] {
      for (const alert::Delivery& one : outbox->take_deliveries())
        (one.way == alert::Way::toast ? toast : post).push_back(one.ms);
      return static_cast<int>(std::min(toast.size(), post.size())) == i + 1;
    }));
  }
  const double toast_p95 = percentile(toast, 0.95), post_p95 = percentile(post, 0.95);
  std::printf("%d alerts: toast p50 %.2f p95 %.2f max %.2f ms; Alertmanager p50 %.2f p95 %.2f max %.2f ms\n", alerts,
              percentile(toast, 0.5), toast_p95, percentile(toast, 1), percentile(post, 0.5), post_p95,
              percentile(post, 1));
  EXPECT_LT(toast_p95, 100);
  EXPECT_LT(post_p95, 50);
  EXPECT_EQ(on_screen(), 5) << "one toast per service level, replaced in place";
  // Each severity went where deploy/alertmanager.yml says.
  ASSERT_TRUE(eventually([&] { return hooks.all().size() >= 5; }));
  const std::map<std::string, std::string> receiver_of{
      {"yellow", "slack"}, {"orange", "pagerduty-low"}, {"red", "pagerduty-high"}};
  for (const Notified& one : hooks.all())
    EXPECT_EQ(one.receiver, receiver_of.at(one.alert["labels"]["severity"])) << one.alert;
  balanced(outbox->counts());
}

TEST_F(Dunst, ThatWasStoppedShowsWhatIsSoOnce) {
  const auto outbox = Outbox::start(options_);
  outbox->fired(alert("before", Level::yellow));
  ASSERT_TRUE(eventually([&] { return outbox->counts().toast.delivered == 1; }));
  dunst_.signal(SIGSTOP);
  std::vector<std::int64_t> calls;
  for (int i = 0; i < 50; ++i) {
    for (const char* sli : kServiceLevels) {
      const AlertEvent event = alert(sli, Level::red);
      const std::int64_t began = system_clock().monotonic_ns();
      outbox->fired(event);
      calls.push_back(system_clock().monotonic_ns() - began);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ASSERT_TRUE(said(*outbox, "does not answer"));
  std::sort(calls.begin(), calls.end());
  EXPECT_LT(calls[calls.size() / 2], 50'000) << "the engine never waits";
  EXPECT_LE(outbox->counts().toast.attempts, 6U) << "one message per service level is on its way, not more";
  dunst_.signal(SIGCONT);
  ASSERT_TRUE(eventually([&] { return outbox->counts().toast.waiting == 0; }));
  EXPECT_EQ(on_screen(), 6);
  balanced(outbox->counts());
}

}  // namespace
}  // namespace honeylink::telemetry::test
