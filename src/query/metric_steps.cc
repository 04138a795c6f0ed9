// See metric_steps.h.
#include "query/metric_steps.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/sketch.h"
#include "store/metric_format.h"

namespace honeylink::telemetry::query {
namespace {

constexpr std::size_t kReserveMax = 65'536;  // a week of ten seconds

constexpr std::int64_t floor_divided(std::int64_t a, std::int64_t b) noexcept { return a / b - (a % b < 0 ? 1 : 0); }

double number_of(MetricType kind, std::uint64_t stored) noexcept {
  if (store::is_real(kind)) return std::bit_cast<double>(stored);
  return kind == MetricType::up_down ? static_cast<double>(static_cast<std::int64_t>(stored))
                                     : static_cast<double>(stored);
}

void widen(double low, double high, MetricPoint& to) noexcept {
  if (std::isnan(low) || std::isnan(high)) return;
  if (low < to.min) to.min = low;
  if (high > to.max) to.max = high;
}

MetricPoint::Detail& detail_of(MetricPoint& point) {
  if (!point.detail) point.detail = std::make_unique<MetricPoint::Detail>();
  return *point.detail;
}

}  // namespace

const Sketch& MetricPoint::sketch() const noexcept {
  static const Sketch kNone;
  return detail ? detail->sketch : kNone;
}

const ExemplarInfo& MetricPoint::exemplar() const noexcept {
  static const ExemplarInfo kNone;
  return detail ? detail->exemplar : kNone;
}

std::int64_t covered_seconds(const MetricPoint& point, std::int64_t step_s, std::int64_t since_unix_s,
                             std::int64_t until_unix_s) noexcept {
  const std::int64_t tick = std::max<std::int64_t>(point.tick_s, 1);
  const std::int64_t begin = std::max(point.time_unix_s, since_unix_s),
                     last = std::min(point.time_unix_s + step_s - 1, until_unix_s);
  const std::int64_t first_tick = -floor_divided(-begin, tick) * tick, last_tick = floor_divided(last, tick) * tick;
  return std::max(last_tick - first_tick + tick, tick);
}

void add_tick(const store::MetricPart& part, std::size_t i, MetricPoint& to) {
  const store::SeriesPoints& from = *part.points;
  to.tick_s = std::max(to.tick_s, part.grid.step_s);
  if (to.count == 0) to.min = INFINITY, to.max = -INFINITY;
  if (from.kind == MetricType::histogram) {
    ++to.count;
    return merge(detail_of(to).sketch, from.sketches[i], store::kSketchBucketsMax);  // as SQL's merge_sketch
  }
  const double last = number_of(from.kind, from.last[i]);
  if (from.count.empty()) {
    ++to.count;
    if (!std::isnan(last)) to.sum += last;
    widen(last, last, to);
  } else {
    to.count += from.count[i];
    const double sum = number_of(from.kind, from.sum[i]);
    if (!std::isnan(sum)) to.sum += sum;
    widen(number_of(from.kind, from.min[i]), number_of(from.kind, from.max[i]), to);
  }
  const std::int64_t time = part.time_unix_s(i) + part.grid.step_s;  // a roll-up's last value may be from its end
  if (time < to.last_unix_s) return;
  to.last = last;
  to.last_unix_s = time;
}

void add_exemplar(const ExemplarInfo& exemplar, MetricPoint& to) {
  ExemplarInfo& kept = detail_of(to).exemplar;
  if (!kept.present || exemplar.value > kept.value) kept = exemplar;
}

MetricPoint& MetricSteps::at(std::int64_t begin) {
  if (steps_.empty() || begin > steps_.back().time_unix_s) {
    near_ = steps_.size();
    steps_.emplace_back().time_unix_s = begin;
    return steps_.back();
  }
  // Steps are mostly asked for in their order.
  if (steps_[near_].time_unix_s < begin) ++near_;
  if (steps_[near_].time_unix_s != begin) {
    const auto found =
        std::lower_bound(steps_.begin(), steps_.end(), begin,
                         [](const MetricPoint& point, std::int64_t time) { return point.time_unix_s < time; });
    near_ = static_cast<std::size_t>(found - steps_.begin());
    if (found->time_unix_s != begin) {
      MetricPoint& late = late_[begin];
      late.time_unix_s = begin;
      return late;
    }
  }
  return steps_[near_];
}

// What most ask for: one scalar series in the resolution in which it is kept. Each tick is a step of its own, later
// than all that are there. False: it is not so.
bool MetricSteps::add_as_they_are(const store::MetricPart& part, std::int64_t since_unix_s, std::int64_t until_unix_s) {
  const store::SeriesPoints& from = *part.points;
  if (from.kind == MetricType::histogram || !from.count.empty() || part.grid.step_s != step_s_ || from.ticks.empty() ||
      part.grid.t0_unix_s % step_s_ != 0 || (!steps_.empty() && part.time_unix_s(0) <= steps_.back().time_unix_s))
    return false;
  std::size_t first = 0, end = from.ticks.size();
  while (first < end && part.time_unix_s(first) < since_unix_s) ++first;
  while (first < end && part.time_unix_s(end - 1) > until_unix_s) --end;
  const std::size_t before = steps_.size();
  steps_.resize(before + (end - first));
  const auto fill = [&](auto number) {
    MetricPoint* point = steps_.data() + before;
    for (std::size_t i = first; i < end; ++i, ++point) {
      const double value = number(from.last[i]);
      point->time_unix_s = part.time_unix_s(i), point->last_unix_s = point->time_unix_s + step_s_;
      point->count = 1, point->tick_s = step_s_;
      point->sum = point->min = point->max = point->last = value;
      if (std::isnan(value)) point->sum = 0, point->min = INFINITY, point->max = -INFINITY;
    }
  };
  if (store::is_real(from.kind)) fill([](std::uint64_t n) { return std::bit_cast<double>(n); });
  else fill([&](std::uint64_t n) { return number_of(from.kind, n); });
  near_ = steps_.empty() ? 0 : steps_.size() - 1;
  return true;
}

void MetricSteps::add(const store::MetricPart& part, std::int64_t since_unix_s, std::int64_t until_unix_s) {
  const store::SeriesPoints& from = *part.points;
  MetricPoint* point = nullptr;
  std::int64_t begin = 0;
  if (steps_.capacity() == 0 && until_unix_s < INT64_MAX && until_unix_s > part.grid.t0_unix_s)
    steps_.reserve(std::min<std::size_t>(kReserveMax,
                                         static_cast<std::size_t>((until_unix_s - part.grid.t0_unix_s) / step_s_) + 1));
  if (add_as_they_are(part, since_unix_s, until_unix_s)) return;
  bare_ = bare_ || !from.count.empty();
  for (std::size_t i = 0; i < from.ticks.size(); ++i) {
    const std::int64_t time = part.time_unix_s(i);
    if (time < since_unix_s || time > until_unix_s) continue;
    if (point == nullptr || time - begin >= step_s_) {
      begin = point != nullptr && time - begin < 2 * step_s_ ? begin + step_s_ : floor_divided(time, step_s_) * step_s_;
      point = &at(begin);
    }
    add_tick(part, i, *point);
  }
  for (const store::TickExemplar& of : from.exemplars) {
    const std::int64_t time = part.grid.t0_unix_s + part.grid.step_s * of.tick;
    if (time < since_unix_s || time > until_unix_s) continue;
    add_exemplar(of.exemplar, at(floor_divided(time, step_s_) * step_s_));
    bare_ = true;
  }
}

std::vector<MetricPoint> MetricSteps::take() {
  std::vector<MetricPoint> points = std::move(steps_);
  for (auto& [begin, point] : late_) points.push_back(std::move(point));
  if (!late_.empty()) {
    std::sort(points.begin(), points.end(),
              [](const MetricPoint& a, const MetricPoint& b) { return a.time_unix_s < b.time_unix_s; });
  }
  if (bare_) std::erase_if(points, [](const MetricPoint& point) { return !point.any(); });
  bare_ = false;
  steps_.clear();
  late_.clear();
  near_ = 0;
  return points;
}

}  // namespace honeylink::telemetry::query
