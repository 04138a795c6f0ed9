// The blob of metrics.db's table hot: all series that changed in one tick. Written by MetricStore, read by query, sli
// and the fuzzer (docs/formats/metrics_db.md).
//
// A point holds a difference (counter, up_down, histogram), so that rows add up over any interval, or a value (gauge).
// The reader trusts nothing.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "base/events.h"

namespace honeylink::telemetry::store {

/// Sketches are kept at this scale or coarser: 2.2 % at the middle of a bucket (I-10).
inline constexpr int kStoredScaleMax = 4;

struct StoredPoint {
  std::uint32_t sid = 0;
  MetricType kind = MetricType::counter;
  std::uint64_t integer = 0;  // counter (modulo 2^64), up_down (two's complement)
  double real = 0;            // counter_real, gauge
  Sketch sketch;              // histogram; count = zeros + Σ buckets
  int live_scale = 0;         // the scale that the histogram had in memory
  ExemplarInfo exemplar;
};

/// Appends the blob of one tick to `to`. `deltas` in any order, each sid once.
void encode_tick(std::int64_t tick_unix_s, std::span<const MetricDelta> deltas, std::vector<std::uint8_t>& to);

/// A sketch alone, as points have it. Appends; reads the whole of the bytes, false where they are no sketch.
void encode_sketch(const Sketch& sketch, int live_scale, std::vector<std::uint8_t>& to);
[[nodiscard]] bool decode_sketch(std::span<const std::uint8_t> bytes, Sketch& sketch, int& live_scale);

/// Splits a blob into points, ascending by sid. A value; not thread-safe; the bytes must outlive it.
class MetricBlob {
 public:
  explicit MetricBlob(std::span<const std::uint8_t> bytes) noexcept;
  [[nodiscard]] bool sound() const noexcept { return sound_; }
  [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
  [[nodiscard]] std::int64_t tick_unix_s() const noexcept { return tick_; }
  /// False at the end, or where a point is not whole (damaged()). Reuses the point's vectors.
  bool next(StoredPoint&);
  /// The point of this series, without decoding the groups before it; ask in ascending order, and do not mix with
  /// next(). False where there is none.
  bool find(std::uint32_t sid, StoredPoint&);
  [[nodiscard]] bool damaged() const noexcept { return damaged_; }

 private:
  bool next_group();
  bool next_head(unsigned& head);
  bool take(unsigned head, StoredPoint&);
  bool end(bool damaged);

  std::span<const std::uint8_t> directory_, points_;  // what is not read yet
  std::span<const std::uint8_t> group_bytes_;
  std::int64_t tick_ = 0;
  std::uint64_t group_ = 0;
  std::uint32_t count_ = 0, read_ = 0, group_left_ = 0;
  int place_ = -1;  // of the last point in its group
  unsigned head_ = 0;     // of the last point that find() came to
  bool waiting_ = false;  // and it is still to be taken
  bool sound_ = false, damaged_ = false, any_group_ = false;
};

}  // namespace honeylink::telemetry::store
