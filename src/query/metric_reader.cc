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

constexpr std::int64_t kTickSeconds = store::kTiers[0].step_s;
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

std::vector<std::uint32_t> sids_of(const std::vector<const SeriesView*>& wanted) {
  std::vector<std::uint32_t> sids;
  for (const SeriesView* series : wanted) sids.push_back(series->sid);
  std::sort(sids.begin(), sids.end());
  return sids;
}

/// The last ten seconds that a tick may speak of.
std::int64_t newest_of(const store::MetricPart& part, std::size_t i) {
  return part.time_unix_s(i) + part.grid.step_s - kTickSeconds;
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

store::MetricScan MetricReader::scan(const std::vector<const SeriesView*>& wanted, const store::ScanRange& range) {
  return {connection_, sids_of(wanted), range};
}

Problem MetricReader::problem() const { return database_problem(connection_, path_, "cannot read the points"); }

std::int64_t MetricExtent::coarsest_step_s() const noexcept {
  for (std::size_t tier = tiers.size(); tier-- > 1;) {
    if (tiers[tier]) return store::kTiers[tier].step_s;
  }
  return store::kTiers[0].step_s;
}

Answer<MetricExtent> MetricReader::extent(const std::vector<const SeriesView*>& wanted, const MetricRange& range) {
  MetricExtent extent;
  std::vector<std::uint32_t> groups = sids_of(wanted);
  for (std::uint32_t& group : groups) group /= store::kGroupSeries;
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  store::Statement rows =
      connection_.prepare("SELECT min(t0), max(t1) FROM seg WHERE tier=?1 AND \"group\"=?2 AND t0 <= ?3 AND t1 > ?4");
  for (std::size_t tier = 0; rows && tier < store::kTiers.size(); ++tier) {
    for (const std::uint32_t group : groups) {
      rows.bind(1, static_cast<int>(tier)).bind(2, group).bind(3, range.until_unix_s).bind(4, range.since_unix_s);
      if (rows.step() != SQLITE_ROW) return problem();
      if (!rows.is_null(0)) {
        extent.tiers[tier] = true;
        extent.oldest_unix_s = std::min(extent.oldest_unix_s, rows.integer(0));
        extent.newest_unix_s = std::max(extent.newest_unix_s, rows.integer(1));
      }
      rows.reset();
    }
  }
  store::Statement ticks = connection_.prepare("SELECT min(tick), max(tick) FROM hot WHERE tick >= ?1 AND tick <= ?2");
  ticks.bind(1, range.since_unix_s).bind(2, range.until_unix_s);
  if (!rows || !ticks || ticks.step() != SQLITE_ROW) return problem();
  if (!ticks.is_null(0)) {
    extent.tiers[0] = true;
    extent.oldest_unix_s = std::min(extent.oldest_unix_s, ticks.integer(0));
    extent.newest_unix_s = std::max(extent.newest_unix_s, ticks.integer(1));
  }
  return extent;
}

Answer<std::vector<SeriesSummary>> MetricReader::summarize(const std::vector<const SeriesView*>& wanted,
                                                           const MetricRange& range) {
  std::vector<SeriesSummary> summaries;
  std::map<std::uint32_t, std::size_t> place;
  for (const SeriesView* series : wanted) {
    place[series->sid] = summaries.size();
    summaries.push_back({*series, 0, {}});
  }
  if (wanted.empty()) return summaries;
  // A digest says what its segment holds and not how far that goes: of the newest ones the ticks are asked for.
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<const SeriesView*>> unsure;  // from, to
  {
    std::vector<store::SegmentGrid> digests(summaries.size());
    store::ScanRange all{range.since_unix_s, range.until_unix_s};
    all.whole_s = INT64_MAX;
    store::MetricScan scan = this->scan(wanted, all);
    store::MetricPart part;
    while (scan.next(part)) {
      const std::size_t at = place[part.points->sid];
      SeriesSummary& summary = summaries[at];
      if (part.is_digest()) {
        add_tick(part, 0, summary.all);
        if (part.grid.end_unix_s() > digests[at].end_unix_s()) digests[at] = part.grid;
        continue;
      }
      for (std::size_t i = 0; i < part.points->ticks.size(); ++i) {
        const std::int64_t time = part.time_unix_s(i);
        if (time < range.since_unix_s || time > range.until_unix_s) continue;
        add_tick(part, i, summary.all);
        summary.newest_unix_s = std::max(summary.newest_unix_s, newest_of(part, i));
      }
    }
    damaged_ += scan.damaged();
    if (scan.failed()) return problem();
    for (std::size_t i = 0; i < summaries.size(); ++i) {
      const store::SegmentGrid& grid = digests[i];
      if (grid.ticks != 0 && grid.end_unix_s() > summaries[i].newest_unix_s)
        unsure[{grid.t0_unix_s, grid.end_unix_s() - 1}].push_back(wanted[i]);
    }
  }
  for (const auto& [times, series] : unsure) {
    store::MetricScan scan = this->scan(series, {times.first, times.second});
    store::MetricPart part;
    while (scan.next(part)) {
      SeriesSummary& summary = summaries[place[part.points->sid]];
      for (std::size_t i = 0; i < part.points->ticks.size(); ++i)
        summary.newest_unix_s = std::max(summary.newest_unix_s, newest_of(part, i));
    }
    if (scan.failed()) return problem();
  }
  return summaries;
}

Answer<std::vector<MetricPoint>> MetricReader::points(const std::vector<const SeriesView*>& wanted,
                                                      const MetricRange& range) {
  if (wanted.empty()) return std::vector<MetricPoint>();
  MetricSteps steps(range.step_s);
  store::ScanRange all{range.since_unix_s, range.until_unix_s};
  all.whole_s = range.step_s;
  store::MetricScan scan = this->scan(wanted, all);
  store::MetricPart part;
  while (scan.next(part)) steps.add(part, range.since_unix_s, range.until_unix_s);
  damaged_ += scan.damaged();
  if (scan.failed()) return problem();
  return steps.take();
}

double point_rate(const MetricPoint& point, const MetricRange& range) {
  return point.sum / static_cast<double>(covered_seconds(point, std::max<std::int64_t>(1, range.step_s),
                                                         range.since_unix_s, range.until_unix_s));
}

double point_value(const SeriesView& series, const MetricPoint& point, const MetricRange& range, double q) {
  if (!point.any()) return NAN;
  if (series.is_histogram()) return quantile(point.sketch(), q);
  if (series.is_gauge()) return point.last;
  if (series.kind == "up_down") return point.sum;
  return point_rate(point, range);
}

}  // namespace honeylink::telemetry::query
