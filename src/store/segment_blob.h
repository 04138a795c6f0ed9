// The blob of metrics.db's table seg: a head, a directory, a body for each series (docs/formats/metrics_db.md). Written
// by MetricStore's maintenance, read by it, by query and by the fuzzer.
//
// Must stay true: every byte lies under one checksum; a reader needs the head, the directory and one body to read one
// series; it trusts nothing.
#pragma once
#include <optional>
#include <span>

#include "store/point_series.h"
#include "store/segment_integers.h"

namespace honeylink::telemetry::store {

struct SegmentGrid {
  int tier = 0;
  std::int64_t t0_unix_s = 0, step_s = 10;
  std::uint32_t ticks = 0;
  [[nodiscard]] std::int64_t end_unix_s() const noexcept { return t0_unix_s + step_s * ticks; }
};

/// Not thread-safe; a value of its owner.
class SegmentWriter {
 public:
  SegmentWriter(const SegmentGrid& grid, SegmentWorkspace& work) noexcept : grid_(grid), work_(&work) {}
  /// Ascending by sid; ticks within the grid.
  void add(const SeriesPoints& series);
  [[nodiscard]] std::uint64_t points() const noexcept { return points_; }
  [[nodiscard]] std::uint32_t series() const noexcept { return series_; }
  [[nodiscard]] const SegmentGrid& grid() const noexcept { return grid_; }
  /// The blob; the writer is used up.
  [[nodiscard]] Bytes finish();

 private:
  SegmentGrid grid_;
  SegmentWorkspace* work_;
  Bytes directory_, bodies_;
  std::uint64_t points_ = 0;
  std::uint32_t sid_ = 0, series_ = 0;
};

struct SegmentEntry {
  std::uint32_t sid = 0;
  MetricType kind = MetricType::counter;
  std::uint64_t points = 0, offset = 0, size = 0;  // offset: from the beginning of the blob
  std::uint32_t crc = 0;
};

/// Head and directory. A value.
struct SegmentDirectory {
  SegmentGrid grid;
  std::vector<SegmentEntry> entries;  // ascending by sid

  /// Bytes of head and directory, told by the head; 0 where it is not one.
  [[nodiscard]] static std::size_t bytes_needed(std::span<const std::uint8_t> head) noexcept;
  /// From at least as many bytes of a blob of `blob_bytes`; nothing where they are damaged or do not fit that size.
  [[nodiscard]] static std::optional<SegmentDirectory> read(std::span<const std::uint8_t> bytes,
                                                            std::uint64_t blob_bytes);
  [[nodiscard]] const SegmentEntry* find(std::uint32_t sid) const noexcept;
};

/// One series from its body. False where it is damaged.
[[nodiscard]] bool read_series(const SegmentGrid& grid, const SegmentEntry& entry, std::span<const std::uint8_t> body,
                               SegmentWorkspace& work, SeriesPoints& to);
/// Every checksum of a blob holds.
[[nodiscard]] bool segment_sound(std::span<const std::uint8_t> blob);

}  // namespace honeylink::telemetry::store
