// Points of one destination, sent live and read back from the store: whichever way they take, a series' totals agree.
#include "export/metric_source.h"

#include <gtest/gtest.h>

#include <protozero/pbf_reader.hpp>
#include <random>
#include <set>

#include "base/sketch.h"
#include "store/metric_store.h"
#include "store/test_support.h"

namespace honeylink::telemetry::exporting {
namespace {

constexpr std::int64_t kBegin = 1'700'000'000;  // a whole hour is not needed

std::map<std::pair<std::string, std::uint64_t>, double> read(const std::string& request);

/// A metric store filled tick by tick, and what the totals should be.
class Points : public testing::Test {
 protected:
  void SetUp() override {
    std::string said;
    store_ = store::MetricStore::open(home_.options(), said);
    ASSERT_NE(store_, nullptr) << said;
    ASSERT_NE(store_->begin_epoch(), 0U);
    for (const auto kind : {MetricType::counter, MetricType::gauge, MetricType::histogram}) {
      SeriesInfo info;
      info.name = "m" + std::to_string(static_cast<int>(kind)), info.unit = "1", info.kind = kind;
      info.service_name = "s";
      sids_.push_back(store_->series_id(info));
    }
  }
  void begin() {
    source_ = std::make_unique<MetricSource>(
        MetricSourceOptions{store_->path(), home_.path + "/totals", kBegin * 1'000'000'000, last_tick_});
  }
  /// One tick: committed, and told to the source if there is one.
  void tick(std::int64_t seconds = 10) {
    last_tick_ = last_tick_ == 0 ? kBegin + 10 : last_tick_ + seconds;
    auto over = std::make_shared<MetricHandOver>();
    over->tick = true, over->tick_unix_s = last_tick_, over->time_unix_ns = last_tick_ * 1'000'000'000;
    std::vector<MetricDelta> deltas;
    for (std::size_t i = 0; i < sids_.size(); ++i) {
      MetricHandOver::Gain& gain = over->gains.emplace_back();
      gain.delta.sid = sids_[i];
      gain.delta.kind = std::array{MetricType::counter, MetricType::gauge, MetricType::histogram}[i];
      gain.delta.integer = random_() % 100;
      gain.delta.real = static_cast<double>(random_() % 100);
      gain.sketch.scale = 3, gain.sketch.offset = static_cast<int>(random_() % 5);
      gain.sketch.buckets = {1 + random_() % 4, random_() % 3, 1};
      for (const auto n : gain.sketch.buckets) gain.sketch.count += n;
      gain.sketch.sum = static_cast<double>(gain.sketch.count), gain.sketch.min = 1.5, gain.sketch.max = 1.6;
    }
    counter_ += over->gains[0].delta.integer, observations_ += over->gains[2].sketch.count;
    for (MetricHandOver::Gain& gain : over->gains) {
      deltas.push_back(gain.delta);
      if (gain.delta.kind == MetricType::histogram) deltas.back().sketch = &gain.sketch;
    }
    store::Counts counts;
    counts.accepted = counts.stored = deltas.size();
    ASSERT_EQ(store_->commit_tick(last_tick_, deltas, 0, 0, counts, {}, false), store::CommitResult::ok);
    counters_at_[last_tick_] = counter_, observations_at_[last_tick_] = observations_;
    if (source_ != nullptr) source_->put(over);
  }
  /// Checks every point of a request against what the totals were at its time.
  /// What the store holds of [at, end), in pieces that all arrive.
  void deliver_stored(std::uint64_t at, std::uint64_t end) {
    while (at < end) {
      auto batch = source_->stored({at, end}, 1000);
      ASSERT_TRUE(batch);
      expect_right(*batch);
      at = std::max(at, batch->range.last);
      source_->settled(*batch, at);
    }
  }
  void expect_right(const Batch& batch) {
    for (const auto& [of, value] : read(batch.request)) {
      const auto at = static_cast<std::int64_t>(of.second / 1'000'000'000);
      if (of.first == "m0") {
        EXPECT_EQ(value, static_cast<double>(counters_at_.at(at))) << at;
      } else if (of.first == "m4") {
        EXPECT_EQ(value, static_cast<double>(observations_at_.at(at))) << at;
      }
      seen_.insert(of);
    }
  }

  store::TempHome home_;
  std::unique_ptr<store::MetricStore> store_;
  std::unique_ptr<MetricSource> source_;
  std::vector<std::uint32_t> sids_;
  std::mt19937_64 random_{7};
  std::int64_t last_tick_ = 0;
  std::uint64_t counter_ = 0, observations_ = 0;
  std::map<std::int64_t, std::uint64_t> counters_at_, observations_at_;
  std::set<std::pair<std::string, std::uint64_t>> seen_;
};

using protozero::pbf_reader;

std::pair<std::uint64_t, double> read_point(pbf_reader point, bool histogram) {
  std::pair<std::uint64_t, double> read;
  while (point.next()) {
    if (point.tag() == 3) read.first = point.get_fixed64();
    else if (histogram && point.tag() == 4) read.second = static_cast<double>(point.get_fixed64());
    else if (!histogram && point.tag() == 4) read.second = point.get_double();
    else if (!histogram && point.tag() == 6) read.second = static_cast<double>(point.get_sfixed64());
    else point.skip();
  }
  return read;
}

// (metric, time) → value or count, by field numbers of its own.
std::map<std::pair<std::string, std::uint64_t>, double> read(const std::string& request) {
  std::map<std::pair<std::string, std::uint64_t>, double> points;
  for (pbf_reader all(request); all.next(1);) {
    for (auto of_resource = all.get_message(); of_resource.next(2);) {
      for (auto of_scope = of_resource.get_message(); of_scope.next(2);) {
        std::string name;
        for (auto metric = of_scope.get_message(); metric.next();) {
          if (metric.tag() == 1) {
            name = metric.get_string();
          } else if (metric.tag() == 5 || metric.tag() == 7 || metric.tag() == 10) {
            const bool histogram = metric.tag() == 10;
            for (auto data = metric.get_message(); data.next(1);) {
              const auto [time, value] = read_point(data.get_message(), histogram);
              points[{name, time}] = value;
            }
          } else {
            metric.skip();
          }
        }
      }
    }
  }
  return points;
}

TEST_F(Points, YoungOnesCarryTheTotalsSinceTheGrant) {
  tick(), tick();  // before anybody sends
  begin();
  for (int i = 0; i < 5; ++i) {
    tick();
    auto batch = source_->live(1 << 20);
    ASSERT_TRUE(batch);
    expect_right(*batch);
    EXPECT_FALSE(batch->part);
    source_->settled(*batch, batch->range.last);
  }
  EXPECT_EQ(seen_.size(), 15U);
}

TEST_F(Points, OfAGapAreReadBackWithTheSameTotalsThroughEveryTier) {
  begin();
  tick();
  auto first = source_->live(1 << 20);
  ASSERT_TRUE(first);
  Acked acked(source_->first_allowed());
  acked.add(first->range);
  source_->settled(*first, acked.floor());
  for (int i = 0; i < 3000; ++i) {  // eight hours that nobody acknowledges, packed meanwhile
    tick();
    const auto lost = source_->live(1 << 20);
    ASSERT_TRUE(lost);
    if (i % 1000 != 999) continue;
    ASSERT_EQ(store_->maintain(last_tick_, 3'600'000'000'000).result, store::CommitResult::ok);
  }
  seen_.clear();
  std::uint64_t before = acked.missing(source_->stored_below());
  EXPECT_GT(before, 2900U);
  for (int i = 0; i < 1000; ++i) {
    const auto gap = acked.first_gap(source_->stored_below());
    if (!gap) break;
    auto batch = source_->stored(*gap, 20'000);
    ASSERT_TRUE(batch);
    expect_right(*batch);
    acked.add(batch->range);
    source_->settled(*batch, acked.floor());
    if (i % 3 == 0) {  // life goes on
      tick();
      auto live = source_->live(1 << 20);
      ASSERT_TRUE(live);
      expect_right(*live);
      acked.add(live->range);
      source_->settled(*live, acked.floor());
    }
  }
  EXPECT_EQ(acked.missing(source_->stored_below()), 0U);
  // Counter and histogram of every tick, and the gauge.
  EXPECT_GE(seen_.size(), 9000U);
}

TEST_F(Points, ARestartGoesOnWithTheTotals) {
  begin();
  Acked acked(source_->first_allowed());
  for (int i = 0; i < 10; ++i) {
    tick();
    auto batch = source_->live(1 << 20);
    ASSERT_TRUE(batch);
    acked.add(batch->range);
    source_->settled(*batch, acked.floor());
  }
  source_->save();
  for (int i = 0; i < 10; ++i) tick();
  begin();
  for (int i = 0; i < 3; ++i) {
    tick();
    auto batch = source_->live(1 << 20);
    ASSERT_TRUE(batch);
    expect_right(*batch);
    acked.add(batch->range);
    source_->settled(*batch, acked.floor());
  }
  while (const auto gap = acked.first_gap(source_->stored_below())) {
    auto batch = source_->stored(*gap, 1 << 20);
    ASSERT_TRUE(batch);
    expect_right(*batch);
    acked.add(batch->range);
    source_->settled(*batch, acked.floor());
  }
  EXPECT_GE(seen_.size(), 39U);
}

TEST_F(Points, BetweenTwoTicksAddToTheTotalsAndAreSentOnceAValue) {
  begin();
  tick();
  auto batch = source_->live(1 << 20);
  ASSERT_TRUE(batch);
  auto look = std::make_shared<MetricHandOver>();
  look->time_unix_ns = last_tick_ * 1'000'000'000 + 5;
  look->gains.emplace_back().delta = {sids_[0], MetricType::counter, 7, 0, nullptr, {}};
  source_->put(look);
  auto young = source_->live(1 << 20);
  ASSERT_TRUE(young);
  EXPECT_EQ(read(young->request).begin()->second, static_cast<double>(counter_ + 7));
  EXPECT_TRUE(young->part);
  source_->put(look);
  EXPECT_FALSE(source_->live(1 << 20)) << "it has been sent";
}

TEST(MetricTotalsFile, ComesBackAndRefusesWhatIsBroken) {
  MetricTotals totals;
  Sketch sketch;
  sketch.scale = 3, sketch.buckets = {1, 2, 3}, sketch.count = 6, sketch.sum = 9, sketch.min = 1, sketch.max = 2;
  MetricDelta delta;
  delta.sid = 5, delta.kind = MetricType::histogram, delta.sketch = &sketch;
  totals.add(delta, 1);
  const std::string bytes = totals.bytes(77);
  MetricTotals again;
  std::uint64_t position = 0;
  ASSERT_TRUE(again.read(bytes, position));
  EXPECT_EQ(position, 77U);
  EXPECT_EQ(again.bytes(77), bytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_FALSE(again.read(bytes.substr(0, i), position));
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x10);
    EXPECT_FALSE(again.read(flipped, position)) << i;
  }
}

TEST_F(Points, AreRightAfterAnOutageThatMemoryDidNotHoldAndInWhichTheStoreWasHalfRead) {
  begin();
  for (int i = 0; i < 3; ++i) tick();
  while (auto batch = source_->live(1 << 20)) expect_right(*batch);  // none arrives
  const std::uint64_t from = source_->first_allowed();
  source_->lost_live();
  auto half = source_->stored({from, source_->stored_below()}, 1);
  ASSERT_TRUE(half && !half->request.empty());
  expect_right(*half);
  for (int i = 0; i < 40; ++i) tick();  // more than wait in memory
  while (auto batch = source_->live(1 << 20)) expect_right(*batch);
  tick();
  auto live = source_->live(1 << 20);
  ASSERT_TRUE(live && live->items == 3);
  expect_right(*live);
  const std::uint64_t end = source_->stored_below();
  ASSERT_NO_FATAL_FAILURE(deliver_stored(from, end));
  EXPECT_GE(seen_.size(), 3U * 43);
}

TEST_F(Points, AreRightWhenAWholeWindowOfTheStoreWaitsToBeSentThroughAnOutage) {
  begin();
  for (int i = 0; i < 3; ++i) tick();
  while (auto batch = source_->live(1 << 20)) expect_right(*batch);  // none arrives
  source_->lost_live();
  auto held = source_->stored({source_->first_allowed(), source_->stored_below()}, 1 << 20);
  ASSERT_TRUE(held && held->range.first < held->range.last);
  expect_right(*held);
  for (int i = 0; i < 40; ++i) tick();  // more than wait in memory
  while (auto batch = source_->live(1 << 20)) expect_right(*batch);
  tick();
  auto live = source_->live(1 << 20);
  ASSERT_TRUE(live && live->items == 3);
  expect_right(*live);
  const std::uint64_t end = source_->stored_below();
  source_->settled(*held, held->range.last);
  ASSERT_NO_FATAL_FAILURE(deliver_stored(held->range.last, end));
  EXPECT_GE(seen_.size(), 3U * 43);
}

TEST_F(Points, OfTheStoreComeAlthoughNothingNewIsRecorded) {
  begin();
  for (int i = 0; i < 40; ++i) tick();  // all of them were let go
  EXPECT_FALSE(source_->live(1 << 20));
  auto batch = source_->stored({source_->first_allowed(), source_->stored_below()}, 1 << 20);
  ASSERT_TRUE(batch && batch->items > 0);
  expect_right(*batch);
}

}  // namespace
}  // namespace honeylink::telemetry::exporting
