// metrics.db, looked at: see metric_reader.h.
#include "query/metric_reader.h"

#include <algorithm>
#include <cmath>

#include "base/sketch.h"
#include "query/database.h"
#include "query/json.h"
#include "query/paths.h"

namespace honeylink::telemetry::query {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs pairs_of(std::string_view json) {
  std::vector<JsonMember> members;
  Pairs pairs;
  if (!read_json_object(json, members)) return pairs;
  for (const auto& [key, value] : members) pairs.emplace_back(key, json_text_of(value));
  return pairs;
}

std::string value_of(const Pairs& pairs, std::string_view key) {
  for (const auto& [name, value] : pairs) {
    if (name == key) return value;
  }
  return {};
}

void accumulate(const store::StoredPoint& from, double& sum, double& last, Sketch& sketch) {
  if (from.kind == MetricType::histogram) merge(sketch, from.sketch);
  else if (from.kind == MetricType::gauge) last = from.real;
  else sum += stored_number(from);
}

}  // namespace

std::string SeriesView::label_text() const {
  std::string text;
  for (const auto& [key, value] : labels) text += (text.empty() ? "" : ", ") + key + "=" + value;
  return text;
}

Answer<std::unique_ptr<MetricReader>> MetricReader::open(const std::string& home) {
  auto opened = open_database(metrics_path(home));
  if (!opened.ok()) return opened.problem();
  std::unique_ptr<MetricReader> reader(new MetricReader);
  reader->path_ = metrics_path(home);
  reader->connection_ = std::move(opened.value());
  store::Statement rows = reader->connection_.prepare(
      "SELECT sid, name, kind, unit, labels, resource, description FROM series ORDER BY name, labels, resource");
  int code = SQLITE_DONE;
  while (rows && (code = rows.step()) == SQLITE_ROW) {
    const Pairs resource = pairs_of(rows.text(5));
    SeriesView series{static_cast<std::uint32_t>(rows.integer(0)),
                      std::string(rows.text(1)),
                      std::string(rows.text(2)),
                      std::string(rows.text(3)),
                      std::string(rows.text(6)),
                      pairs_of(rows.text(4)),
                      value_of(resource, "service.name"),
                      value_of(resource, "module"),
                      value_of(resource, "environment")};
    reader->by_sid_[series.sid] = reader->series_.size();
    reader->series_.push_back(std::move(series));
  }
  if (!rows || code != SQLITE_DONE)
    return database_problem(reader->connection_, reader->path_, "cannot read the series");
  return reader;
}

std::vector<std::string> MetricReader::names() const {
  std::vector<std::string> names;
  for (const SeriesView& series : series_) {
    if (names.empty() || names.back() != series.name) names.push_back(series.name);
  }
  return names;
}

std::vector<const SeriesView*> MetricReader::find(const SeriesFilter& filter) const {
  std::vector<const SeriesView*> found;
  for (const SeriesView& series : series_) {
    if (!filter.name.empty() && series.name != filter.name) continue;
    const bool all = std::all_of(filter.labels.begin(), filter.labels.end(), [&](const auto& wanted) {
      if (wanted.first == "module") return series.module == wanted.second;
      if (wanted.first == "service.name" || wanted.first == "service") return series.service == wanted.second;
      if (wanted.first == "environment") return series.environment == wanted.second;
      return std::find(series.labels.begin(), series.labels.end(), wanted) != series.labels.end();
    });
    if (all) found.push_back(&series);
  }
  return found;
}

const SeriesView* MetricReader::by_sid(std::uint32_t sid) const noexcept {
  const auto found = by_sid_.find(sid);
  return found == by_sid_.end() ? nullptr : &series_[found->second];
}

MetricReader::Walk MetricReader::walk(const MetricRange& range) {
  Walk walk;
  walk.rows_ = connection_.prepare("SELECT tick, data FROM hot WHERE tick >= ? AND tick <= ? ORDER BY commit_no");
  walk.rows_.bind(1, range.since_unix_s).bind(2, range.until_unix_s);
  return walk;
}

bool MetricReader::Walk::next(std::int64_t& tick_unix_s, store::StoredPoint& point) {
  for (;;) {
    if (in_blob_ && blob_.sound() && blob_.next(point)) {
      tick_unix_s = rows_.integer(0);
      return true;
    }
    in_blob_ = code_ == SQLITE_ROW && (code_ = rows_.step()) == SQLITE_ROW;
    if (!in_blob_) return false;
    blob_ = store::MetricBlob(rows_.blob(1));
  }
}

std::optional<Problem> MetricReader::scan(const MetricRange& range, const Visit& visit) {
  Walk walk = this->walk(range);
  std::int64_t tick = 0;
  store::StoredPoint point;
  while (walk.next(tick, point)) {
    if (!visit(tick, point)) return std::nullopt;
  }
  if (walk.failed()) return database_problem(connection_, path_, "cannot read the points");
  return std::nullopt;
}

Answer<std::vector<SeriesSummary>> MetricReader::summarize(const std::vector<const SeriesView*>& wanted,
                                                           const MetricRange& range) {
  std::vector<SeriesSummary> summaries;
  std::map<std::uint32_t, std::size_t> place;
  for (const SeriesView* series : wanted) {
    place[series->sid] = summaries.size();
    summaries.push_back({*series, 0, 0, {}, 0});
  }
  const auto problem = scan(range, [&](std::int64_t tick, const store::StoredPoint& point) {
    const auto found = place.find(point.sid);
    if (found == place.end()) return true;
    SeriesSummary& summary = summaries[found->second];
    double last = summary.total;
    accumulate(point, summary.total, last, summary.sketch);
    if (point.kind == MetricType::gauge) summary.total = last;
    summary.newest_unix_s = std::max(summary.newest_unix_s, tick);
    ++summary.points;
    return true;
  });
  if (problem) return *problem;
  return summaries;
}

Answer<std::vector<MetricPoint>> MetricReader::points(const std::vector<const SeriesView*>& wanted,
                                                      const MetricRange& range) {
  std::map<std::int64_t, MetricPoint> steps;
  std::map<std::uint32_t, bool> sids;
  for (const SeriesView* series : wanted) sids[series->sid] = true;
  const std::int64_t step = std::max<std::int64_t>(1, range.step_s);
  const auto problem = scan(range, [&](std::int64_t tick, const store::StoredPoint& stored) {
    if (!sids.contains(stored.sid)) return true;
    const std::int64_t begin = tick - ((tick % step) + step) % step;
    MetricPoint& point = steps[begin];
    point.time_unix_s = begin;
    point.any = true;
    accumulate(stored, point.sum, point.last, point.sketch);
    if (stored.exemplar.present && (!point.exemplar.present || stored.exemplar.value > point.exemplar.value))
      point.exemplar = stored.exemplar;
    return true;
  });
  if (problem) return *problem;
  std::vector<MetricPoint> points;
  for (auto& [begin, point] : steps) points.push_back(std::move(point));
  return points;
}

double stored_number(const store::StoredPoint& point) noexcept {
  switch (point.kind) {
    case MetricType::counter:
      return static_cast<double>(point.integer);
    case MetricType::up_down:
      return static_cast<double>(static_cast<std::int64_t>(point.integer));  // a decrease is negative
    default:
      return point.real;
  }
}

double point_value(const SeriesView& series, const MetricPoint& point, std::int64_t step_s, double q) {
  if (!point.any) return NAN;
  if (series.is_histogram()) return quantile(point.sketch, q);
  if (series.is_gauge()) return point.last;
  if (series.kind == "up_down") return point.sum;
  return point.sum / static_cast<double>(std::max<std::int64_t>(1, step_s));
}

}  // namespace honeylink::telemetry::query
