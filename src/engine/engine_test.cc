// The engine over rings made by hand: what they hold arrives once, what they lost is counted, what they lie about hurts
// nobody.
#include "engine/engine.h"

#include "engine/testing_home.h"

namespace honeylink::telemetry::engine {
namespace {

using ring::ChunkState;
using ring::kFlagKept;

TEST(Engine, LiveRingReachesTheStores) {
  TestHome home;
  LivingRing ring(home, 1);
  ring->take(0, 0);
  for (std::uint64_t i = 0; i < 3; ++i) ring->append(0, LivingRing::span(kFlagKept, i));
  for (int i = 0; i < 2; ++i) ring->append(0, LivingRing::log());
  TestEngine e(home);
  ASSERT_TRUE(e.lead());
  e.settle();
  EXPECT_EQ(e.spans().stored, 3U);
  EXPECT_EQ(e.spans().accepted, 3U);
  EXPECT_EQ(e.app_logs_stored(), 2U);
}

TEST(Engine, NothingIsStoredTwiceByTheNextEngine) {
  TestHome home;
  LivingRing ring(home, 1);
  ring->take(0, 0);
  ring->append(0, LivingRing::span(kFlagKept, 1));
  ring->append(0, LivingRing::log());
  {
    TestEngine e(home);
    ASSERT_TRUE(e.lead());
    e.settle();
  }
  ring->append(0, LivingRing::span(kFlagKept, 2));
  TestEngine e(home);
  ASSERT_TRUE(e.lead());
  e.settle();
  EXPECT_EQ(e.spans().stored, 2U);
  EXPECT_EQ(e.app_logs_stored(), 1U);
}

TEST(Engine, StolenChunkIsCountedBySignal) {
  TestHome home;
  LivingRing ring(home, 1);
  ring->take(0, 0);
  ring->append(0, LivingRing::span(kFlagKept, 1));
  ring->append(0, LivingRing::span(0, 1));
  ring->append(0, LivingRing::log());
  ring->seal(0, 1, 1, 1);
  ring->take(0, 0);  // the same chunk again: its three records are gone
  ring->append(0, LivingRing::span(kFlagKept, 2));
  TestEngine e(home);
  ASSERT_TRUE(e.lead());
  e.settle();
  EXPECT_EQ(e.spans().accepted, 3U);
  EXPECT_EQ(e.spans().stored, 1U);
  EXPECT_EQ(e.spans().dropped["buffer_full"], 2U);
  EXPECT_EQ(e.logs().dropped["buffer_full"], 1U);
}

TEST(Engine, RecordsThatFoundNoChunkAreCounted) {
  TestHome home;
  LivingRing ring(home, 1);
  ring->take(0, 0);
  ring->append(0, LivingRing::span(kFlagKept, 1));
  ring->seal(0, 1, 0, 0);
  auto& slot = ring->slot(0);
  slot.totals[(slot.seal_seq + 1) & 1][0] = 5;  // four more took an ordinal and no place
  slot.seal_seq = slot.seal_seq + 1;
  TestEngine e(home);
  ASSERT_TRUE(e.lead());
  e.settle();
  EXPECT_EQ(e.spans().accepted, 5U);
  EXPECT_EQ(e.spans().stored, 1U);
  EXPECT_EQ(e.spans().dropped["buffer_full"], 4U);
}

TEST(Engine, FullChunkIsReleasedOnlyWhenBothSinksHaveCommitted) {
  TestHome home;
  LivingRing ring(home, 1);
  ring->take(0, 0);
  ring->append(0, LivingRing::span(kFlagKept, 1));
  ring->append(0, LivingRing::log());
  ring->seal(0, 1, 0, 1);
  TestEngine e(home);
  ASSERT_TRUE(e.lead());
  e.engine->step();  // the logs are committed at once, the spans 200 ms later
  EXPECT_EQ(ring->chunk(0).released.load(), 0U);
  e.settle();
  EXPECT_EQ(ring->chunk(0).released.load(), ring::generation_of(ring->chunk(0).word));
}

TEST(Engine, ThreadsWithoutASlotAreCounted) {
  TestHome home;
  LivingRing ring(home, 1);
  ring->header().no_slot[0] = 3;
  ring->header().no_slot[2] = 2;
  for (int round = 0; round < 2; ++round) {
    TestEngine e(home);
    ASSERT_TRUE(e.lead());
    e.settle();
    EXPECT_EQ(e.spans().dropped["too_many_threads"], 3U);
    EXPECT_EQ(e.logs().dropped["too_many_threads"], 2U);
  }
}

TEST(Engine, UnsampledSpansAreCountedAndLeftOut) {
  TestHome home;
  LivingRing ring(home, 1);
  ring->take(0, 0);
  for (std::uint64_t i = 0; i < 4; ++i) ring->append(0, LivingRing::span(0, i));
  TestEngine e(home);
  ASSERT_TRUE(e.lead());
  e.settle();
  EXPECT_EQ(e.spans().stored, 0U);
  EXPECT_EQ(e.spans().dropped["sampled_out"], 4U);
}

TEST(Engine, ErrorFetchesItsTraceOutOfThePoolOnce) {
  TestHome home;
  LivingRing ring(home, 1);
  ring->take(0, 0);
  for (std::uint64_t i = 0; i < 3; ++i) ring->append(0, LivingRing::span(0, 7));
  ring->append(0, LivingRing::span(0, 8));
  TestEngine e(home);
  ASSERT_TRUE(e.lead());
  e.settle();
  EXPECT_EQ(e.spans().stored, 0U);
  ring->append(0, LivingRing::span(0, 7, 2));  // the trace ends in an error
  ring->append(0, LivingRing::span(0, 7));     // and goes on
  e.settle();
  EXPECT_EQ(e.spans().stored, 5U);
  EXPECT_EQ(e.spans().retro_kept, 3U);
  EXPECT_EQ(e.spans().dropped["sampled_out"], 4U);
  EXPECT_EQ(e.spans().accepted + e.spans().retro_kept, e.spans().stored + e.spans().dropped_total());
  e.engine->stand_down();
  TestEngine next(home);
  ASSERT_TRUE(next.lead());
  ring->append(0, LivingRing::span(0, 7));
  next.settle();
  EXPECT_EQ(next.spans().stored, 6U) << "the mark survives the engine";
  EXPECT_EQ(next.spans().retro_kept, 3U) << "nothing is fetched twice";
}

TEST(Engine, MarkReachesTheSameTraceInAnotherProcess) {
  TestHome home;
  LivingRing first(home, 1), second(home, 2);
  const auto id =
      IdCipher({1, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f}, {})
          .trace_id(7);
  ring::SpanRecord foreign{};
  foreign.header.flags = ring::kFlagTraceForeign;
  foreign.header.name = 1;
  for (int i = 0; i < 8; ++i)
    foreign.trace_hi = foreign.trace_hi << 8 | id[static_cast<std::size_t>(i)],
    foreign.trace_lo = foreign.trace_lo << 8 | id[static_cast<std::size_t>(8 + i)];
  second->take(0, 0);
  second->append(0, ring::test_record(foreign));
  TestEngine e(home);
  ASSERT_TRUE(e.lead());
  e.settle();
  EXPECT_EQ(e.spans().stored, 0U);
  first->take(0, 0);
  first->append(0, LivingRing::span(0, 7, 2));
  e.settle();
  EXPECT_EQ(e.spans().stored, 2U);
}

TEST(Engine, RetroactiveKeepHasABudgetASecond) {
  TestHome home;
  LivingRing ring(home, 1);
  ring->take(0, 0);
  for (std::uint64_t i = 0; i < 130; ++i) ring->append(0, LivingRing::span(0, i, 2));
  TestEngine e(home);
  ASSERT_TRUE(e.lead());
  e.settle();
  EXPECT_EQ(e.spans().stored, 100U);
  EXPECT_EQ(e.spans().dropped["sampled_out"], 30U);
  EXPECT_EQ(e.engine->core()->retro.over_budget, 30U);
}

TEST(Engine, CountersBecomeDifferencesOverTicksAndEngines) {
  TestHome home;
  LivingRing ring(home, 1);
  ring->series(0, ring::InstrumentKind::counter, {3, 4, 0, 0});
  std::uint64_t* cells = ring->slab(0, 0, 1);
  cells[0] = 5;
  std::uint64_t accepted = 0;
  for (const std::uint64_t add : {std::uint64_t{0}, std::uint64_t{2}, std::uint64_t{0}}) {
    TestEngine e(home);
    ASSERT_TRUE(e.lead());
    cells[0] += add;
    e.tick();
    accepted = e.engine->core()->metrics->totals().accepted;
    EXPECT_EQ(e.engine->core()->metrics->totals().stored, accepted);
    ASSERT_EQ(e.engine->core()->rings.size(), 1U);
    EXPECT_EQ(e.engine->core()->rings.begin()->second->bases.scalars.at(0), cells[0]);
  }
}

TEST(Engine, FlushIsAnsweredWhenAllIsCommitted) {
  TestHome home;
  LivingRing ring(home, 1);
  ring->take(0, 0);
  ring->append(0, LivingRing::span(kFlagKept, 1));
  ring->header().flush_request = 4;
  TestEngine e(home);
  ASSERT_TRUE(e.lead());
  e.engine->step();
  EXPECT_EQ(ring->header().flush_done.load(), 4U);
  EXPECT_EQ(e.spans().stored, 1U);
}

TEST(Engine, DeadRingIsDrainedClosedCommittedUnlinkedForgotten) {
  TestHome home;
  LivingRing ring(home, 1);
  ring->series(0, ring::InstrumentKind::counter, {3, 4, 0, 0});
  ring->slab(0, 0, 1)[0] = 5;
  ring->take(0, 0);
  ring->append(0, LivingRing::span(kFlagKept, 1));
  ring->append(0, LivingRing::span(0, 2));  // unsampled, and of the last ten seconds
  ring->carve(1, 0);
  auto& open = ring->span_slot(1, 0);
  const auto record = LivingRing::span(kFlagKept, 3);
  std::memcpy(open.bytes, record.data(), record.size());
  open.extent = ring::make_extent(static_cast<std::uint32_t>(record.size()), 0);
  open.word = static_cast<std::uint64_t>(ring::SpanSlotState::open);
  TestEngine e(home);
  ASSERT_TRUE(e.lead());
  e.settle();
  EXPECT_EQ(e.spans().stored, 1U);
  ring.die();
  e.tick();
  e.tick();
  EXPECT_EQ(e.spans().stored, 3U);
  EXPECT_EQ(e.spans().retro_kept, 1U);
  EXPECT_EQ(e.spans().accepted, 3U);
  EXPECT_FALSE(ring.exists());
  EXPECT_TRUE(e.engine->core()->rings.empty());
  EXPECT_TRUE(e.engine->core()->traces->cursors().empty());
  const auto crashes = e.engine->core()->traces->crashes();
  ASSERT_EQ(crashes.size(), 1U);
  EXPECT_EQ(crashes[0].service, "tested");
  EXPECT_EQ(crashes[0].open_spans, 1U);
  EXPECT_EQ(e.spans().accepted + e.spans().retro_kept, e.spans().stored + e.spans().dropped_total());
}

TEST(Engine, CleanExitIsNoCrash) {
  TestHome home;
  LivingRing ring(home, 1);
  ring->take(0, 0);
  ring->append(0, LivingRing::span(0, 2));
  ring->header().clean = 1;
  ring.die();
  TestEngine e(home);
  ASSERT_TRUE(e.lead());
  e.tick();
  e.tick();
  EXPECT_FALSE(ring.exists());
  EXPECT_EQ(e.spans().stored, 0U);
  EXPECT_TRUE(e.engine->core()->traces->crashes().empty());
}

TEST(Engine, HostileRingIsIgnoredAndTheOthersAreServed) {
  TestHome home;
  LivingRing good(home, 1), bad(home, 2), short_one(home, 3);
  good->take(0, 0);
  good->append(0, LivingRing::span(kFlagKept, 1));
  bad->take(0, 0);
  bad->append(0, LivingRing::span(kFlagKept, 1));
  bad->chunk_data(0)[2] = 99;  // a type that does not exist
  ASSERT_EQ(ftruncate(short_one->fd(), 100), 0);
  TestEngine e(home);
  ASSERT_TRUE(e.lead());
  e.settle();
  e.settle();
  EXPECT_EQ(e.spans().stored, 1U);
  EXPECT_EQ(e.engine->core()->self.hostile_rings, 2U);
  good->append(0, LivingRing::span(kFlagKept, 2));
  e.settle();
  EXPECT_EQ(e.spans().stored, 2U);
  EXPECT_EQ(e.engine->core()->self.hostile_rings, 2U) << "said once";
}

TEST(Engine, RingOfAnotherBootIsCountedNotDrained) {
  TestHome home;
  LivingRing ring(home, 1);
  ring->take(0, 0);
  ring->append(0, LivingRing::span(kFlagKept, 1));
  ring->append(0, LivingRing::log());
  ring->seal(0, 1, 0, 1);
  ring->header().boot_id[0] = static_cast<std::uint8_t>(ring->header().boot_id[0] + 1);
  ring.die();
  TestEngine e(home);
  ASSERT_TRUE(e.lead());
  e.settle();
  EXPECT_EQ(e.spans().dropped["power_loss"], 1U);
  EXPECT_EQ(e.logs().dropped["power_loss"], 1U);
  EXPECT_FALSE(ring.exists());
}

TEST(Engine, WhatASuccessorUnlinkedIsCountedOnce) {
  TestHome home;
  LivingRing ring(home, 1);
  ring->header().unlinked[0].ring_id[0] = 9;
  ring->header().unlinked[0].accepted[0] = 6;
  ring->header().unlinked[0].accepted[2] = 2;
  ring->header().unlinked_count = 1;
  for (int round = 0; round < 2; ++round) {
    TestEngine e(home);
    ASSERT_TRUE(e.lead());
    e.settle();
    EXPECT_EQ(e.spans().dropped["no_engine"], 6U);
    EXPECT_EQ(e.logs().dropped["no_engine"], 2U);
  }
}

TEST(Engine, OneLeadsAndAnEmbeddedOneGivesWay) {
  TestHome home;
  TestEngine embedded(home, Mode::embedded), agent(home, Mode::agent), third(home, Mode::agent);
  ASSERT_TRUE(embedded.lead());
  EXPECT_FALSE(agent.lead());  // says that it waits
  embedded.clock.advance(1'000'000'000);
  embedded.engine->step();
  EXPECT_FALSE(embedded.engine->leads());
  EXPECT_FALSE(embedded.lead()) << "an agent waits";
  EXPECT_TRUE(agent.lead());
  EXPECT_FALSE(third.lead());
}

TEST(Engine, ClockStepIsSaidAndNothingIsOverwritten) {
  TestHome home;
  LivingRing ring(home, 1);
  ring->series(0, ring::InstrumentKind::counter, {3, 4, 0, 0});
  std::uint64_t* cells = ring->slab(0, 0, 1);
  TestEngine e(home);
  ASSERT_TRUE(e.lead());
  cells[0] = 1;
  e.tick();
  const auto before = e.engine->core()->metrics->totals().stored;
  const auto commits = e.engine->core()->metrics->next_commit_no();
  e.clock.step(-3LL * 86400 * 1'000'000'000);
  cells[0] = 2;
  e.tick();
  e.tick();
  EXPECT_GT(e.engine->core()->metrics->totals().stored, before);
  EXPECT_GT(e.engine->core()->metrics->next_commit_no(), commits);
  EXPECT_EQ(e.engine->core()->self.clock_steps, 1U);
}

TEST(Engine, LedgerBalancesWithRecordsStillInTheRing) {
  TestHome home;
  LivingRing ring(home, 1);
  ring->take(0, 0);
  for (std::uint64_t i = 0; i < 5; ++i) ring->append(0, LivingRing::span(i % 2 == 0 ? kFlagKept : 0, i));
  TestEngine e(home);
  ASSERT_TRUE(e.lead());
  e.tick();
  const auto& ledger = e.engine->core()->last_ledger;
  ASSERT_TRUE(ledger.has_value());
  for (const auto* signal : {&ledger->spans, &ledger->logs, &ledger->metrics})
    EXPECT_EQ(signal->totals.accepted + signal->totals.retro_kept,
              signal->totals.stored + signal->totals.dropped_total() + signal->in_ring);
  EXPECT_EQ(ledger->spans.totals.accepted, 5U);
}

}  // namespace
}  // namespace honeylink::telemetry::engine
