// See point_gather.h.
#include "store/point_gather.h"

#include <algorithm>
#include <bit>
#include <functional>

#include "store/metric_format.h"

namespace honeylink::telemetry::store {
namespace {

void append(const StoredPoint& point, std::uint32_t tick, SeriesPoints& to) {
  to.sid = point.sid;
  to.kind = point.kind;
  ++to.points;
  to.ticks.push_back(tick);
  if (point.kind != MetricType::histogram) {
    to.last.push_back(is_real(point.kind) ? std::bit_cast<std::uint64_t>(point.real) : point.integer);
    return;
  }
  to.sketches.push_back(point.sketch);
  to.live_scales.push_back(point.live_scale);
  if (point.exemplar.present) to.exemplars.push_back({tick, point.exemplar});
}

bool ascends(const std::vector<std::uint32_t>& ticks) noexcept {
  return std::adjacent_find(ticks.begin(), ticks.end(), std::greater_equal<>()) == ticks.end();
}

}  // namespace

void PointGather::add(std::int64_t tick_unix_s, std::uint64_t n, std::span<const std::uint8_t> blob) {
  MetricBlob points(blob);
  if (!points.sound() || !is_tick(tick_unix_s)) {
    lost_ += n;
    return;
  }
  const Tier& tier = kTiers[0];
  const std::int64_t length = tier.window_s();
  const std::int64_t into = (tick_unix_s % length + length) % length;
  const auto tick = static_cast<std::uint32_t>(into / tier.step_s);
  Window& window = windows_[tick_unix_s - into];
  window.first_tick = std::min(window.first_tick, tick);
  window.last_tick = std::max(window.last_tick, tick);
  std::uint64_t read = 0;
  Group* group = nullptr;
  std::uint32_t number = 0;
  Group::iterator at;
  while (points.next(point_)) {
    if (group == nullptr || number != point_.sid / kGroupSeries) {
      number = point_.sid / kGroupSeries;
      group = &window.groups[number];
      at = group->begin();
    }
    while (at != group->end() && at->first < point_.sid) ++at;  // both ascend
    if (at == group->end() || at->first != point_.sid) at = group->emplace_hint(at, point_.sid, SeriesPoints{});
    SeriesPoints& series = at->second;
    if (!series.ticks.empty() && series.kind != point_.kind) continue;
    append(point_, tick, series);
    ++read;
  }
  if (read < n) lost_ += n - read;
  if (window.groups.empty()) windows_.erase(tick_unix_s - into);
}

PointGather::Packed PointGather::pack_next(SegmentWorkspace& work) {
  const auto window = windows_.begin();
  const auto group = window->second.groups.begin();
  const Tier& tier = kTiers[0];
  const SegmentGrid whole{0, window->first, tier.step_s, static_cast<std::uint32_t>(tier.ticks)};
  SegmentGrid grid = whole;
  grid.t0_unix_s += tier.step_s * window->second.first_tick;
  grid.ticks = window->second.last_tick - window->second.first_tick + 1;
  SegmentWriter writer(grid, work);
  Rollup rollup(grid);  // sorts, and adds up what was committed twice in a tick
  SeriesPoints result;
  for (auto& [sid, series] : group->second) {
    if (series.kind != MetricType::histogram && ascends(series.ticks)) {  // as scalars nearly always do
      for (std::uint32_t& tick : series.ticks) tick -= window->second.first_tick;
      writer.add(series);
      continue;
    }
    rollup.begin(sid, series.kind);
    rollup.add(series, whole);
    if (rollup.finish(result)) writer.add(result);
  }
  Packed packed{grid, group->first, writer.points(), writer.finish()};
  window->second.groups.erase(group);
  if (window->second.groups.empty()) windows_.erase(window);
  return packed;
}

}  // namespace honeylink::telemetry::store
