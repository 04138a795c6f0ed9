// See rollup.h.
#include "store/rollup.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/sketch.h"
#include "store/metric_codec.h"
#include "store/segment_reals.h"

namespace honeylink::telemetry::store {
namespace {

constexpr double kExactMax = 9.007e15;       // decimal sums stay below 2^53
constexpr std::int64_t kMinuteSeconds = 60;  // an exemplar for each

double real(std::uint64_t bits) noexcept { return std::bit_cast<double>(bits); }

// The tick of `grid` that holds this time, or the number of its ticks where none does.
std::uint32_t tick_at(const SegmentGrid& grid, std::int64_t time) noexcept {
  const std::int64_t after = time - grid.t0_unix_s;
  return after < 0 || after >= grid.step_s * grid.ticks ? grid.ticks : static_cast<std::uint32_t>(after / grid.step_s);
}

}  // namespace

void Rollup::begin(std::uint32_t sid, MetricType kind) {
  sid_ = sid;
  kind_ = kind;
  points_ = 0;
  inputs_.clear();
  histograms_.clear();
  exemplars_.clear();
}

void Rollup::add(const SeriesPoints& from, const SegmentGrid& grid) {
  points_ += from.points;
  if (kind_ == MetricType::histogram) add_histograms(from, grid);
  else add_scalars(from, grid);
}

void Rollup::add_scalars(const SeriesPoints& from, const SegmentGrid& grid) {
  const bool rolled_up = grid.tier > 0;
  for (std::size_t i = 0; i < from.ticks.size(); ++i) {
    Input input;
    input.time = grid.t0_unix_s + grid.step_s * from.ticks[i];
    input.tick = tick_at(to_, input.time);
    if (input.tick == to_.ticks) continue;
    input.last = input.min = input.max = input.sum = from.last[i];
    input.count = 1;
    if (rolled_up)
      input.count = from.count[i], input.min = from.min[i], input.max = from.max[i], input.sum = from.sum[i];
    inputs_.push_back(input);
  }
}

void Rollup::add_histograms(const SeriesPoints& from, const SegmentGrid& grid) {
  histograms_.resize(to_.ticks);
  Sketch scratch;
  for (std::size_t i = 0; i < from.ticks.size(); ++i) {
    const std::uint32_t tick = tick_at(to_, grid.t0_unix_s + grid.step_s * from.ticks[i]);
    if (tick == to_.ticks) continue;
    Histogram& cell = histograms_[tick];
    scratch = from.sketches[i];
    downscale(scratch, to_.tier > 0 ? kRollupScaleMax : kStoredScaleMax);
    if (!cell.present && scratch.count == 0) cell.sketch = scratch;
    merge(cell.sketch, scratch);
    cell.live_scale = std::min(cell.live_scale, from.live_scales[i]);
    cell.present = true;
  }
  for (const TickExemplar& held : from.exemplars) {
    const std::uint32_t tick = tick_at(to_, grid.t0_unix_s + grid.step_s * held.tick);
    if (to_.tier == 0 && tick != to_.ticks) exemplars_.push_back({tick, held.exemplar});
  }
}

bool Rollup::less(std::uint64_t a, std::uint64_t b) const noexcept {
  if (is_real(kind_)) return real(a) < real(b);
  return kind_ == MetricType::up_down ? static_cast<std::int64_t>(a) < static_cast<std::int64_t>(b) : a < b;
}

void Rollup::add_up(const Input& input, Cell& cell) const {
  if (cell.inputs == 0 || input.time >= cell.time) cell.last = input.last, cell.time = input.time;
  if (cell.inputs++ == 0) cell.min = input.min, cell.max = input.max;
  cell.count += input.count;
  // What holds no number at all says so in its smallest.
  if (is_real(kind_) && std::isnan(real(input.min))) return;
  if (!cell.any_number || less(input.min, cell.min)) cell.min = input.min;
  if (!cell.any_number || less(cell.max, input.max)) cell.max = input.max;
  cell.any_number = true;
  if (!is_real(kind_)) {
    cell.sum += input.sum;
    return;
  }
  // Neumaier's sum: the part that rounding takes away is kept beside it.
  const double add = real(input.sum), sum = cell.real_sum + add;
  if (std::isfinite(sum))
    cell.lost += std::fabs(cell.real_sum) >= std::fabs(add) ? (cell.real_sum - sum) + add : (add - sum) + cell.real_sum;
  cell.real_sum = sum;
}

void Rollup::sum_up(std::vector<Cell>& cells) {
  for (const Input& input : inputs_) add_up(input, cells[input.tick]);
  if (!is_real(kind_)) return;
  for (Cell& cell : cells) cell.sum = std::bit_cast<std::uint64_t>(cell.real_sum + cell.lost);
  bits_.clear();
  for (const Input& input : inputs_) bits_.push_back(input.sum);
  const int places = decimal_places(bits_, whole_);
  if (places >= 0) {
    std::vector<std::int64_t> sums(cells.size(), 0);
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      std::int64_t& sum = sums[inputs_[i].tick];
      sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) + whole_[i]);
    }
    const double scale = std::pow(10.0, places);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (std::fabs(cells[i].real_sum) * scale < kExactMax) cells[i].sum = decimal_bits(sums[i], places);
    }
  }
  for (const Input& input : inputs_)  // one number is its own sum, whatever it is
    if (cells[input.tick].inputs == 1) cells[input.tick].sum = input.sum;
}

void Rollup::put_cells(const std::vector<Cell>& cells, SeriesPoints& result) const {
  for (std::uint32_t tick = 0; tick < to_.ticks; ++tick) {
    const Cell& cell = cells[tick];
    if (cell.inputs == 0) continue;
    result.ticks.push_back(tick);
    if (to_.tier == 0) {
      result.last.push_back(kind_ == MetricType::gauge ? cell.last : cell.sum);
      continue;
    }
    result.last.push_back(cell.last);
    result.count.push_back(cell.count);
    result.min.push_back(cell.min);
    result.max.push_back(cell.max);
    result.sum.push_back(cell.sum);
  }
}

void Rollup::put_exemplars(SeriesPoints& result) {
  const auto minute = [&](const TickExemplar& held) {
    return (to_.t0_unix_s + to_.step_s * held.tick) / kMinuteSeconds;
  };
  std::stable_sort(exemplars_.begin(), exemplars_.end(), [](const auto& a, const auto& b) { return a.tick < b.tick; });
  for (const TickExemplar& held : exemplars_) {
    auto& kept = result.exemplars;
    if (kept.empty() || minute(kept.back()) != minute(held)) kept.push_back(held);
    else if (!(held.exemplar.value <= kept.back().exemplar.value)) kept.back() = held;
  }
}

bool Rollup::finish(SeriesPoints& result) {
  result.clear();
  result.sid = sid_;
  result.kind = kind_;
  result.points = points_;
  if (kind_ != MetricType::histogram) {
    std::vector<Cell> cells(to_.ticks);
    sum_up(cells);
    put_cells(cells, result);
    return !result.ticks.empty();
  }
  for (std::uint32_t tick = 0; tick < histograms_.size(); ++tick) {
    Histogram& cell = histograms_[tick];
    if (!cell.present) continue;
    result.ticks.push_back(tick);
    result.sketches.push_back(std::move(cell.sketch));
    result.live_scales.push_back(cell.live_scale);
  }
  put_exemplars(result);
  return !result.ticks.empty();
}

}  // namespace honeylink::telemetry::store
