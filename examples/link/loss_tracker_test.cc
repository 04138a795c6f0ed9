// Loss is a matter of time and reports only.
#include "loss_tracker.h"

#include <gtest/gtest.h>

namespace honeylink::link {
namespace {

using namespace std::chrono_literals;
constexpr Time kStart{1'000s};

struct Fates {
  LossTracker tracker{250ms};
  std::vector<std::uint64_t> acknowledged, lost;
  void report(std::initializer_list<std::uint64_t> counters) {
    ReceiveWindow window;
    for (const std::uint64_t counter : counters) window.accept(counter);
    tracker.report(window.seen(), [this](std::uint64_t counter) { acknowledged.push_back(counter); });
  }
  void expire(Time now) {
    tracker.expire(now, [this](std::uint64_t counter) { lost.push_back(counter); });
  }
};
using Counters = std::vector<std::uint64_t>;

TEST(LossTracker, PacketIsLostAtItsTimeoutAndNotBefore) {
  Fates fates;
  fates.tracker.sent(1, kStart);
  fates.tracker.sent(2, kStart + 100ms);
  fates.expire(kStart + 249ms);
  EXPECT_EQ(fates.lost, Counters{});
  fates.expire(kStart + 250ms);
  EXPECT_EQ(fates.lost, Counters{1});
  fates.expire(kStart + 350ms);
  EXPECT_EQ(fates.lost, (Counters{1, 2}));
  EXPECT_TRUE(fates.tracker.idle());
}

TEST(LossTracker, EveryPacketHasOneFate) {
  Fates fates;
  for (std::uint64_t counter = 1; counter <= 4; ++counter) fates.tracker.sent(counter, kStart);
  fates.report({1, 3});
  fates.report({1, 3});
  fates.expire(kStart + 1s);
  fates.report({1, 2, 3, 4});  // too late: 2 and 4 stay lost
  EXPECT_EQ(fates.acknowledged, (Counters{1, 3}));
  EXPECT_EQ(fates.lost, (Counters{2, 4}));
}

TEST(LossTracker, ReportOfPacketsNeverSentChangesNothing) {
  Fates fates;
  fates.tracker.sent(5, kStart);
  fates.report({1, 2, 900});
  EXPECT_EQ(fates.acknowledged, Counters{});
  EXPECT_FALSE(fates.tracker.idle());
}

TEST(LossTracker, SilenceBeginsWithThePacketThatNobodyAnswered) {
  Fates fates;
  EXPECT_EQ(fates.tracker.silence(kStart), 0s);
  fates.tracker.sent(1, kStart);
  EXPECT_EQ(fates.tracker.silence(kStart + 2s), 2s);
  fates.expire(kStart + 2s);
  EXPECT_EQ(fates.tracker.silence(kStart + 3s), 3s) << "giving a packet up is not hearing from the other side";
  fates.tracker.sent(2, kStart + 3s);
  fates.report({2});
  EXPECT_EQ(fates.tracker.silence(kStart + 9s), 0s);
}

}  // namespace
}  // namespace honeylink::link
