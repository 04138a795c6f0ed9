// Packing, roll-ups and retention on a real database, held against a model that knows every point (F34, F35, F36; I-8).
#include "store/retention.h"

#include <algorithm>
#include <fstream>
#include <random>

#include "store/test_history.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::int64_t kBegin = 1'699'488'000;  // a multiple of ten days

double real_of(std::uint64_t bits) { return std::bit_cast<double>(bits); }

// Every stored point is what the model's points of its span say; nothing is missing and nothing is there twice.
void compare(const Found& found, const Model& model, std::uint64_t missing) {
  std::uint64_t seen = 0, all = 0;
  for (const auto& [sid, points] : found.points) {
    const auto& truth = model.at(sid);
    for (const auto& [at, point] : points) {
      const std::int64_t step = at.second < 0 ? 10 : kTiers[static_cast<std::size_t>(at.second)].step_s;
      std::vector<std::uint64_t> values;
      MetricType kind = MetricType::counter;
      for (auto i = truth.lower_bound(at.first); i != truth.end() && i->first < at.first + step; ++i) {
        kind = i->second.kind;
        for (const std::uint64_t value : i->second.values) values.push_back(value);
      }
      ASSERT_FALSE(values.empty()) << "a point that was never committed";
      seen += values.size();
      if (kind == MetricType::gauge) {
        const std::uint64_t last = at.second < 0 ? point.sum : point.last;
        ASSERT_EQ(last, values.back());
      }
      if (at.second < 1) continue;
      const auto less = [&](std::uint64_t a, std::uint64_t b) {
        return is_real(kind) ? real_of(a) < real_of(b) : static_cast<std::int64_t>(a) < static_cast<std::int64_t>(b);
      };
      ASSERT_EQ(point.min, *std::min_element(values.begin(), values.end(), less));
      ASSERT_EQ(point.max, *std::max_element(values.begin(), values.end(), less));
      ASSERT_EQ(point.count, values.size());
      std::uint64_t whole = 0;
      double real = 0;
      for (const std::uint64_t value : values) whole += value, real += real_of(value);
      if (is_real(kind)) ASSERT_NEAR(real_of(point.sum), real, std::fabs(real) * 1e-14);
      else ASSERT_EQ(point.sum, whole);
    }
  }
  for (const auto& [sid, truth] : model)
    for (const auto& [tick, point] : truth) all += point.values.size();
  ASSERT_EQ(seen + missing, all);
  ASSERT_EQ(found.n + missing, all);
}

struct RetentionHistory : testing::Test {
  unsigned seed = std::random_device()();
  std::mt19937_64 random{seed};
  testing::ScopedTrace trace{__FILE__, __LINE__, "seed " + std::to_string(seed)};
  TempHome home;

  std::map<std::string, double> values() {
    std::map<std::string, double> some;
    some["c_busy"] = static_cast<double>(random() % 500 + 1);
    if (random() % 5 == 0) some["c_idle"] = 1;
    some["u_queue"] = static_cast<double>(random() % 21) - 10;
    some["g_level"] = static_cast<double>(random() % 1000) / 10;
    some["g_full"] = 1 / static_cast<double>(random() % 100'000 + 1);
    some["r_seconds"] = static_cast<double>(random() % 10'000) / 1000;
    return some;
  }
};

TEST_F(RetentionHistory, AnHourOfTicksBecomesOneSegmentAndFourBecomeOne) {
  History history(home.options(), kBegin);
  for (int tick = 0; tick < 4 * 360 + 100; ++tick) {
    ASSERT_EQ(history.tick(values()), CommitResult::ok);
    history.pass(10);
    history.maintain();
    if (tick % 300 != 0) continue;
    Connection reader;
    ASSERT_EQ(reader.open(history.store->path(), Access::read_only, 1000), SQLITE_OK);
    ASSERT_LE(reader.integer("SELECT count(*) FROM hot", 0), 361);
  }
  Found found = find_all(history.store->path());
  EXPECT_EQ(found.rows[0], 1U);
  EXPECT_EQ(found.rows[-1], 100U);
  compare(found, history.model, 0);
}

TEST_F(RetentionHistory, EveryTierHoldsWhatTheModelSays) {
  History history(home.options(), kBegin);
  // Ticks in bursts, every few minutes, over a hundred days: all tiers, gaps, a restart.
  for (std::int64_t day = 0; day < 100; ++day) {
    for (int burst = 0; burst < 24; ++burst) {
      for (int tick = 0; tick < 3; ++tick) {
        ASSERT_EQ(history.tick(values()), CommitResult::ok);
        history.pass(10);
      }
      history.pass(3570 - static_cast<std::int64_t>(random() % 2) * 10 + 10);
      history.maintain();
    }
    if (day == 50) history.reopen();
  }
  Found found = find_all(history.store->path());
  compare(found, history.model, 0);
  const std::int64_t now = history.now_s();
  for (const auto& [sid, points] : found.points) {
    for (const auto& [at, point] : points) {
      const std::int64_t age = now - at.first;
      if (at.second <= 0) { EXPECT_LE(age, 8 * kDaySeconds + 7200); }
      if (at.second == 1) { EXPECT_TRUE(age > 7 * kDaySeconds && age <= 91 * kDaySeconds + 7200) << age; }
      if (at.second == 2) { EXPECT_GT(age, 90 * kDaySeconds); }
    }
  }
  EXPECT_GT(found.rows[2], 0U);
}

TEST_F(RetentionHistory, WhatIsOlderThanThirteenMonthsIsDeletedAndCounted) {
  History history(home.options(), kBegin);
  for (std::int64_t half_day = 0; half_day < 2 * 430; ++half_day) {
    ASSERT_EQ(history.tick({{"c", 1}, {"g", static_cast<double>(half_day)}}), CommitResult::ok);
    history.pass(kDaySeconds / 2);
    history.maintain();
  }
  const std::int64_t expired = counted(history.store->path(), "expired");
  EXPECT_GT(expired, 0);
  const Found found = find_all(history.store->path());
  compare(found, history.model, static_cast<std::uint64_t>(expired));
  EXPECT_GE(found.points.at(1).begin()->first.first, history.now_s() - (397 + 11) * kDaySeconds);
  EXPECT_LE(found.points.at(1).begin()->first.first, history.now_s() - 396 * kDaySeconds);
}

TEST_F(RetentionHistory, AClockThatGoesBackOrFarForwardDeletesNothing) {
  History history(home.options(), kBegin);
  const auto hours = [&](int n) {
    for (int tick = 0; tick < n * 60; ++tick) {
      ASSERT_EQ(history.tick(values()), CommitResult::ok);
      history.pass(60);
      history.maintain();
    }
  };
  hours(10);
  history.step(-3 * kDaySeconds);
  hours(5);
  history.step(-40 * kDaySeconds);
  hours(5);
  history.step(43 * kDaySeconds + 80 * 365 * kDaySeconds);  // 2103
  hours(2);
  history.step(-80 * 365 * kDaySeconds);
  hours(5);
  EXPECT_EQ(counted(history.store->path(), "expired"), 0);
  compare(find_all(history.store->path()), history.model, 0);
}

TEST_F(RetentionHistory, TheSameTickTwiceAddsUp) {
  History history(home.options(), kBegin);
  for (int tick = 0; tick < 400; ++tick) {
    for (int twice = 0; twice < 2; ++twice)
      ASSERT_EQ(history.tick({{"c", static_cast<double>(random() % 100 + 1)}}), CommitResult::ok);
    history.pass(10);
  }
  history.maintain();
  std::uint64_t expected = 0, sum = 0;
  for (const auto& [tick, point] : history.model.at(1))
    for (const std::uint64_t value : point.values) expected += value;
  const Found found = find_all(history.store->path());
  for (const auto& [at, point] : found.points.at(1)) sum += point.sum;
  EXPECT_EQ(sum, expected);
  EXPECT_EQ(found.n, 800U);
}

TEST_F(RetentionHistory, UnderItsCapTheOldestDaysBecomeCoarserBeforeAnythingIsDeleted) {
  StoreOptions options = home.options();
  options.metrics_bytes_max = 2'000'000;
  History history(options, kBegin);
  std::map<std::string, double> many;
  std::uint64_t before_expiry = 0;
  for (std::int64_t hour = 0; hour < 24 * 36; ++hour) {
    for (int tick = 0; tick < 12; ++tick) {
      for (int i = 0; i < 60; ++i) many["g" + std::to_string(i)] = static_cast<double>(random() % 1'000'000) / 1000;
      ASSERT_EQ(history.tick(many), CommitResult::ok) << history.store->why();
      ASSERT_LE(history.store->disk_bytes(), options.metrics_bytes_max);
      history.pass(300);
    }
    history.maintain();
    ASSERT_LE(history.store->disk_bytes(), options.metrics_bytes_max);
    if (counted(history.store->path(), "expired") == 0) before_expiry = static_cast<std::uint64_t>(hour);
  }
  Found found = find_all(history.store->path());
  compare(found, history.model, static_cast<std::uint64_t>(counted(history.store->path(), "expired")));
  EXPECT_GT(found.rows[2], 0U) << "minutes that were not yet 90 days old";
  EXPECT_GE(before_expiry, 24U * 20);
}

TEST_F(RetentionHistory, ADamagedSegmentCostsItselfAndIsCounted) {
  History history(home.options(), kBegin);
  for (int tick = 0; tick < 8 * 60 * 24; ++tick) {
    ASSERT_EQ(history.tick({{"c_a", 1}, {"c_b", 2}}), CommitResult::ok);
    history.pass(60);
    if (tick % 60 == 0) history.maintain();
  }
  {
    Connection writer;
    ASSERT_EQ(writer.open(history.store->path(), Access::read_write, 1000), SQLITE_OK);
    Statement row = writer.prepare("SELECT id, data FROM seg WHERE tier=0 ORDER BY t0 LIMIT 1");
    ASSERT_EQ(row.step(), SQLITE_ROW);
    const std::int64_t id = row.integer(0);
    Bytes blob(row.blob(1).begin(), row.blob(1).end());
    row = Statement();
    blob[40] = static_cast<std::uint8_t>(blob[40] ^ 4);
    Statement put = writer.prepare("UPDATE seg SET data=?2 WHERE id=?1");
    ASSERT_EQ(put.bind(1, id).bind(2, std::span<const std::uint8_t>(blob)).run(), SQLITE_OK);
  }
  for (int tick = 0; tick < 60 * 24; ++tick) {
    ASSERT_EQ(history.tick({{"c_a", 1}, {"c_b", 2}}), CommitResult::ok);
    history.pass(60);
    if (tick % 60 == 0) history.maintain();
  }
  const std::int64_t damaged = counted(history.store->path(), "damaged");
  EXPECT_GT(damaged, 0);
  EXPECT_LE(damaged, 2 * 241);
  compare(find_all(history.store->path()), history.model, static_cast<std::uint64_t>(damaged));
}

}  // namespace
}  // namespace honeylink::telemetry::store
