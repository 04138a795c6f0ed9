// See metric_steps.h.
#include "query/metric_steps.h"

#include <bit>
#include <cmath>

#include "base/sketch.h"

namespace honeylink::telemetry::query {
namespace {

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

void add_tick(const store::MetricPart& part, std::size_t i, MetricPoint& to) {
  const store::SeriesPoints& from = *part.points;
  if (to.count == 0) to.min = INFINITY, to.max = -INFINITY;
  if (from.kind == MetricType::histogram) {
    ++to.count;
    return merge(detail_of(to).sketch, from.sketches[i]);
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
  const std::int64_t time = part.time_unix_s(i);
  if (time < to.last_unix_s) return;
  to.last = last;
  to.last_unix_s = time;
}

void add_exemplar(const ExemplarInfo& exemplar, MetricPoint& to) {
  ExemplarInfo& kept = detail_of(to).exemplar;
  if (!kept.present || exemplar.value > kept.value) kept = exemplar;
}

MetricPoint& MetricSteps::at(std::int64_t step) {
  const std::int64_t number = floor_divided(step, kBlock);
  if (block_ == nullptr || number != block_number_) {
    block_ = &blocks_[number];
    block_number_ = number;
  }
  return (*block_)[static_cast<std::size_t>(step - number * kBlock)];
}

void MetricSteps::add(const store::MetricPart& part, std::int64_t since_unix_s, std::int64_t until_unix_s) {
  const store::SeriesPoints& from = *part.points;
  MetricPoint* point = nullptr;
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < from.ticks.size(); ++i) {
    const std::int64_t time = part.time_unix_s(i);
    if (time < since_unix_s || time > until_unix_s) continue;
    if (point == nullptr || time - begin >= step_s_) {
      const std::int64_t step = floor_divided(time, step_s_);
      point = &at(step);
      begin = step * step_s_;
      point->time_unix_s = begin;
    }
    add_tick(part, i, *point);
  }
  for (const store::TickExemplar& of : from.exemplars) {
    const std::int64_t time = part.grid.t0_unix_s + part.grid.step_s * of.tick;
    if (time >= since_unix_s && time <= until_unix_s) add_exemplar(of.exemplar, at(floor_divided(time, step_s_)));
  }
}

std::vector<MetricPoint> MetricSteps::take() {
  std::vector<MetricPoint> points;
  points.reserve(blocks_.size() * kBlock);
  for (auto& [number, block] : blocks_) {
    for (MetricPoint& point : block) {
      if (point.any()) points.push_back(std::move(point));
    }
  }
  blocks_.clear();
  block_ = nullptr;
  return points;
}

}  // namespace honeylink::telemetry::query
