// See metric_answer.h.
#include "query/metric_answer.h"

#include <algorithm>
#include <cmath>

#include "base/sketch.h"
#include "base/text.h"
#include "config/suggest.h"
#include "query/time_text.h"

namespace honeylink::telemetry::query {
namespace {

constexpr std::int64_t kSteps[] = {10, 30, 60, 300, 600, 1'800, 3'600, 7'200, 21'600, 43'200, 86'400};
constexpr std::int64_t kStepsShown = 360;

std::string suggestion(const MetricReader& reader, const std::string& name) {
  const std::vector<std::string> names = reader.names();
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string near(config::nearest(name, views));
  if (!near.empty()) return ": did you mean '" + near + "'?";
  for (const std::string& known : names) {
    if (name.size() >= 3 && known.find(name) != std::string::npos) return ": did you mean '" + known + "'?";
  }
  return {};
}

/// Steps that the tiers in the range can fill: as asked, or about as many as can be looked at.
std::int64_t step_of(const MetricQuestion& question, const MetricExtent& extent) {
  const std::int64_t coarsest = extent.coarsest_step_s();
  if (question.step_given) return std::max(question.range.step_s, coarsest);
  const std::int64_t begin = std::max(question.range.since_unix_s, extent.oldest_unix_s);
  const std::int64_t end = std::min(question.range.until_unix_s, extent.newest_unix_s);
  for (const std::int64_t step : kSteps) {
    // Where there is nothing the end is before the beginning, at the ends of what numbers there are.
    if (step >= coarsest && (end < begin || (end - begin) / step <= kStepsShown)) return step;
  }
  return std::end(kSteps)[-1];
}

}  // namespace

bool parse_label(std::string_view text, SeriesFilter& filter) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return false;
  filter.labels.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  return true;
}

Answer<MetricAnswer> ask_metric(MetricReader& reader, const MetricQuestion& question) {
  const SeriesFilter& filter = question.filter;
  const auto found = reader.find(filter);
  if (found.empty()) {
    return Problem{ProblemKind::not_found, "no metric '" + filter.name + "'" + suggestion(reader, filter.name),
                   filter.labels.empty() ? "" : "with these labels", "honeytel metrics lists what there is"};
  }
  for (const auto* series : found) {
    if (series->kind == found.front()->kind && series->unit == found.front()->unit) continue;
    return Problem{ProblemKind::usage, "'" + filter.name + "' is declared in two ways",
                   found.front()->kind + " in " + found.front()->unit + " and " + series->kind + " in " + series->unit,
                   "choose one: --label service=NAME"};
  }
  auto extent = reader.extent(found, question.range);
  if (!extent.ok()) return extent.problem();
  MetricAnswer answer;
  answer.series = *found.front(), answer.extent = extent.value(), answer.quantile = question.quantile;
  answer.step_asked_s = question.range.step_s;
  answer.step_s = step_of(question, answer.extent);
  MetricRange range = question.range;
  range.step_s = answer.step_s;
  auto points = reader.points(found, range);
  if (!points.ok()) return points.problem();
  answer.range = range;
  answer.points = std::move(points.value());
  return answer;
}

void append_series(JsonWriter& json, const SeriesSummary& s) {
  const SeriesView& v = s.series;
  const auto real = [&](const char* key, double value) {
    json.key(key);
    if (std::isfinite(value)) json.real(value);
    else json.null();
  };
  json.begin_object().key("name").text(v.name).key("kind").text(v.kind).key("unit").text(v.unit);
  json.key("labels").text(v.label_text()).key("module").text(v.module).key("service").text(v.service);
  real("value", v.is_histogram() ? NAN : v.is_gauge() ? s.all.last : s.all.sum);
  json.key("count");
  if (v.is_histogram()) json.count(s.all.sketch().count);
  else json.null();
  real("p95", v.is_histogram() ? quantile(s.all.sketch(), 0.95) : NAN);
  json.key("newest")
      .text(format_utc(seconds_as_ns(s.newest_unix_s)))
      .key("description")
      .text(v.description)
      .end_object();
}

std::string series_list_json(const std::vector<SeriesSummary>& summaries, std::uint64_t limit) {
  JsonWriter json;
  std::uint64_t total = 0;
  json.begin_object().key("schema").integer(1).key("series").begin_array();
  for (const SeriesSummary& summary : summaries) {
    if (summary.all.any() && (++total <= limit || limit == 0)) append_series(json, summary);
  }
  json.end_array().key("truncated").boolean(limit != 0 && total > limit).key("total").count(total);
  return json.end_object().str();
}

void append_point(JsonWriter& json, const MetricAnswer& answer, const MetricPoint& p) {
  const auto real = [&](const char* key, double value) {
    json.key(key);
    if (std::isfinite(value)) json.real(value);
    else json.null();
  };
  const std::int64_t time = seconds_as_ns(p.time_unix_s);
  json.begin_object().key("time").text(format_utc(time)).key("time_unix_nano").text(std::to_string(time));
  if (answer.series.is_histogram()) {
    const Sketch& s = p.sketch();
    json.key("count").count(s.count);
    real("mean", s.count == 0 ? NAN : s.sum / static_cast<double>(s.count));
    real("min", s.min), real("quantile", quantile(s, answer.quantile)), real("max", s.max);
    json.key("scale").integer(s.scale).key("trace_id");
    if (p.exemplar().present) json.text(hex(p.exemplar().trace_id));
    else json.null();
  } else if (answer.series.is_gauge()) {
    real("value", p.last), real("rate", NAN), real("min", p.min), real("max", p.max);
  } else {
    real("value", p.sum), real("rate", point_rate(p, answer.range)), real("min", NAN), real("max", NAN);
  }
  json.key("step_s").integer(answer.step_s).end_object();
}

std::string metric_json(const MetricAnswer& answer, std::uint64_t limit) {
  const std::size_t all = answer.points.size();
  const std::size_t shown = limit == 0 ? all : std::min<std::size_t>(all, limit);
  JsonWriter json;
  json.begin_object().key("schema").integer(1).key("points").begin_array();
  for (std::size_t i = all - shown; i < all; ++i) append_point(json, answer, answer.points[i]);
  json.end_array().key("truncated").boolean(all > shown).key("total").count(all);
  return json.end_object().str();
}

}  // namespace honeylink::telemetry::query
