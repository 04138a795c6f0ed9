// Reading points wherever they stand: packed, rolled up or not yet, one series or all, while the store goes on working.
#include "store/metric_scan.h"

#include <numeric>
#include <random>

#include "store/test_history.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::int64_t kBegin = 1'699'488'000;  // a multiple of ten days

/// Sums of counters by series, as a reader of this range finds them.
std::map<std::uint32_t, std::uint64_t> sums(MetricScan& scan, const ScanRange& range) {
  std::map<std::uint32_t, std::uint64_t> sums;
  for (MetricPart part; scan.next(part);) {
    const auto& column = part.grid.tier > 0 ? part.points->sum : part.points->last;
    for (std::size_t i = 0; i < part.points->ticks.size(); ++i) {
      const std::int64_t time = part.time_unix_s(i);
      if (time >= range.since_unix_s && time <= range.until_unix_s) sums[part.points->sid] += column[i];
    }
  }
  EXPECT_FALSE(scan.failed());
  return sums;
}

std::map<std::uint32_t, std::uint64_t> sums(const Model& model, const ScanRange& range) {
  std::map<std::uint32_t, std::uint64_t> sums;
  for (const auto& [sid, ticks] : model) {
    for (const auto& [tick, point] : ticks) {
      if (tick >= range.since_unix_s && tick <= range.until_unix_s)
        sums[sid] += std::accumulate(point.values.begin(), point.values.end(), std::uint64_t{0});
    }
  }
  return sums;
}

struct MetricScans : testing::Test {
  TempHome home;
  std::unique_ptr<History> history = std::make_unique<History>(home.options(), kBegin);
  std::mt19937 random{20261124};
  Connection reader;

  /// Counters over `hours`; a burst of ticks in each.
  void record(int hours, int ticks = 3) {
    for (int hour = 0; hour < hours; ++hour) {
      for (int tick = 0; tick < ticks; ++tick) {
        std::map<std::string, double> values;
        for (int series = 0; series < 70; ++series)
          values["c" + std::to_string(series)] = static_cast<double>(random() % 1000);
        ASSERT_EQ(history->tick(values), CommitResult::ok);
        history->pass(10);
      }
      history->pass(3600 - ticks * 10);
      history->maintain();
    }
  }
  void SetUp() override { ASSERT_EQ(reader.open(history->store->path(), Access::read_only, 1000), SQLITE_OK); }
};

TEST_F(MetricScans, EveryRangeOfEveryTierIsWhatWasCommitted) {
  record(100 * 24, 1);
  ASSERT_GT(reader.integer("SELECT count(*) FROM seg WHERE tier=2", 0), 0);
  ASSERT_GT(reader.integer("SELECT count(*) FROM seg WHERE tier=1", 0), 0);
  ASSERT_GT(reader.integer("SELECT count(*) FROM seg WHERE tier=0", 0), 0);
  for (int i = 0; i < 40; ++i) {
    const auto hour = [&] { return kBegin + static_cast<std::int64_t>(random() % 2500) * 3600; };
    ScanRange range{hour(), hour()};
    if (i == 0) range = {};
    if (range.since_unix_s > range.until_unix_s) std::swap(range.since_unix_s, range.until_unix_s);
    MetricScan all(reader, {}, range);
    EXPECT_EQ(sums(all, range), sums(history->model, range)) << range.since_unix_s << " to " << range.until_unix_s;
  }
}

TEST_F(MetricScans, OneSeriesIsReadWithoutTheOthers) {
  record(30);
  const ScanRange range;
  const auto everything = sums(history->model, range);
  for (const std::uint32_t sid : {1U, 63U, 64U, 70U}) {
    MetricScan one(reader, {sid}, range);
    EXPECT_EQ(sums(one, range), (std::map<std::uint32_t, std::uint64_t>{{sid, everything.at(sid)}}));
  }
  MetricScan two(reader, {2, 65}, range);
  EXPECT_EQ(sums(two, range).size(), 2U);
  MetricScan none(reader, {12345}, range);
  EXPECT_TRUE(sums(none, range).empty());
}

TEST_F(MetricScans, WhatIsPackedMeanwhileIsSeenOnce) {
  record(2);
  for (int tick = 0; tick < 300; ++tick) {
    ASSERT_EQ(history->tick({{"c0", 1}, {"c1", 2}}), CommitResult::ok);
    history->pass(10);
  }
  const auto before = sums(history->model, {});
  MetricScan scan(reader, {}, {});
  MetricPart part;
  ASSERT_TRUE(scan.next(part));
  std::map<std::uint32_t, std::uint64_t> seen;
  const auto add = [&] {
    seen[part.points->sid] += std::accumulate(part.points->last.begin(), part.points->last.end(), std::uint64_t{0});
  };
  add();
  record(10);  // packs the ticks, and adds others
  while (scan.next(part)) add();
  EXPECT_EQ(seen, before);
}

TEST_F(MetricScans, TiersCanBeAskedForApart) {
  record(10 * 24, 1);
  ScanRange fine, coarse;
  fine.tier_max = 0, coarse.tier_min = 1;
  const auto read = [&](const ScanRange& range) {
    MetricScan scan(reader, {}, range);
    return sums(scan, range);
  };
  auto both = read(fine);
  const auto rolled_up = read(coarse);
  EXPECT_FALSE(rolled_up.empty());
  for (const auto& [sid, sum] : rolled_up) both[sid] += sum;
  EXPECT_EQ(both, sums(history->model, {}));
}

TEST_F(MetricScans, ADamagedSeriesCostsItselfAndIsCounted) {
  record(30);
  history.reset();
  reader.close();
  std::int64_t id = 0;
  std::uint64_t lost = 0;
  {
    Connection writer;
    ASSERT_EQ(writer.open(home.path + "/metrics/metrics.db", Access::read_write, 1000), SQLITE_OK);
    Statement row = writer.prepare("SELECT id, data FROM seg WHERE \"group\"=0 LIMIT 1");
    ASSERT_EQ(row.step(), SQLITE_ROW);
    id = row.integer(0);
    Bytes blob(row.blob(1).begin(), row.blob(1).end());
    row = Statement();
    const auto directory = SegmentDirectory::read(blob, blob.size());
    ASSERT_TRUE(directory);
    blob[static_cast<std::size_t>(directory->find(5)->offset)] ^= 1;
    lost = directory->find(5)->points;
    Statement update = writer.prepare("UPDATE seg SET data=?1 WHERE id=?2");
    update.bind(1, std::span<const std::uint8_t>(blob)).bind(2, id);
    ASSERT_EQ(update.run(), SQLITE_OK);
  }
  ASSERT_EQ(reader.open(home.path + "/metrics/metrics.db", Access::read_only, 1000), SQLITE_OK);
  MetricScan scan(reader, {}, {});
  std::map<std::uint32_t, std::uint64_t> points;
  for (MetricPart part; scan.next(part);) points[part.points->sid] += part.points->points;
  EXPECT_EQ(scan.damaged(), 1U);
  EXPECT_FALSE(scan.failed());
  EXPECT_EQ(points[5] + lost, points[6]);
  EXPECT_EQ(points[4], points[6]);
}

}  // namespace
}  // namespace honeylink::telemetry::store
