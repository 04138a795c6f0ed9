// The stored points of some series in a stretch of time, out of all tiers: segments first, by window and id, then the
// ticks that are not packed yet. Used by query, and by whoever judges history.
//
// Must stay true: one scan sees one state of the file, so that a point that is packed meanwhile is seen once; one
// series is read without the others of its segment; a damaged segment costs itself and is counted.
#pragma once
#include <cstdint>
#include <vector>

#include "store/metric_codec.h"
#include "store/segment_blob.h"
#include "store/sqlite.h"

namespace honeylink::telemetry::store {

/// Ticks of one series; tiers 1 and 2 are roll-ups. Valid until the next one.
struct MetricPart {
  SegmentGrid grid;  // an unpacked tick: tier 0, one tick
  const SeriesPoints* points = nullptr;
  [[nodiscard]] std::int64_t time_unix_s(std::size_t i) const noexcept {
    return grid.t0_unix_s + grid.step_s * points->ticks[i];
  }
  /// All of a segment as one tick (ScanRange::whole_s).
  [[nodiscard]] bool is_digest() const noexcept {
    return grid.step_s > kTiers[static_cast<std::size_t>(grid.tier)].step_s;
  }
};

struct ScanRange {
  std::int64_t since_unix_s = INT64_MIN, until_unix_s = INT64_MAX;  // both inside
  int tier_min = 0, tier_max = 2;
  // A histogram's segment that lies in one step of this length (and in the range) comes as one tick, its digest. 0:
  // never.
  std::int64_t whole_s = 0;
};

/// One thread; dies before its connection, on which it holds a read transaction while it lives.
class MetricScan {
 public:
  /// `sids` ascending, each once; none: every series.
  MetricScan(Connection& connection, std::vector<std::uint32_t> sids, const ScanRange& range);
  ~MetricScan();
  MetricScan(const MetricScan&) = delete;
  MetricScan& operator=(const MetricScan&) = delete;

  /// Ticks outside the range may be among those of a part.
  bool next(MetricPart& part);
  /// SQLite could not be read on.
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  /// Series of segments, and ticks, that could not be read.
  [[nodiscard]] std::uint64_t damaged() const noexcept { return damaged_; }

 private:
  struct Row {
    std::int64_t window = 0, id = 0;  // rows of one window may overlap: the higher id wins
  };
  bool find_segments(int tier);
  bool open_segment(std::int64_t id);
  bool next_in_segment(MetricPart& part);
  bool read_whole(const SegmentEntry& entry);
  [[nodiscard]] bool lies_in_one_step(const SegmentGrid& grid) const noexcept;
  bool next_in_tick(MetricPart& part);
  bool next_point();

  Connection& connection_;
  std::vector<std::uint32_t> sids_;
  ScanRange range_;
  bool owns_transaction_ = false, failed_ = false;
  std::uint64_t damaged_ = 0;

  std::vector<Row> rows_;  // of segments, by time
  std::size_t next_row_ = 0;
  BlobReader segment_;
  SegmentDirectory directory_;
  std::size_t next_entry_ = 0;  // of directory_, or of sids_
  Bytes bytes_;
  SegmentWorkspace work_;
  SeriesPoints points_;

  Statement ticks_;
  bool in_blob_ = false;
  std::size_t next_sid_ = 0;  // of sids_, in the blob
  MetricBlob blob_{{}};
  StoredPoint point_;
};

}  // namespace honeylink::telemetry::store
