// See cell_gains.h.
#include "ring/cell_gains.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/sketch.h"

namespace honeylink::telemetry::ring {
namespace {

// Sums of one series over its slabs and slots; what it means depends on the kind.
struct Sums {
  std::uint64_t integer = 0;
  double real = 0;
  bool present = false;
};

std::vector<Sums> sum_scalars(const std::vector<ScalarCell>& cells, const std::vector<SeriesDef>& series) {
  std::vector<Sums> sums(series.size());
  for (const ScalarCell& cell : cells) {
    if (cell.series >= sums.size()) continue;
    Sums& sum = sums[cell.series];
    const MetricType kind = series[cell.series].info.kind;
    const auto real = std::bit_cast<double>(cell.value);
    if (cell.slot == kSharedSlot ? cell.value == kGaugeUnset : kind == MetricType::gauge) continue;
    if (kind == MetricType::counter || kind == MetricType::up_down) sum.integer += cell.value;
    else if (std::isfinite(real)) sum.real = kind == MetricType::gauge ? real : sum.real + real;
    else continue;
    sum.present = true;
  }
  return sums;
}

void gain_scalar(SeriesGain& gain, const Sums& sum, std::uint64_t base, std::uint64_t& next) {
  switch (gain.kind) {
    case MetricType::counter:
    case MetricType::up_down:
      gain.integer = sum.integer - base;
      gain.changed = gain.integer != 0;
      next = sum.integer;
      break;
    case MetricType::counter_real:
      gain.real = sum.real - std::bit_cast<double>(base);
      gain.changed = gain.real != 0;
      next = std::bit_cast<std::uint64_t>(sum.real);
      break;
    case MetricType::gauge:  // +0.0 is the bit pattern of "no base", so a gauge keeps its value with the sign of a flag
                             // that no set() stores
      gain.real = sum.real;
      gain.changed = sum.present && base != (std::bit_cast<std::uint64_t>(sum.real) ^ kGaugeUnset);
      next = sum.present ? std::bit_cast<std::uint64_t>(sum.real) ^ kGaugeUnset : base;
      break;
    case MetricType::histogram:
      break;
  }
}

}  // namespace

Sketch sketch_gain(const Sketch& now, Sketch base) {
  Sketch gain;
  gain.scale = now.scale, gain.offset = now.offset;
  if (base.scale > now.scale) downscale(base, now.scale);
  const bool comparable = base.scale == now.scale || base.count == 0;
  gain.zeros = now.zeros - (comparable ? base.zeros : 0);
  gain.count = gain.zeros;
  gain.sum = now.sum - (comparable ? base.sum : 0);
  gain.buckets.resize(now.buckets.size());
  for (std::size_t i = 0; i < now.buckets.size(); ++i) {
    const std::int64_t at = static_cast<std::int64_t>(now.offset) + static_cast<std::int64_t>(i) - base.offset;
    const bool had = comparable && at >= 0 && at < static_cast<std::int64_t>(base.buckets.size());
    const auto before = had ? static_cast<std::uint32_t>(base.buckets[static_cast<std::size_t>(at)]) : 0U;
    gain.buckets[i] = static_cast<std::uint32_t>(static_cast<std::uint32_t>(now.buckets[i]) - before);
    gain.count += gain.buckets[i];
  }
  trim(gain);
  return gain;
}

void set_range(Sketch& gain, const HistogramCell& cell, Epochs epochs) {
  double least = std::numeric_limits<double>::infinity(), most = -least;
  for (std::uint32_t i = 0; i < 2; ++i) {
    const auto& range = cell.range[i];
    const bool of_these = epochs.any || range.epoch == epochs.before || range.epoch == epochs.now;
    const bool ours = (range.epoch & 1U) == i && of_these;
    if (!ours || !(range.min <= range.max)) continue;
    least = std::min(least, range.min), most = std::max(most, range.max);
  }
  if (gain.buckets.empty()) {  // zeros only
    gain.min = gain.max = 0;
    return;
  }
  const std::int64_t first = gain.offset, last = gain.offset + static_cast<std::int64_t>(gain.buckets.size()) - 1;
  const double low = bucket_upper_bound(gain.scale, first - 1), high = bucket_upper_bound(gain.scale, last);
  // A value may count in one tick and move the range of the next; the buckets say what is possible.
  gain.min = gain.zeros != 0 ? 0 : std::clamp(least, low, bucket_upper_bound(gain.scale, first));
  gain.max = std::clamp(most, bucket_upper_bound(gain.scale, last - 1), high);
}

bool read_gains(RingReader& ring, const MetricBases& bases, Epochs epochs, std::int64_t since_unix_ns,
                std::vector<SeriesGain>& gains, MetricBases& next) {
  CellSnapshot cells;
  if (!ring.read_cells(cells)) return false;
  const auto& series = ring.series();
  gains.assign(series.size(), {});
  next.scalars = bases.scalars;
  next.scalars.resize(std::max(next.scalars.size(), series.size()));
  next.histograms = bases.histograms;
  const auto sums = sum_scalars(cells.scalars, series);
  for (std::size_t i = 0; i < series.size(); ++i) {
    gains[i].kind = series[i].info.kind;
    gain_scalar(gains[i], sums[i], next.scalars[i], next.scalars[i]);
  }
  for (const HistogramCell& cell : cells.histograms) {
    if (cell.series >= gains.size() || gains[cell.series].kind != MetricType::histogram) continue;
    const auto base = bases.histograms.find(cell.block);
    SeriesGain gain;
    gain.kind = MetricType::histogram;
    gain.sketch = sketch_gain(cell.sketch, base == bases.histograms.end() ? Sketch{} : base->second);
    if (gain.sketch.count == 0) continue;
    gain.changed = true;
    set_range(gain.sketch, cell, epochs);
    if (cell.exemplar.present && cell.exemplar.time_unix_ns >= since_unix_ns) gain.exemplar = cell.exemplar;
    merge_gain(gains[cell.series], gain);
    next.histograms[cell.block] = cell.sketch;
  }
  for (const ring::CounterExemplar& of : cells.exemplars) {
    if (of.series >= gains.size() || !gains[of.series].changed || of.exemplar.time_unix_ns < since_unix_ns) continue;
    gains[of.series].exemplar = of.exemplar;
  }
  return true;
}

void merge_gain(SeriesGain& into, const SeriesGain& gain) {
  if (!gain.changed) return;
  if (!into.changed) {
    into = gain;
    return;
  }
  switch (gain.kind) {
    case MetricType::gauge:
      into.real = gain.real;
      break;
    case MetricType::histogram:
      merge(into.sketch, gain.sketch);
      break;
    default:
      into.integer += gain.integer, into.real += gain.real;
      break;
  }
  if (gain.exemplar.present && (!into.exemplar.present || gain.exemplar.value > into.exemplar.value))
    into.exemplar = gain.exemplar;
  if (gain.kind == MetricType::counter || gain.kind == MetricType::up_down) into.changed = into.integer != 0;
}

}  // namespace honeylink::telemetry::ring
