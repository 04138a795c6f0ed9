// The points of one series on a grid of ticks, as plain columns: what segments hold once decoded, what roll-ups add up.
// Plain data; used by the segment codecs, MetricStore's maintenance and query.
#pragma once
#include <cstdint>
#include <vector>

#include "base/events.h"

namespace honeylink::telemetry::store {

struct TickExemplar {
  std::uint32_t tick = 0;
  ExemplarInfo exemplar;
};

/// Every column that is in use has an element for each element of `ticks`, which ascends. Numbers are integers modulo
/// 2^64 (counter, up_down) or bit patterns of doubles (counter_real, gauge). Without roll-up `last` is the point
/// itself and count, min, max and sum are empty; a histogram has its sketches instead of all of them.
struct SeriesPoints {
  std::uint32_t sid = 0;
  MetricType kind = MetricType::counter;
  std::uint64_t points = 0;  // committed points of `hot` that these are made of
  std::vector<std::uint32_t> ticks;
  std::vector<std::uint64_t> last, count, min, max, sum;
  std::vector<Sketch> sketches;
  std::vector<int> live_scales;  // of each sketch: the scale that the histogram had in memory
  std::vector<TickExemplar> exemplars;

  void clear() {
    clear_columns();
    sketches.clear();
    points = 0;
  }
  /// All but the sketches, whose memory a reader uses again.
  void clear_columns() {
    ticks.clear(), last.clear(), count.clear(), min.clear(), max.clear(), sum.clear();
    live_scales.clear(), exemplars.clear();
  }
};

[[nodiscard]] constexpr bool is_real(MetricType kind) noexcept {
  return kind == MetricType::counter_real || kind == MetricType::gauge;
}

}  // namespace honeylink::telemetry::store
