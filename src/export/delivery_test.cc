// A signal on its way to a peer that is there, not there, slow or unwilling: everything that is stored arrives, and
// what arrives twice was counted.
#include "export/delivery.h"

#include <gtest/gtest.h>

#include <thread>

#include "consent/testing_home.h"
#include "export/span_source.h"
#include "export/testing_peer.h"
#include "store/span_pack.h"
#include "store/test_support.h"
#include "store/trace_store.h"

namespace honeylink::telemetry::exporting {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kHour = 3'600'000'000'000;

/// A store that is filled as the engine does it, and a delivery of its spans.
class SpanDelivery : public testing::Test {
 protected:
  void SetUp() override {
    store::StoreOptions options;
    options.home = home_.path();
    std::string said;
    store_ = store::TraceStore::open(options, said);
    ASSERT_NE(store_, nullptr) << said;
    ASSERT_NE(store_->begin_epoch(), 0U);
    consent::Grant grant{.endpoint = home_.endpoint(peer_.url()), .signals = {consent::Signal::traces}};
    grant.from_unix_ns = 0;
    home_.grant(grant);
  }

  void begin(std::size_t bytes_max = 100'000, std::int64_t from_unix_ns = 0) {
    auto source = std::make_unique<SpanSource>(store_->path(), from_unix_ns, store_->spans_stored());
    source_ = source.get();
    delivery_ = std::make_unique<Delivery>(home_.permit(peer_.url(), consent::Signal::traces), std::move(source),
                                           DeliveryOptions{home_.path() + "/traces.acked", nullptr, bytes_max});
    store_->tell_names(true);
    store_->set_span_groups([this](std::uint64_t first, std::uint64_t last) {
      const Acked::Part part = delivery_->acknowledged({first, last});
      return part == Acked::Part::some ? store::kSpansOfTwoGroups : part == Acked::Part::all ? 1 : 0;
    });
    delivery_->start();
  }

  /// Spans as a drain brings them: handed over, committed, told.
  void add(std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) {
      store_->add(store::make_span(source_of_spans_, added_++));
      if (i % 50 == 0) hand_over();
    }
    hand_over();
    ASSERT_EQ(store_->commit({}, store::stored(n), false), store::CommitResult::ok) << store_->why();
    if (source_ != nullptr) source_->committed(store_->spans_stored());
  }
  void hand_over() {
    if (delivery_ == nullptr) return;
    auto spans = std::make_shared<store::SpanHandOver>();
    if (!store_->hand_over(*spans)) return;
    source_->put(std::move(spans));
    delivery_->wake();
  }
  void pack() { ASSERT_EQ(store_->maintain(1'700'000'000'000'000'000 + kHour, kHour).result, store::CommitResult::ok); }
  void end() {
    if (delivery_ == nullptr) return;
    delivery_->stop();
    sum(delivery_->take_report());
    store_->set_span_groups({});
    delivery_.reset();
    source_ = nullptr;
  }
  void sum(const DeliveryReport& report) {
    sum_.sent += report.sent, sum_.resent += report.resent, sum_.failures += report.failures;
    sum_.refused += report.refused, sum_.unreadable += report.unreadable, sum_.backfilled += report.backfilled;
    sum_.rejected += report.rejected;
    for (const std::string& words : report.words) sum_.words.push_back(words);
  }
  [[nodiscard]] bool arrived(std::size_t n, std::chrono::seconds within = 20s) const {
    const auto until = std::chrono::steady_clock::now() + within;
    while (peer_.different() < n && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(2ms);
    return peer_.different() == n;
  }
  /// What arrived is counted a moment later.
  [[nodiscard]] std::uint64_t sent(std::uint64_t n) {
    const auto until = std::chrono::steady_clock::now() + 5s;
    while (sum_.sent < n && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(2ms);
      sum(delivery_->take_report());
    }
    return sum_.sent;
  }
  void TearDown() override { end(); }

  consent::TestHome home_;
  TestPeer peer_;
  const Source source_of_spans_ = store::make_source(1, {"_other", "session.establish", "peer"});
  std::unique_ptr<store::TraceStore> store_;
  SpanSource* source_ = nullptr;
  std::unique_ptr<Delivery> delivery_;
  std::uint64_t added_ = 0;
  DeliveryReport sum_;
};

TEST_F(SpanDelivery, YoungSpansArriveOnceEach) {
  begin();
  for (int i = 0; i < 20; ++i) add(100);
  ASSERT_TRUE(arrived(2000)) << peer_.different();
  EXPECT_EQ(sent(2000), 2000U);
  end();
  for (const auto& [id, n] : peer_.spans()) EXPECT_EQ(n, 1);
}

TEST_F(SpanDelivery, WhatWasStoredBeforeIsSentFromRowsAndBlocks) {
  add(9000);
  pack();
  add(500);
  begin();
  ASSERT_TRUE(arrived(9500)) << peer_.different();
  EXPECT_EQ(sent(9500), 9500U);
  end();
  EXPECT_EQ(sum_.backfilled, 9500U);
  for (const auto& [id, n] : peer_.spans()) EXPECT_EQ(n, 1);
  EXPECT_LE(peer_.largest(), 110'000U);
}

TEST_F(SpanDelivery, AnOutageLosesNothingAlthoughTheSpansArePackedMeanwhile) {
  begin();
  add(3000);
  ASSERT_TRUE(arrived(3000));
  peer_.set_status(503);
  for (int i = 0; i < 30; ++i) add(500);
  pack();
  add(700);
  peer_.set_status(200);
  ASSERT_TRUE(arrived(18'700, 60s)) << peer_.different();
  EXPECT_EQ(sent(18'700), 18'700U);
  end();
  std::uint64_t twice = 0;
  for (const auto& [id, n] : peer_.spans()) twice += static_cast<std::uint64_t>(n - 1);
  EXPECT_LE(twice, sum_.resent) << "what may arrive twice is counted";
  EXPECT_GT(sum_.failures, 0U);
  EXPECT_EQ(sum_.unreadable + sum_.refused, 0U);
  EXPECT_EQ(twice, 0U) << "the peer accepted none of the refused requests";
}

TEST_F(SpanDelivery, ARestartGoesOnWhereItEnded) {
  begin();
  add(1000);
  ASSERT_TRUE(arrived(1000));
  EXPECT_EQ(sent(1000), 1000U);
  end();
  peer_.set_status(503);
  begin();
  add(1000);
  std::this_thread::sleep_for(100ms);
  end();
  peer_.set_status(200);
  begin();
  add(10);
  ASSERT_TRUE(arrived(2010)) << peer_.different();
  end();
  for (const auto& [id, n] : peer_.spans()) EXPECT_EQ(n, 1);
}

TEST_F(SpanDelivery, WhatIsRefusedForGoodIsCountedAndNotTriedAgain) {
  begin();
  peer_.set_status(400);
  add(100);
  const auto until = std::chrono::steady_clock::now() + 5s;
  while (peer_.requests() == 0 && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(2ms);
  std::this_thread::sleep_for(300ms);
  const int requests = peer_.requests();
  peer_.set_status(200);
  add(50);
  ASSERT_TRUE(arrived(50));
  EXPECT_EQ(sent(50), 50U);
  end();
  EXPECT_EQ(sum_.refused, 100U);
  EXPECT_EQ(sum_.sent, 50U);
  EXPECT_EQ(sum_.failures, 0U);
  EXPECT_LE(requests, 3);
}

TEST_F(SpanDelivery, WhatIsTooLargeIsHalvedAndSentOnceMore) {
  add(400);
  begin();
  ASSERT_TRUE(arrived(400));  // in one request
  peer_.refuse_over(peer_.largest() * 3 / 5);
  end();
  add(400);
  begin();
  ASSERT_TRUE(arrived(800)) << peer_.different();
  end();
  EXPECT_EQ(sum_.refused, 0U);
}

TEST_F(SpanDelivery, APeerThatSpeaksHttpOnlyIsFoundOutAndLosesNothing) {
  consent::Grant grant{.endpoint = home_.endpoint(peer_.server().url()), .signals = {consent::Signal::traces}};
  grant.from_unix_ns = 0;
  home_.grant(grant);
  auto source = std::make_unique<SpanSource>(store_->path(), 0, store_->spans_stored());
  source_ = source.get();
  delivery_ = std::make_unique<Delivery>(home_.permit(peer_.server().url(), consent::Signal::traces), std::move(source),
                                         DeliveryOptions{home_.path() + "/http.acked", nullptr, 100'000});
  delivery_->start();
  add(100);
  ASSERT_TRUE(arrived(100)) << peer_.different();
  EXPECT_EQ(sent(100), 100U);
}

TEST_F(SpanDelivery, RetryAfterIsObeyed) {
  begin();
  peer_.set_status(503, "retry-after: 1\r\n");
  add(10);
  const auto until = std::chrono::steady_clock::now() + 5s;
  while (peer_.requests() == 0 && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(1ms);
  const auto begin_of_wait = std::chrono::steady_clock::now();
  peer_.set_status(200);
  ASSERT_TRUE(arrived(10));
  const auto waited = std::chrono::steady_clock::now() - begin_of_wait;
  EXPECT_GE(waited, 900ms);
  EXPECT_LE(waited, 2500ms);
}

TEST_F(SpanDelivery, APartialSuccessIsCountedAndNeverTriedAgain) {
  constexpr char kSevenRejected[] = {0x0a, 0x0b, 0x08, 7, 0x12, 7, 't', 'o', 'o', ' ', 'o', 'l', 'd'};
  peer_.set_response(std::string(kSevenRejected, sizeof kSevenRejected));
  begin();
  add(40);
  ASSERT_TRUE(arrived(40));
  std::this_thread::sleep_for(500ms);
  end();
  EXPECT_EQ(sum_.rejected, 7U * static_cast<std::uint64_t>(peer_.requests())) << "of each request";
  EXPECT_EQ(sum_.sent, 40U - sum_.rejected);
  EXPECT_EQ(sum_.failures + sum_.resent, 0U);
  EXPECT_EQ(sum_.words, std::vector<std::string>{"too old"});
  for (const auto& [id, n] : peer_.spans()) EXPECT_EQ(n, 1);
}

TEST_F(SpanDelivery, ALostAnswerMeansASecondTimeThatIsCounted) {
  begin();
  peer_.lose_answers(2);
  for (int i = 0; i < 5; ++i) add(40);
  ASSERT_TRUE(arrived(200));
  EXPECT_EQ(sent(200), 200U);
  end();
  std::uint64_t twice = 0;
  for (const auto& [id, n] : peer_.spans()) twice += static_cast<std::uint64_t>(n - 1);
  EXPECT_GT(twice, 0U);
  EXPECT_LE(twice, sum_.resent);
  EXPECT_EQ(store_->totals().stored, 200U) << "here nothing stands twice";
}

TEST_F(SpanDelivery, APeerThatHangsDelaysNoEnd) {
  begin();
  peer_.hang();
  add(10);
  const auto until = std::chrono::steady_clock::now() + 5s;
  while (peer_.requests() == 0 && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(1ms);
  const auto begin_of_end = std::chrono::steady_clock::now();
  end();
  EXPECT_LT(std::chrono::steady_clock::now() - begin_of_end, 2s);
}

TEST_F(SpanDelivery, ManyRequestsUseOneConnection) {
  begin();
  for (int i = 0; i < 20; ++i) {
    add(10);
    ASSERT_TRUE(arrived(static_cast<std::size_t>(10 * (i + 1))));
  }
  EXPECT_GE(peer_.requests(), 20);
  EXPECT_EQ(peer_.server().connections(), 1);
}

TEST_F(SpanDelivery, WhatWasRecordedBeforeTheGrantIsNeitherSentNorAnEmptyRequest) {
  add(100);
  begin(100'000, INT64_MAX);
  add(100);
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(peer_.requests(), 0);
}

TEST_F(SpanDelivery, NothingLeavesOnceItIsRevoked) {
  begin();
  add(10);
  ASSERT_TRUE(arrived(10));
  ASSERT_TRUE(home_.revoke(peer_.url()));
  const auto until = std::chrono::steady_clock::now() + 3s;
  while (!delivery_->ended() && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(5ms);
  EXPECT_TRUE(delivery_->ended());
  const std::size_t bytes = peer_.server().received_bytes();
  add(100);
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(peer_.server().received_bytes(), bytes);
}

TEST_F(SpanDelivery, DiscardedSpansAreSentWhenTheyComeAgain) {
  begin();
  add(100);
  ASSERT_TRUE(arrived(100));
  for (std::uint64_t i = 0; i < 50; ++i) store_->add(store::make_span(source_of_spans_, added_ + i));
  hand_over();
  ASSERT_TRUE(arrived(150));
  store_->discard_pending();
  source_->discard();
  delivery_->discarded(store_->spans_stored());
  add(50);
  ASSERT_TRUE(arrived(150));
  const auto until = std::chrono::steady_clock::now() + 5s;
  const auto again = [&] {
    int n = 0;
    for (const auto& [id, times] : peer_.spans()) n += times;
    return n;
  };
  while (again() < 200 && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(2ms);
  EXPECT_EQ(again(), 200) << "a second time rather than never";
}

TEST_F(SpanDelivery, MoreThanMemoryHoldsComesFromTheStore) {
  begin();
  peer_.set_status(503);
  for (int i = 0; i < 40; ++i) add(5000);
  peer_.set_status(200);
  ASSERT_TRUE(arrived(200'000, 60s)) << peer_.different();
}

}  // namespace
}  // namespace honeylink::telemetry::exporting
