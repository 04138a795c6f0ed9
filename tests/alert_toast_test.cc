// Toasts as a notification daemon gets them: every hint and word, one per service level, replaced in place; and what
// happens while the bus or the daemon is absent, hung, refusing or new (F51). The daemon is
// tests/peers/notification_daemon.py, which decodes with another D-Bus library than ours; dunst: alert_dunst_test.cc.
#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "alert_support.h"

namespace honeylink::telemetry::test {
namespace {

using alert::Outbox;
using nlohmann::json;

class Toast : public AlertTest {
 protected:
  void SetUp() override {
    AlertTest::SetUp();
    if (IsSkipped()) return;
    if (!has_python_daemon()) GTEST_SKIP() << "Debian packages python3-dbus and python3-gi are not installed";
  }
  WrittenDaemon daemon_;
};

TEST_F(Toast, CarriesEveryHintAndWordOfAnAlert) {
  daemon_.start(bus_);
  options_.tool = "/usr/bin/true";
  const auto outbox = Outbox::start(options_);
  const AlertEvent event = alert("packet_loss_rate", Level::orange);
  outbox->fired(event);
  const json toast = daemon_.toast();
  EXPECT_EQ(toast["app"], "honeytel");
  EXPECT_EQ(toast["summary"], "◆ Orange: packet_loss_rate");
  EXPECT_NE(toast["body"].get<std::string>().find("0.112 > 0.1\n"), std::string::npos) << toast;
  EXPECT_NE(toast["body"].get<std::string>().find(" · transport · production\n"), std::string::npos) << toast;
  EXPECT_NE(toast["body"].get<std::string>().find("honeytel traces " + event.trace_id), std::string::npos) << toast;
  EXPECT_EQ(toast["hints"], json({{"urgency", 1}, {"category", "x-honeylink.orange"}, {"desktop-entry", "honeytel"}}));
  EXPECT_EQ(toast["types"]["urgency"], "Byte");
  EXPECT_EQ(toast["actions"], json({"default", "Show trace", "trace", "Show trace"}));
  EXPECT_EQ(toast["replaces"], 0);
  ASSERT_TRUE(eventually([&] { return outbox->counts().toast.delivered == 1; }));
  const auto deliveries = outbox->take_deliveries();
  ASSERT_EQ(deliveries.size(), 1U);
  EXPECT_EQ(deliveries[0].alert_id, event.alert_id);
  EXPECT_EQ(deliveries[0].way, alert::Way::toast);
  EXPECT_GT(deliveries[0].ms, 0);
  EXPECT_LT(deliveries[0].ms, 5000);
  balanced(outbox->counts());
}

TEST_F(Toast, IsAsUrgentAsItsLevel) {
  daemon_.start(bus_);
  const auto outbox = Outbox::start(options_);
  struct Case {
    Level level;
    int urgency, timeout;
    const char* category;
  };
  for (const Case& one :
       {Case{Level::yellow, 1, -1, "x-honeylink.yellow"}, Case{Level::orange, 1, -1, "x-honeylink.orange"},
        Case{Level::red, 2, 0, "x-honeylink.red"}}) {
    outbox->fired(alert(one.category, one.level));
    const json toast = daemon_.toast();
    EXPECT_EQ(toast["hints"]["urgency"], one.urgency) << toast;
    EXPECT_EQ(toast["hints"]["category"], one.category);
    EXPECT_EQ(toast["timeout"], one.timeout);
    EXPECT_TRUE(toast["actions"].empty()) << "nothing to start, no action";
  }
}

TEST_F(Toast, IsReplacedInPlaceByTheNextLevelAndByItsEnd) {
  daemon_.start(bus_);
  const auto outbox = Outbox::start(options_);
  const AlertEvent yellow = alert("encryption_latency_p95", Level::yellow);
  outbox->fired(yellow);
  const json first = daemon_.toast();
  // As the engine tells a change of level: the old alert's end, then the new one.
  const AlertEvent red = alert("encryption_latency_p95", Level::red);
  outbox->cleared(over(yellow));
  outbox->fired(red);
  const json second = daemon_.toast();
  EXPECT_EQ(second["replaces"], first["id"]);
  EXPECT_EQ(second["hints"]["category"], "x-honeylink.red") << "no end is shown between two levels";
  outbox->cleared(over(red));
  const json end = daemon_.toast();
  EXPECT_EQ(end["replaces"], first["id"]);
  EXPECT_EQ(end["summary"], "● OK: encryption_latency_p95");
  EXPECT_EQ(end["hints"],
            json({{"urgency", 0}, {"category", "x-honeylink.ok"}, {"desktop-entry", "honeytel"}, {"transient", true}}));
  EXPECT_GT(end["timeout"], 0);
  EXPECT_NE(end["body"].get<std::string>().find("3 min 20 s"), std::string::npos) << end;
  ASSERT_TRUE(eventually([&] { return outbox->counts().toast.cleared == 1; }));
  EXPECT_FALSE(std::filesystem::exists(home_ + "/run/toasts")) << "nothing stands on the screen, nothing is remembered";
}

TEST_F(Toast, ThatWasClosedIsNotReplaced) {
  daemon_.start(bus_);
  const auto outbox = Outbox::start(options_);
  outbox->fired(alert("a", Level::red));
  const json first = daemon_.toast();
  ASSERT_TRUE(eventually([&] { return outbox->counts().toast.delivered == 1; }));
  // The signal and the next alert take different ways: whichever is first at the outbox, it is so after some rounds.
  ASSERT_TRUE(eventually([&] {
    daemon_.tell("close " + std::to_string(first["id"].get<int>()) + " 2");
    outbox->fired(alert("a", Level::red));
    return daemon_.toast()["replaces"] == 0;
  }));
}

TEST_F(Toast, StormsEndInOneToastPerServiceLevelAndWindow) {
  daemon_.start(bus_);
  options_.toast_window_ms = 2000;
  const auto outbox = Outbox::start(options_);
  const std::int64_t began = system_clock().monotonic_ns();
  const std::int64_t until = began + 3'000'000'000;
  std::vector<std::int64_t> calls;
  while (system_clock().monotonic_ns() < until) {
    for (const char* sli : {"one", "two", "three"}) {
      AlertEvent event = alert(sli, Level::red);
      const std::int64_t before = system_clock().monotonic_ns();
      outbox->fired(event);
      calls.push_back(system_clock().monotonic_ns() - before);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // 100 breaches a second and service level
  }
  ASSERT_TRUE(eventually([&] { return outbox->counts().toast.waiting == 0; }));
  const auto counts = outbox->counts();
  balanced(counts);
  EXPECT_GT(counts.fired, 600U);
  // Windows begin with a toast: within 3 s there are two of them, and one more tells what came last.
  EXPECT_LE(counts.toast.attempts, 9U);
  std::sort(calls.begin(), calls.end());
  RecordProperty("call_p99_us", static_cast<int>(calls[calls.size() * 99 / 100] / 1000));
  EXPECT_LT(calls[calls.size() / 2], 50'000) << "the engine never waits";
  std::map<std::string, std::int64_t> last;
  for (json toast = daemon_.toast(100); !toast.empty(); toast = daemon_.toast(100)) {
    const std::int64_t at = toast["monotonic_ns"].get<std::int64_t>(), before = last[toast["summary"]];
    EXPECT_GT(at - before, 1'900'000'000) << toast;
    last[toast["summary"]] = at;
  }
  EXPECT_EQ(last.size(), 3U);
}

TEST_F(Toast, OfADaemonThatComesLateIsShownWhenItIsThere) {
  const auto outbox = Outbox::start(options_);
  outbox->fired(alert("late", Level::red));
  ASSERT_TRUE(said(*outbox, "no notification daemon answers"));
  daemon_.start(bus_);
  EXPECT_EQ(daemon_.toast()["summary"], "■ Red: late");
  ASSERT_TRUE(said(*outbox, "toasts are shown again"));
  EXPECT_EQ(words_.find("no notification"), words_.rfind("no notification")) << "said once";
  EXPECT_GE(outbox->counts().toast.unreachable, 1U);
}

TEST_F(Toast, WithoutABusIsSaidOnceAndShownWhenThereIsOne) {
  bus_.daemon().end();
  const auto outbox = Outbox::start(options_);
  outbox->fired(alert("a", Level::yellow));
  outbox->fired(alert("b", Level::yellow));
  ASSERT_TRUE(said(*outbox, "no session bus at"));
  ASSERT_TRUE(eventually([&] { return outbox->counts().toast.unreachable >= 3; }));
  EXPECT_TRUE(outbox->take_words().empty()) << "once";
  bus_.start(home_);
  daemon_.start(bus_);
  EXPECT_FALSE(daemon_.toast().empty());
  EXPECT_FALSE(daemon_.toast().empty());
  balanced(outbox->counts());
}

TEST_F(Toast, ThatEndedBeforeAnybodySawItIsNotShown) {
  const auto outbox = Outbox::start(options_);
  const AlertEvent gone = alert("gone", Level::red);
  outbox->fired(gone);
  outbox->cleared(over(gone));
  outbox->fired(alert("stays", Level::red));
  ASSERT_TRUE(said(*outbox, "no notification daemon answers"));
  daemon_.start(bus_);
  EXPECT_EQ(daemon_.toast()["summary"], "■ Red: stays");
  EXPECT_TRUE(daemon_.toast(400).empty());
  const auto counts = outbox->counts();
  EXPECT_EQ(counts.toast.superseded, 1U);
  balanced(counts);
}

TEST_F(Toast, OfAHungDaemonIsSentOnceAndTheEngineGoesOn) {
  daemon_.start(bus_);
  const auto outbox = Outbox::start(options_);
  outbox->fired(alert("before", Level::yellow));
  ASSERT_FALSE(daemon_.toast().empty());
  daemon_.peer().signal(SIGSTOP);
  outbox->fired(alert("storm", Level::red, 1));
  ASSERT_TRUE(eventually([&] { return outbox->counts().toast.attempts == 2; }));
  for (int i = 2; i < 100; ++i) outbox->fired(alert("storm", Level::red, i));
  ASSERT_TRUE(said(*outbox, "does not answer"));
  EXPECT_EQ(outbox->counts().toast.hung, 1U);
  daemon_.peer().signal(SIGCONT);
  // What was on its way when it hung, and the current state; not what was between.
  EXPECT_EQ(daemon_.toast()["summary"], "■ Red: storm");
  const json last = daemon_.toast();
  EXPECT_NE(last.value("body", "").find("99 > "), std::string::npos) << last;
  EXPECT_TRUE(daemon_.toast(300).empty());
  balanced(outbox->counts());
}

TEST_F(Toast, OfAHungBusIsSaidAndShownLater) {
  daemon_.start(bus_);
  bus_.daemon().signal(SIGSTOP);
  const auto outbox = Outbox::start(options_);
  outbox->fired(alert("a", Level::red));
  ASSERT_TRUE(said(*outbox, "does not answer"));
  bus_.daemon().signal(SIGCONT);
  EXPECT_EQ(daemon_.toast()["summary"], "■ Red: a");
}

TEST_F(Toast, LeavesWithinItsTimeWhateverHangs) {
  daemon_.start(bus_);
  auto outbox = Outbox::start(options_);
  outbox->fired(alert("a", Level::red));
  ASSERT_FALSE(daemon_.toast().empty());
  bus_.daemon().signal(SIGSTOP);
  outbox->fired(alert("b", Level::red));
  const std::int64_t before = system_clock().monotonic_ns();
  outbox.reset();
  EXPECT_LT(system_clock().monotonic_ns() - before, 2'200'000'000);
}

TEST_F(Toast, ThatWasRefusedIsTriedAgain) {
  daemon_.start(bus_);
  daemon_.tell("refuse 2");
  const auto outbox = Outbox::start(options_);
  outbox->fired(alert("a", Level::red));
  EXPECT_EQ(daemon_.toast()["summary"], "■ Red: a");
  ASSERT_TRUE(said(*outbox, "refused a toast"));
  EXPECT_EQ(outbox->counts().toast.failed, 2U);
  balanced(outbox->counts());
}

TEST_F(Toast, OfANewDaemonTakesNobodyElsesPlace) {
  daemon_.start(bus_);
  const auto outbox = Outbox::start(options_);
  outbox->fired(alert("a", Level::yellow));
  ASSERT_FALSE(daemon_.toast().empty());
  ASSERT_TRUE(eventually([&] { return outbox->counts().toast.delivered == 1; }));
  daemon_.peer().end();
  WrittenDaemon second;
  second.start(bus_);
  outbox->fired(alert("a", Level::red));
  const json toast = second.toast();
  EXPECT_EQ(toast["replaces"], 0) << "that number may be another program's toast here";
  const AlertEvent next = alert("a", Level::orange);
  outbox->fired(next);
  EXPECT_EQ(second.toast()["replaces"], toast["id"]);
}

TEST_F(Toast, IsNotRepeatedByAnEngineThatStartsAgainAndItsEndIsShown) {
  daemon_.start(bus_);
  const AlertEvent shown = alert("shown", Level::red), missed = alert("missed", Level::orange);
  auto outbox = Outbox::start(options_);
  outbox->fired(shown);
  const json first = daemon_.toast();
  ASSERT_TRUE(eventually([&] { return outbox->counts().toast.delivered == 1; }));
  outbox.reset();
  outbox = Outbox::start(options_);
  outbox->restore(std::vector{shown, missed});
  EXPECT_EQ(daemon_.toast()["summary"], "◆ Orange: missed") << "what nobody saw is shown";
  EXPECT_TRUE(daemon_.toast(500).empty()) << "what was seen is not repeated";
  ASSERT_TRUE(eventually([&] { return outbox->counts().toast.waiting == 0; }));
  outbox->cleared(over(shown));
  const json end = daemon_.toast();
  EXPECT_EQ(end["summary"], "● OK: shown");
  EXPECT_EQ(end["replaces"], first["id"]);
  balanced(outbox->counts());
}

TEST_F(Toast, WhoseAlertEndedWhileNoEngineRanIsClosed) {
  daemon_.start(bus_);
  auto outbox = Outbox::start(options_);
  outbox->fired(alert("shown", Level::red));
  const json first = daemon_.toast();
  ASSERT_TRUE(eventually([&] { return outbox->counts().toast.delivered == 1; }));
  outbox.reset();
  outbox = Outbox::start(options_);
  outbox->restore({});
  json call = daemon_.next();
  while (!call.empty() && call["call"] != "close") call = daemon_.next();
  EXPECT_EQ(call["id"], first["id"]);
}

TEST_F(Toast, ActionStartsTheToolOnThatTrace) {
  daemon_.start(bus_);
  options_.tool = home_ + "/tool";
  std::ofstream(options_.tool) << "#!/bin/sh\necho \"$@\" > " << home_ << "/started.part\nmv " << home_
                               << "/started.part " << home_ << "/started\n";
  ASSERT_EQ(::chmod(options_.tool.c_str(), 0700), 0);
  ::unsetenv("INVOCATION_ID");
  const auto outbox = Outbox::start(options_);
  const AlertEvent event = alert("a", Level::red);
  outbox->fired(event);
  const json toast = daemon_.toast();
  ASSERT_TRUE(eventually([&] { return outbox->counts().toast.delivered == 1; }));
  daemon_.tell("invoke " + std::to_string(toast["id"].get<int>()) + " trace");
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(home_ + "/started"); }));
  std::ifstream started(home_ + "/started");
  std::string words;
  std::getline(started, words);
  EXPECT_EQ(words, "view --home=" + home_ + " --trace=" + event.trace_id + " --idle=1h");
}

TEST_F(Toast, OfHostileTextIsOneLineWithoutControlsAndMarkup) {
  daemon_.start(bus_, "body,body-markup");
  const auto outbox = Outbox::start(options_);
  AlertEvent event = alert("<b>&\x1b[31m\n\u202e" + std::string(10'000, 'x'), Level::red);
  event.module = "<img src=x onerror=alert(1)>";
  event.unit = "<i>";
  outbox->fired(event);
  const json toast = daemon_.toast();
  const std::string summary = toast["summary"], body = toast["body"];
  EXPECT_LT(summary.size(), 200U);
  EXPECT_EQ(summary.find_first_of("\n\x1b"), std::string::npos);
  EXPECT_EQ(summary.find("\u202e"), std::string::npos);
  EXPECT_NE(summary.find("<b>&"), std::string::npos) << "a summary is plain text";
  EXPECT_EQ(body.find('<'), std::string::npos) << body;
  EXPECT_NE(body.find("&lt;img"), std::string::npos) << body;
}

TEST_F(Toast, BusOverTcpIsRefusedAndNoSocketOpened) {
  options_.bus_address = "tcp:host=127.0.0.1,port=1";
  const auto outbox = Outbox::start(options_);
  outbox->fired(alert("a", Level::red));
  ASSERT_TRUE(said(*outbox, "names no socket of this machine"));
  EXPECT_GE(outbox->counts().toast.not_allowed, 1U);
}

TEST_F(Toast, ThreadsEndWhenNothingFiresAndStartAgainWithTheNextAlert) {
  daemon_.start(bus_);
  options_.linger_ms = 100;
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
  };
  const auto before = threads();
  const auto outbox = Outbox::start(options_);
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(threads(), before) << "nothing fires, nothing runs";
    const AlertEvent event = alert("a", Level::red);
    outbox->fired(event);
    EXPECT_FALSE(daemon_.toast().empty());
    ASSERT_TRUE(eventually([&] { return outbox->counts().toast.waiting == 0; }));
    outbox->cleared(over(event));
    EXPECT_FALSE(daemon_.toast().empty());
    // 1 s for toasts of an earlier engine, then the linger.
    ASSERT_TRUE(eventually([&] { return threads() == before; }));
  }
}

TEST_F(Toast, OfATestAlertSaysSoAndTouchesNobodysMemory) {
  daemon_.start(bus_);
  auto engines = Outbox::start(options_);
  engines->fired(alert("a", Level::red));
  ASSERT_FALSE(daemon_.toast().empty());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(home_ + "/run/toasts"); }));
  options_.remembers = false;
  const auto outbox = Outbox::start(options_);
  outbox->fired(alert(std::string(alert::kTestSli), Level::yellow));
  EXPECT_EQ(daemon_.toast()["summary"], "▲ Yellow: honeytel_test (test alert)");
  ASSERT_TRUE(eventually([&] { return outbox->counts().toast.delivered == 1; }));
  EXPECT_TRUE(daemon_.next(1300).empty()) << "the engine's toast stays";
  std::ifstream file(home_ + "/run/toasts");
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(bytes.find("alert_2"), std::string::npos) << bytes;
  EXPECT_NE(bytes.find("alert_1"), std::string::npos) << bytes;
}

TEST_F(Toast, SwitchedOffIsRefusedAndSwitchedOnIsShown) {
  daemon_.start(bus_);
  options_.toast = false;
  const auto outbox = Outbox::start(options_);
  outbox->fired(alert("a", Level::red));
  EXPECT_TRUE(daemon_.toast(100).empty());
  options_.toast = true;
  outbox->configure(options_);
  EXPECT_EQ(daemon_.toast()["summary"], "■ Red: a");
  balanced(outbox->counts());
}

}  // namespace
}  // namespace honeylink::telemetry::test
