// What is asked of metrics, answered once for everybody who shows it: which series there are, one metric over time, in
// steps that what is kept can fill; and the JSON of `honeytel metrics --json`. One thread.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "query/json.h"
#include "query/metric_reader.h"

namespace honeylink::telemetry::query {

struct MetricQuestion {
  SeriesFilter filter;
  MetricRange range;
  bool step_given = false;  // else as many steps as can be looked at
  double quantile = 0.95;
};
struct MetricAnswer {
  SeriesView series;  // the first of those that were added up
  MetricExtent extent;
  MetricRange range;  // as asked, in these steps
  std::int64_t step_s = 10, step_asked_s = 10;
  double quantile = 0.95;
  std::vector<MetricPoint> points;
};
/// One metric over time. not_found with a suggestion; usage where its series are of two kinds.
[[nodiscard]] Answer<MetricAnswer> ask_metric(MetricReader& reader, const MetricQuestion& question);

/// "key=value" as a series filter takes it; false where it is none.
bool parse_label(std::string_view text, SeriesFilter& filter);

/// Series that have points, at most `limit` (0: all).
[[nodiscard]] std::string series_list_json(const std::vector<SeriesSummary>& summaries, std::uint64_t limit);
void append_series(JsonWriter& json, const SeriesSummary& summary);
/// The newest points, at most `limit` (0: all), oldest first.
[[nodiscard]] std::string metric_json(const MetricAnswer& answer, std::uint64_t limit);
void append_point(JsonWriter& json, const MetricAnswer& answer, const MetricPoint& point);

}  // namespace honeylink::telemetry::query
