// The scheduler's promises: order, rate, and who gives way.
#include "scheduler.h"

#include <gtest/gtest.h>

#include <random>

namespace honeylink::link {
namespace {

using namespace std::chrono_literals;
constexpr Time kStart{1'000s};
constexpr QueuedPacket kControl{Priority::control, 100}, kRealtime{Priority::realtime, 100}, kBulk{Priority::bulk, 100};

TEST(Scheduler, FullQueueDropsTheLowestPriorityFirst) {
  Scheduler scheduler(3, 1e6, 1e6, kStart);
  EXPECT_FALSE(scheduler.offer(kBulk));
  EXPECT_FALSE(scheduler.offer(kRealtime));
  EXPECT_FALSE(scheduler.offer(kBulk));
  EXPECT_EQ(scheduler.offer(kControl)->priority, Priority::bulk);
  EXPECT_EQ(scheduler.offer(kControl)->priority, Priority::bulk);
  EXPECT_EQ(scheduler.offer(kControl)->priority, Priority::realtime);
  EXPECT_EQ(scheduler.offer(kControl)->priority, Priority::control) << "only equals are left: the newcomer is refused";
  EXPECT_EQ(scheduler.size(), 3U);
}

TEST(Scheduler, NewcomerOfTheLowestPriorityIsRefusedWhenFull) {
  Scheduler scheduler(2, 1e6, 1e6, kStart);
  EXPECT_FALSE(scheduler.offer(kRealtime));
  EXPECT_FALSE(scheduler.offer({Priority::bulk, 1}));
  const auto dropped = scheduler.offer({Priority::bulk, 2});
  ASSERT_TRUE(dropped);
  EXPECT_EQ(dropped->bytes, 2U);
}

TEST(Scheduler, HighestPriorityGoesFirstAndEqualsKeepTheirOrder) {
  Scheduler scheduler(8, 1e6, 1e6, kStart);
  for (const QueuedPacket packet :
       {QueuedPacket{Priority::bulk, 1}, {Priority::realtime, 2}, {Priority::realtime, 3}, {Priority::control, 4}}) {
    EXPECT_FALSE(scheduler.offer(packet));
  }
  for (const std::uint32_t bytes : {4U, 2U, 3U, 1U}) EXPECT_EQ(scheduler.next(kStart)->bytes, bytes);
  EXPECT_FALSE(scheduler.next(kStart));
}

TEST(Scheduler, BucketLimitsTheRateAndItsBurst) {
  Scheduler scheduler(1'000, 1'000, 200, kStart);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(scheduler.offer(kBulk));
  int sent = 0;
  const auto drain = [&](Time now) {
    for (; scheduler.next(now); ++sent) {}
  };
  drain(kStart);
  EXPECT_EQ(sent, 2) << "the burst";
  for (auto at = kStart; at <= kStart + 2s; at += 10ms) drain(at);
  EXPECT_EQ(sent, 2 + 20) << "1,000 bytes per second are ten packets of 100";
  drain(kStart + 100s);
  EXPECT_EQ(sent, 2 + 20 + 2) << "a pause saves up no more than the burst";
}

TEST(Scheduler, ClockThatGoesBackGivesNothing) {
  Scheduler scheduler(4, 1'000, 100, kStart);
  EXPECT_FALSE(scheduler.offer(kBulk));
  EXPECT_FALSE(scheduler.offer(kBulk));
  EXPECT_TRUE(scheduler.next(kStart));
  EXPECT_FALSE(scheduler.next(kStart - 1h));
  EXPECT_FALSE(scheduler.next(kStart));
}

TEST(Scheduler, EveryOfferedPacketIsSentDroppedOrQueued) {
  std::mt19937_64 random(7);
  Scheduler scheduler(16, 20'000, 500, kStart);
  std::uint64_t offered = 0, dropped = 0, sent = 0;
  Time now = kStart;
  for (int i = 0; i < 20'000; ++i) {
    now += std::chrono::microseconds(random() % 9'000);
    ++offered;
    const QueuedPacket packet{static_cast<Priority>(random() % kPriorities),
                              static_cast<std::uint32_t>(random() % 400)};
    const auto out = scheduler.offer(packet);
    dropped += out ? 1 : 0;
    if (out) { ASSERT_GE(out->priority, packet.priority) << "a higher priority never gives way to a lower one"; }
    while (scheduler.next(now)) ++sent;
    ASSERT_LE(scheduler.size(), 16U);
    ASSERT_EQ(offered, dropped + sent + scheduler.size());
  }
  EXPECT_GT(dropped, 0U);
  EXPECT_GT(sent, 0U);
}

}  // namespace
}  // namespace honeylink::link
