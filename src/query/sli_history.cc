// See sli_history.h.
#include "query/sli_history.h"

#include <array>
#include <cmath>

#include "base/sketch.h"
#include "query/heatmap.h"
#include "query/json.h"

namespace honeylink::telemetry::query {
namespace {

constexpr std::array<std::pair<const char*, double>, 3> kBeside{{{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}}};

/// Gaps become points without data.
std::vector<SliPoint> contiguous(std::vector<SliPoint> points, std::int64_t step_s) {
  std::vector<SliPoint> all;
  for (SliPoint& point : points) {
    while (!all.empty() && all.back().time_unix_s + step_s < point.time_unix_s)
      all.push_back({all.back().time_unix_s + step_s, NAN, NAN, {}, {}});
    all.push_back(std::move(point));
  }
  return all;
}

}  // namespace

Answer<SliHistory> read_sli_history(SliReader& reader, const SliView& sli, std::int64_t since, std::int64_t until,
                                    std::size_t points_max) {
  SliHistory history;
  const sli::Definition& d = sli.definition;
  if (reader.metrics() == nullptr || (d.is_ratio() && d.ratio.size() != 2)) return history;
  SeriesFilter filter;
  filter.name = d.is_ratio() ? d.ratio[1] : d.of;
  MetricRange range{since, until, 10};
  const auto extent = reader.metrics()->extent(reader.metrics()->find(filter), range);
  if (!extent.ok()) return extent.problem();
  history.tier = extent.value().tiers[2] ? "1h" : extent.value().tiers[1] ? "1m" : "10s";
  range.step_s = history.step_s = step_for(extent.value(), since, until, points_max);
  auto points = reader.history(sli, range);
  if (!points.ok()) return points.problem();
  history.points = contiguous(std::move(points.value()), history.step_s);
  return history;
}

std::string sli_history_json(const SliView& sli, const SliHistory& history) {
  JsonWriter json;
  json.begin_object().key("schema").integer(1).key("sli_name").text(sli.definition.name).key("unit").text(sli.unit);
  json.key("step_s").integer(history.step_s).key("tier").text(history.tier).key("t").begin_array();
  for (const SliPoint& point : history.points) json.integer(point.time_unix_s);
  json.end_array().key("value").begin_array();
  for (const SliPoint& point : history.points) json.real(point.value);
  json.end_array();
  for (const auto& [name, q] : kBeside) {
    if (sli.definition.is_ratio()) break;
    json.key(name).begin_array();
    for (const SliPoint& point : history.points) json.real(quantile(point.sketch, q));
    json.end_array();
  }
  json.key("count").begin_array();
  for (const SliPoint& point : history.points) json.real(point.samples);
  return json.end_array().end_object().str();
}

}  // namespace honeylink::telemetry::query
