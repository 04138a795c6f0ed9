// See heatmap.h.
#include "query/heatmap.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/sketch.h"
#include "base/text.h"
#include "query/json.h"

namespace honeylink::telemetry::query {
namespace {

constexpr std::int64_t kSteps[] = {10,    30,    60,     120,    300,    600,    1'200,   1'800,
                                   3'600, 7'200, 14'400, 21'600, 43'200, 86'400, 172'800, 604'800};
constexpr int kScaleMin = -10;

/// Indices of the lowest and highest bucket of all points at this scale.
struct Extent {
  std::int64_t first = std::numeric_limits<std::int64_t>::max(), last = std::numeric_limits<std::int64_t>::min();
  [[nodiscard]] bool any() const noexcept { return first <= last; }
  [[nodiscard]] std::size_t rows() const noexcept { return any() ? static_cast<std::size_t>(last - first + 1) : 0; }
};

Extent extent_of(const std::vector<Sketch>& sketches) {
  Extent span;
  for (const Sketch& sketch : sketches) {
    if (sketch.buckets.empty()) continue;
    span.first = std::min<std::int64_t>(span.first, sketch.offset);
    span.last = std::max<std::int64_t>(span.last, sketch.offset + static_cast<std::int64_t>(sketch.buckets.size()) - 1);
  }
  return span;
}

/// All at one scale, and coarse enough for the rows that there may be.
int level(std::vector<Sketch>& sketches, std::size_t rows_max) {
  int scale = std::numeric_limits<int>::max();
  for (Sketch& sketch : sketches) {
    trim(sketch);
    if (!sketch.buckets.empty()) scale = std::min(scale, sketch.scale);
  }
  if (scale == std::numeric_limits<int>::max()) return 0;
  for (;; --scale) {
    for (Sketch& sketch : sketches) downscale(sketch, scale);
    if (extent_of(sketches).rows() <= rows_max || scale <= kScaleMin) return scale;
  }
}

void fill(Heatmap& heatmap, const std::vector<Sketch>& sketches, int scale) {
  const Extent span = extent_of(sketches);
  const bool zeros = std::any_of(sketches.begin(), sketches.end(), [](const Sketch& s) { return s.zeros != 0; });
  if (zeros) heatmap.bounds.push_back(0);
  for (std::size_t row = 0; row < span.rows(); ++row)
    heatmap.bounds.push_back(bucket_upper_bound(scale, span.first + static_cast<std::int64_t>(row)));
  const std::uint32_t first_row = zeros ? 1 : 0;
  for (std::uint32_t column = 0; column < sketches.size(); ++column) {
    const Sketch& sketch = sketches[column];
    if (sketch.zeros != 0) heatmap.cells.push_back({column, 0, sketch.zeros});
    for (std::size_t i = 0; i < sketch.buckets.size(); ++i) {
      if (sketch.buckets[i] == 0) continue;
      const auto row = static_cast<std::uint32_t>(sketch.offset + static_cast<std::int64_t>(i) - span.first);
      heatmap.cells.push_back({column, first_row + row, sketch.buckets[i]});
    }
  }
}

}  // namespace

std::int64_t step_for(const MetricExtent& extent, std::int64_t since, std::int64_t until, std::size_t steps_max) {
  const std::int64_t begin = std::max(since, extent.oldest_unix_s), end = std::min(until, extent.newest_unix_s);
  const auto most = static_cast<std::int64_t>(std::max<std::size_t>(1, steps_max));
  for (const std::int64_t step : kSteps) {
    if (step >= extent.coarsest_step_s() && (end < begin || (end - begin) / step < most)) return step;
  }
  return std::end(kSteps)[-1];
}

Answer<Heatmap> read_heatmap(MetricReader& reader, const HeatmapQuestion& question) {
  SeriesFilter filter;
  filter.name = question.metric;
  const auto found = reader.find(filter);
  if (found.empty() || !found.front()->is_histogram())
    return Problem{ProblemKind::not_found, "no histogram '" + question.metric + "'", "nothing was recorded in it yet",
                   ""};
  MetricRange range{question.since_unix_s, question.until_unix_s, 10};
  const auto extent = reader.extent(found, range);
  if (!extent.ok()) return extent.problem();
  range.step_s = step_for(extent.value(), range.since_unix_s, range.until_unix_s, question.columns);
  const auto points = reader.points(found, range);
  if (!points.ok()) return points.problem();
  Heatmap heatmap;
  heatmap.unit = found.front()->unit, heatmap.step_s = range.step_s;
  // Columns without data are columns, too: whoever draws them shares the width evenly.
  std::vector<Sketch> sketches;
  for (const MetricPoint& point : points.value()) {
    if (heatmap.t_unix_s.empty()) heatmap.t_unix_s.push_back(point.time_unix_s), sketches.emplace_back();
    while (heatmap.t_unix_s.back() < point.time_unix_s)
      heatmap.t_unix_s.push_back(heatmap.t_unix_s.back() + range.step_s), sketches.emplace_back();
    sketches.back() = point.sketch();
    if (point.exemplar().present) heatmap.exemplars.push_back(point.exemplar());
  }
  fill(heatmap, sketches, level(sketches, kHeatmapRowsMax));
  return heatmap;
}

std::string heatmap_json(const Heatmap& heatmap) {
  JsonWriter json;
  json.begin_object().key("schema").integer(1).key("unit").text(heatmap.unit).key("step_s").integer(heatmap.step_s);
  json.key("t").begin_array();
  for (const std::int64_t t : heatmap.t_unix_s) json.integer(t);
  json.end_array().key("bounds").begin_array();
  for (const double bound : heatmap.bounds) json.real(bound);
  json.end_array().key("cells").begin_array();
  for (const Heatmap::Cell& cell : heatmap.cells)
    json.begin_array().count(cell.column).count(cell.row).count(cell.count).end_array();
  json.end_array().key("exemplars").begin_array();
  for (const ExemplarInfo& exemplar : heatmap.exemplars) {
    json.begin_object().key("t").real(static_cast<double>(exemplar.time_unix_ns) / 1e9);
    json.key("value").real(exemplar.value).key("trace_id").text(hex(exemplar.trace_id));
    json.key("span_id").text(hex(exemplar.span_id)).end_object();
  }
  return json.end_array().end_object().str();
}

}  // namespace honeylink::telemetry::query
