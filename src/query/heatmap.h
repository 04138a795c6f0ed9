// A histogram over time, as cells that can be drawn: columns are steps, rows are buckets at one scale for all of them;
// and the exemplars, which lead to traces. Reads only; one thread.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/events.h"
#include "query/metric_reader.h"

namespace honeylink::telemetry::query {

struct Heatmap {
  std::string unit;
  std::int64_t step_s = 10;
  std::vector<std::int64_t> t_unix_s;  // of each column's beginning
  std::vector<double> bounds;          // upper bounds of the rows, ascending; 0: zeros and below
  struct Cell {
    std::uint32_t column, row;
    std::uint64_t count;
  };
  std::vector<Cell> cells;              // that are not empty; by column, then row
  std::vector<ExemplarInfo> exemplars;  // the largest value of each step that has one
};
struct HeatmapQuestion {
  std::string metric;
  std::int64_t since_unix_s = 0, until_unix_s = 0;
  std::size_t columns = 120;
};
inline constexpr std::size_t kHeatmapRowsMax = 96;
/// not_found where there is no such histogram.
[[nodiscard]] Answer<Heatmap> read_heatmap(MetricReader& reader, const HeatmapQuestion& question);
[[nodiscard]] std::string heatmap_json(const Heatmap& heatmap);

/// The shortest step that what is kept can fill and that needs no more than so many of them.
[[nodiscard]] std::int64_t step_for(const MetricExtent& extent, std::int64_t since_unix_s, std::int64_t until_unix_s,
                                    std::size_t steps_max);

}  // namespace honeylink::telemetry::query
