// Rows of `hot` turned into series: every point is put under its window of four hours, its group and its series. Used
// by the packing of metric_store_maintain.
#pragma once
#include <map>

#include "store/metric_codec.h"
#include "store/rollup.h"

namespace honeylink::telemetry::store {

/// Not thread-safe; lives as long as one packing.
class PointGather {
 public:
  /// One row. Points that are not whole are counted in lost(), of the `n` that the row said.
  void add(std::int64_t tick_unix_s, std::uint64_t n, std::span<const std::uint8_t> blob);
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }
  [[nodiscard]] bool empty() const noexcept { return windows_.empty(); }

  struct Packed {
    SegmentGrid grid;
    std::uint32_t group = 0;
    std::uint64_t points = 0;
    Bytes blob;
  };
  /// Packs one group of one window and forgets it.
  [[nodiscard]] Packed pack_next(SegmentWorkspace& work);

 private:
  using Group = std::map<std::uint32_t, SeriesPoints>;  // by sid
  struct Window {
    std::uint32_t first_tick = 0xffff'ffffU, last_tick = 0;
    std::map<std::uint32_t, Group> groups;
  };
  std::map<std::int64_t, Window> windows_;  // by their beginning
  std::uint64_t lost_ = 0;
  StoredPoint point_;
};

}  // namespace honeylink::telemetry::store
