// For the tests of packing and roll-ups: a store with an injected clock, a plain model of every committed point, and a
// reader that finds every point in whatever row it now stands. Not part of a program.
#pragma once
#include <bit>
#include <map>
#include <set>

#include "store/database.h"
#include "store/metric_codec.h"
#include "store/metric_store.h"
#include "store/segment_blob.h"
#include "store/test_support.h"

namespace honeylink::telemetry::store {

struct ModelPoint {
  MetricType kind = MetricType::counter;
  std::vector<std::uint64_t> values;  // of the commits of this tick, in order; bit patterns of reals
};
using Model = std::map<std::uint32_t, std::map<std::int64_t, ModelPoint>>;  // by sid, tick

struct FoundPoint {
  int tier = -1;  // -1: hot
  std::uint64_t count = 0, last = 0, min = 0, max = 0, sum = 0;
  Sketch sketch;
};
struct Found {
  std::map<std::uint32_t, std::map<std::pair<std::int64_t, int>, FoundPoint>> points;  // by sid, (time, tier)
  std::map<int, std::uint64_t> rows;
  std::uint64_t n = 0;  // what the rows say they hold
};

inline void find_in_segment(std::span<const std::uint8_t> blob, Found& found) {
  SegmentWorkspace work;
  const auto directory = SegmentDirectory::read(blob, blob.size());
  if (!directory) return ADD_FAILURE() << "a damaged segment", void();
  const SegmentGrid& grid = directory->grid;
  for (const SegmentEntry& entry : directory->entries) {
    SeriesPoints series;
    const auto body = blob.subspan(static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.size));
    if (!read_series(grid, entry, body, work, series)) return ADD_FAILURE() << "a damaged body", void();
    for (std::size_t i = 0; i < series.ticks.size(); ++i) {
      const std::int64_t time = grid.t0_unix_s + grid.step_s * series.ticks[i];
      FoundPoint& point = found.points[entry.sid][{time, grid.tier}];
      EXPECT_EQ(point.count, 0U) << "two points at one time in one tier";
      point = {grid.tier, 1, 0, 0, 0, 0, {}};
      if (entry.kind == MetricType::histogram) {
        point.sketch = series.sketches[i];
        continue;
      }
      point.last = point.min = point.max = point.sum = series.last[i];
      if (grid.tier > 0)
        point.count = series.count[i], point.min = series.min[i], point.max = series.max[i], point.sum = series.sum[i];
    }
  }
}

inline Found find_all(const std::string& path) {
  Found found;
  Connection reader;
  EXPECT_EQ(reader.open(path, Access::read_only, 1000), SQLITE_OK);
  Statement rows = reader.prepare("SELECT tier, n, data FROM seg ORDER BY id");
  while (rows.step() == SQLITE_ROW) {
    ++found.rows[static_cast<int>(rows.integer(0))];
    found.n += rows.number(1);
    find_in_segment(rows.blob(2), found);
  }
  rows = reader.prepare("SELECT tick, n, data FROM hot ORDER BY commit_no");
  StoredPoint stored;
  while (rows.step() == SQLITE_ROW) {
    ++found.rows[-1];
    found.n += rows.number(1);
    MetricBlob blob(rows.blob(2));
    while (blob.next(stored)) {
      FoundPoint& point = found.points[stored.sid][{rows.integer(0), -1}];
      ++point.count;
      const bool real = stored.kind == MetricType::gauge || stored.kind == MetricType::counter_real;
      const std::uint64_t value = real ? std::bit_cast<std::uint64_t>(stored.real) : stored.integer;
      point.sum = real ? value : point.sum + value;
      point.sketch = stored.sketch;
    }
  }
  return found;
}

inline std::int64_t counted(const std::string& path, const std::string& name) {
  Connection reader;
  EXPECT_EQ(reader.open(path, Access::read_only, 1000), SQLITE_OK);
  return reader.integer("SELECT n FROM counts WHERE name='" + name + "'", 0);
}

/// A store whose clocks go with the ticks, as an engine's.
class History {
 public:
  explicit History(StoreOptions options, std::int64_t begin_s) : clock_(begin_s * 1'000'000'000) {
    options.clock = &clock_;
    options_ = options;
    reopen();
  }
  void reopen() {
    std::string said;
    store.reset();
    store = MetricStore::open(options_, said);
    ASSERT_NE(store, nullptr) << said;
    ASSERT_NE(store->begin_epoch(), 0U) << store->why();
  }
  /// `values` by name; "c…" counters, "u…" up-down, "g…" gauges, "r…" real counters.
  CommitResult tick(const std::map<std::string, double>& values) {
    std::vector<MetricDelta> deltas;
    const std::int64_t now = now_s() / 10 * 10;
    for (const auto& [name, value] : values) {
      SeriesInfo info;
      info.name = name;
      MetricDelta delta;
      delta.kind = name[0] == 'g'   ? MetricType::gauge
                   : name[0] == 'r' ? MetricType::counter_real
                   : name[0] == 'u' ? MetricType::up_down
                                    : MetricType::counter;
      info.kind = delta.kind;
      delta.sid = store->series_id(info);
      delta.integer = static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
      delta.real = value;
      deltas.push_back(delta);
    }
    const CommitResult result = store->commit_tick(now, deltas, 0, 0, stored(deltas.size()), {}, false);
    if (result != CommitResult::ok) return result;
    for (const MetricDelta& delta : deltas) {
      const bool real = delta.kind == MetricType::gauge || delta.kind == MetricType::counter_real;
      ModelPoint& point = model[delta.sid][now];
      point.kind = delta.kind;
      point.values.push_back(real ? std::bit_cast<std::uint64_t>(delta.real) : delta.integer);
    }
    points += deltas.size();
    return result;
  }
  void pass(std::int64_t seconds) { clock_.advance(seconds * 1'000'000'000); }
  void step(std::int64_t seconds) { clock_.step(seconds * 1'000'000'000); }
  /// All that is due, as the engine's slices would in time.
  void maintain() {
    for (;;) {
      const MetricUpkeep did = store->maintain(now_s(), 0);
      ASSERT_EQ(did.result, CommitResult::ok) << store->why();
      if (!did.more) return;
    }
  }
  [[nodiscard]] std::int64_t now_s() const { return clock_.realtime_ns() / 1'000'000'000; }

  std::unique_ptr<MetricStore> store;
  Model model;
  std::uint64_t points = 0;

 private:
  ManualClock clock_;
  StoreOptions options_;
};

}  // namespace honeylink::telemetry::store
