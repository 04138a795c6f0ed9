// What a ring's cells have gained since an earlier look: cumulative values less their bases. The engine's tick stores
// it, the live view shows it; neither may count otherwise. Values; one thread each.
#pragma once
#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/events.h"
#include "ring/reader.h"

namespace honeylink::telemetry::ring {

/// What an earlier look had seen of each histogram block, by its offset; buckets are modulo 2^32.
using HistogramBases = std::unordered_map<std::uint32_t, Sketch>;
/// By series id of the ring: the value seen last (counter modulo 2^64; doubles by their bits).
struct MetricBases {
  std::vector<std::uint64_t> scalars;
  HistogramBases histograms;
  std::array<std::uint64_t, kCounters> counters{};  // what the process refused or shortened (base/counters.h)
};

/// What one series gained, over all processes. Gauges: the last write wins.
struct SeriesGain {
  MetricType kind = MetricType::counter;
  bool changed = false;
  std::uint64_t integer = 0;
  double real = 0;
  Sketch sketch;
  ExemplarInfo exemplar;
};

/// Tick epochs of the interval that a gain covers: ranges of others do not bound it.
struct Epochs {
  std::uint32_t before = 0, now = 0;
  bool any = false;  // what both ranges say bounds it
};
inline constexpr Epochs kAnyEpoch{0, 0, true};

/// cumulative − base of one histogram block. Buckets are modulo 2^32; a base of finer scale is coarsened first.
[[nodiscard]] Sketch sketch_gain(const Sketch& now, Sketch base);
/// Smallest and largest value that the gain may hold: the ranges of the given epochs, within the bounds of its buckets.
void set_range(Sketch& gain, const HistogramCell& cell, Epochs epochs);

/// By series id of the ring: the sums over all cells, and what they gained over `bases`. `next` is what the bases
/// become once the gain counts. Exemplars older than `since_unix_ns` are left out. False: the ring's cells could not be
/// read.
bool read_gains(RingReader& ring, const MetricBases& bases, Epochs epochs, std::int64_t since_unix_ns,
                std::vector<SeriesGain>& gains, MetricBases& next);

void merge_gain(SeriesGain& into, const SeriesGain& gain);

}  // namespace honeylink::telemetry::ring
