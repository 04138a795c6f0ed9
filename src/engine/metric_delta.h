// What a ring's cells have gained since the last committed tick: the arithmetic of bases, without stores or files.
#pragma once
#include <cstdint>

#include "base/events.h"
#include "engine/core.h"

namespace honeylink::telemetry::engine {

/// What one series gained, over all processes. Gauges: the last write wins.
struct SeriesGain {
  MetricType kind = MetricType::counter;
  bool changed = false;
  std::uint64_t integer = 0;
  double real = 0;
  Sketch sketch;
  ExemplarInfo exemplar;
};

/// cumulative − base of one histogram block. Buckets are modulo 2^32; a base of finer scale is coarsened first.
[[nodiscard]] Sketch sketch_gain(const Sketch& now, Sketch base);
/// Smallest and largest value that the gain may hold: the ranges of the given epochs, within the bounds of its buckets.
void set_range(Sketch& gain, const ring::HistogramCell& cell, std::uint32_t epoch_before, std::uint32_t epoch_now);

/// By series id of the ring: the sums over all cells, and what they gained over `bases`. `next` is what the bases
/// become when the tick is committed. False: the ring's cells could not be read.
bool read_gains(RingState& ring, std::int64_t since_unix_ns, std::vector<SeriesGain>& gains, MetricBases& next);

void merge_gain(SeriesGain& into, const SeriesGain& gain);

}  // namespace honeylink::telemetry::engine
