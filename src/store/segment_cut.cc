// See segment_cut.h.
#include "store/segment_cut.h"

#include <algorithm>

#include "store/segment_blob.h"

namespace honeylink::telemetry::store {
namespace {

void drop_first(SeriesPoints& points, std::uint32_t tick) {
  const auto gone = std::lower_bound(points.ticks.begin(), points.ticks.end(), tick) - points.ticks.begin();
  const auto drop = [gone](auto& column) {
    if (!column.empty()) column.erase(column.begin(), column.begin() + gone);
  };
  const std::uint64_t before = points.ticks.size();
  drop(points.ticks), drop(points.last), drop(points.count), drop(points.min), drop(points.max), drop(points.sum);
  drop(points.sketches), drop(points.live_scales);
  std::erase_if(points.exemplars, [tick](const TickExemplar& held) { return held.tick < tick; });
  if (before != 0)
    points.points = std::max<std::uint64_t>(points.points * points.ticks.size() / before, points.ticks.size());
}

}  // namespace

std::optional<CutSegment> cut_segment(std::span<const std::uint8_t> blob, std::int64_t before_unix_s) {
  const auto directory = SegmentDirectory::read(blob, blob.size());
  if (!directory) return std::nullopt;
  const SegmentGrid& grid = directory->grid;
  const std::int64_t into = before_unix_s - grid.t0_unix_s;
  const auto first = static_cast<std::uint32_t>(
      std::clamp<std::int64_t>((into + grid.step_s - 1) / grid.step_s, 0, std::int64_t{grid.ticks}));
  SegmentWorkspace work;
  SegmentWriter writer(grid, work);
  SeriesPoints points;
  for (const SegmentEntry& entry : directory->entries) {
    const auto body = blob.subspan(static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.size));
    if (!read_series(grid, entry, body, work, points)) continue;
    drop_first(points, first);
    if (!points.ticks.empty()) writer.add(points);
  }
  CutSegment cut;
  cut.points = writer.points();
  if (writer.series() != 0) cut.blob = writer.finish();
  return cut;
}

}  // namespace honeylink::telemetry::store
