// The board without its peers: its ways are played by the test's thread, which does what a way's thread does.
#include "alert/board.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "base/clock.h"

namespace honeylink::telemetry::alert {
namespace {

/// A way that only waits to be ended, so that the test may pull in its place.
void stand_still(Board& board, Way way) {
  while (!board.stopping()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  static_cast<void>(board.pull(way));
  while (!board.may_end(way)) {}
}

class TheBoard : public testing::Test {
 protected:
  void SetUp() override {
    OutboxOptions options;
    options.home = "/nonexistent";
    options.alertmanager = "http://127.0.0.1:1";
    start(options);
  }
  void TearDown() override { board_->stop(); }
  void start(const OutboxOptions& options) {
    board_ = std::make_shared<Board>(
        options, std::array<Board::Run, kWays>{[](Board& board) { stand_still(board, Way::toast); },
                                               [](Board& board) { stand_still(board, Way::alertmanager); }});
  }
  static AlertEvent alert(const std::string& sli, const std::string& id, Level level = Level::red) {
    AlertEvent event;
    event.alert_id = id;
    event.sli_name = sli;
    event.severity = level;
    event.timestamp_unix_ns = system_clock().realtime_ns();
    return event;
  }
  void balanced() const {
    const OutboxCounts counts = board_->counts();
    for (const WayCounts* way : {&counts.toast, &counts.alertmanager})
      ASSERT_EQ(way->alerts, way->delivered + way->superseded + way->refused + way->waiting);
  }
  std::shared_ptr<Board> board_;
};

TEST_F(TheBoard, HoldsTheLatestOfEachServiceLevel) {
  board_->fired(alert("a", "1"), false);
  board_->fired(alert("a", "2"), false);
  board_->fired(alert("b", "3"), false);
  const Changes changes = board_->pull(Way::toast);
  ASSERT_EQ(changes.entries.size(), 2U);
  EXPECT_EQ(changes.entries[0].event.alert_id, "2");
  EXPECT_EQ(changes.entries[1].event.alert_id, "3");
  EXPECT_TRUE(board_->pull(Way::toast).entries.empty()) << "seen";
  EXPECT_EQ(board_->pull(Way::alertmanager).entries.size(), 2U) << "each way for itself";
  EXPECT_EQ(board_->counts().toast.superseded, 1U);
  balanced();
}

TEST_F(TheBoard, AnAlertThatFiresAgainIsNoNewOne) {
  board_->fired(alert("a", "1"), false);
  static_cast<void>(board_->pull(Way::toast));
  board_->fired(alert("a", "1"), false);
  EXPECT_TRUE(board_->pull(Way::toast).entries.empty());
  EXPECT_EQ(board_->counts().toast.alerts, 1U);
}

TEST_F(TheBoard, TheEndOfAnOvertakenAlertChangesNothing) {
  board_->fired(alert("a", "yellow"), false);
  board_->fired(alert("a", "red"), false);
  board_->cleared(alert("a", "yellow"));
  const Changes changes = board_->pull(Way::toast);
  ASSERT_EQ(changes.entries.size(), 1U);
  EXPECT_TRUE(changes.entries[0].firing);
  board_->cleared(alert("a", "red"));
  EXPECT_FALSE(board_->pull(Way::toast).entries.at(0).firing);
  balanced();
}

TEST_F(TheBoard, SameNamesOfOtherModulesEnvironmentsAndRulesAreOthers) {
  AlertEvent one = alert("a", "1"), two = alert("a", "2"), three = alert("a", "3"), four = alert("a", "4");
  one.module = "x";
  two.environment = "x";
  four.threshold_type = "burn_rate";
  for (const AlertEvent& event : {one, two, three, four}) board_->fired(event, false);
  EXPECT_EQ(board_->pull(Way::toast).entries.size(), 4U);
}

TEST_F(TheBoard, RefusesMoreLevelsThanItHasRoomForAndSaysSoOnce) {
  for (std::size_t i = 0; i < kLevelsMax + 5; ++i)
    board_->fired(alert("sli" + std::to_string(i), std::to_string(i)), false);
  EXPECT_EQ(board_->counts().toast.refused, 5U);
  EXPECT_EQ(board_->take_words().size(), 1U);
  balanced();
  // An end makes room, once every way has seen it.
  board_->cleared(alert("sli0", "0"));
  board_->fired(alert("new", "n"), false);
  EXPECT_EQ(board_->counts().toast.refused, 6U) << "its end is not told yet";
  static_cast<void>(board_->pull(Way::toast));
  static_cast<void>(board_->pull(Way::alertmanager));
  board_->fired(alert("new", "n"), false);
  EXPECT_EQ(board_->counts().toast.refused, 6U);
  balanced();
}

TEST_F(TheBoard, WhatNobodyFetchesIsBounded) {
  for (std::size_t i = 0; i < kDeliveriesMax + 3; ++i) {
    board_->fired(alert("a", std::to_string(i)), false);
    board_->delivered(Way::toast, board_->pull(Way::toast).entries.at(0));
  }
  EXPECT_EQ(board_->take_deliveries().size(), kDeliveriesMax);
  EXPECT_EQ(board_->counts().deliveries_dropped, 3U);
  for (std::size_t i = 0; i < kWordsMax + 2; ++i) board_->say(std::to_string(i), "words");
  EXPECT_EQ(board_->take_words().size(), kWordsMax);
  EXPECT_EQ(board_->counts().words_dropped, 2U);
}

TEST_F(TheBoard, AConditionIsSaidAgainOnlyAfterItHasPassed) {
  board_->say("c", "down");
  board_->say("c", "down");
  EXPECT_EQ(board_->take_words().size(), 1U);
  board_->passed("c", "up");
  board_->passed("c", "up");
  EXPECT_EQ(board_->take_words(), std::vector<std::string>{"up"});
  board_->say("c", "down");
  EXPECT_EQ(board_->take_words(), std::vector<std::string>{"down"});
}

TEST_F(TheBoard, AWayThatIsOffIsOwedNothingAndStartsNoThread) {
  board_->stop();
  OutboxOptions options;
  options.toast = false;
  start(options);
  board_->fired(alert("a", "1"), false);
  EXPECT_EQ(board_->counts().toast.alerts, 0U);
  EXPECT_EQ(board_->wake_fd(Way::toast), -1);
  EXPECT_EQ(board_->wake_fd(Way::alertmanager), -1);
}

TEST_F(TheBoard, WhereNothingFiresNoThreadStartsAndNothingIsOpened) {
  board_->restored();
  OutboxOptions options;
  options.home = "/nonexistent";
  options.alertmanager = "http://127.0.0.1:2";
  board_->configure(options);
  static_cast<void>(board_->counts());
  EXPECT_EQ(board_->wake_fd(Way::toast), -1);
  EXPECT_EQ(board_->wake_fd(Way::alertmanager), -1);
}

// Random calls against a model that keeps one line per service level: what a way is told last is what is so, and every
// alert is accounted for at every moment.
TEST_F(TheBoard, TellsEachWayWhatIsSoAndBalancesAfterAnyOrderOfCalls) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  std::map<std::string, std::pair<std::string, bool>> model, told[kWays];  // sli -> alert id, firing
  int last_id = 0;
  for (int step = 0; step < 20'000; ++step) {
    const std::string sli = "sli" + std::to_string(random() % 8);
    const auto what = random() % 10;
    if (what < 4) {
      const std::string id = std::to_string(++last_id);
      board_->fired(alert(sli, id), random() % 2 == 0);
      model[sli] = {id, true};
    } else if (what < 6 && model.contains(sli)) {
      const bool stale = random() % 3 == 0;
      board_->cleared(alert(sli, stale ? "0" : model[sli].first));
      if (!stale) model[sli].second = false;
    } else if (what < 9) {
      const std::size_t way = random() % kWays;
      for (const Entry& entry : board_->pull(static_cast<Way>(way)).entries) {
        told[way][entry.event.sli_name] = {entry.event.alert_id, entry.firing};
        if (entry.firing && random() % 2 == 0) board_->delivered(static_cast<Way>(way), entry);
      }
      ASSERT_EQ(told[way], model);
    } else {
      static_cast<void>(board_->take_deliveries());
    }
    balanced();
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace honeylink::telemetry::alert
