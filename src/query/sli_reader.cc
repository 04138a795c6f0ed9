// See sli_reader.h: levels. Alerts are in alert_reader.cc.
#include "query/sli_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/sketch.h"
#include "config/config.h"
#include "config/suggest.h"
#include "query/database.h"
#include "query/json.h"
#include "query/paths.h"
#include "query/time_text.h"

namespace honeylink::telemetry::query {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

constexpr const char* kJudged =
    "SELECT s.sli_name, s.module, s.value, s.unit, s.state, s.consecutive, s.budget_left, s.burn_1h, s.burn_6h, "
    "s.newest_point, t.evaluated, t.samples, t.rate, t.trace_id, t.burn_5m, t.burn_30m, t.burn_3d, t.definition "
    "FROM slis AS s LEFT JOIN sli_state AS t USING(sli_name)";
// Of an engine that knew no more than the first table.
constexpr const char* kJudgedOnly =
    "SELECT sli_name, module, value, unit, state, consecutive, budget_left, burn_1h, burn_6h, newest_point, NULL, "
    "NULL, "
    "NULL, NULL, NULL, NULL, NULL, NULL FROM slis";

std::optional<double> real_of(const store::Statement& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(row.real(column));
}

double number_of(std::string_view text) noexcept {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void read_definition(std::string_view json, sli::Definition& d) {
  std::vector<JsonMember> members;
  if (!read_json_object(json, members)) return;
  for (const auto& [key, value] : members) {
    if (key == "of") d.of = json_text_of(value);
    else if (key == "quantile") d.quantile = number_of(value);
    else if (key == "yellow") d.yellow = number_of(value);
    else if (key == "orange") d.orange = number_of(value);
    else if (key == "red") d.red = number_of(value);
    else if (key == "objective") d.objective = number_of(value);
    else if (key == "evaluation_window_s") d.evaluation_window_s = static_cast<std::int64_t>(number_of(value));
    else if (key == "consecutive_breaches_required")
      d.consecutive_breaches_required = static_cast<std::int64_t>(number_of(value));
    else if (key == "min_samples") d.min_samples = static_cast<std::int64_t>(number_of(value));
    else if (key == "burn_alerts") d.burn_alerts = value == "true";
    else if (key == "numerator") d.ratio.insert(d.ratio.begin(), json_text_of(value));
    else if (key == "denominator") d.ratio.push_back(json_text_of(value));
  }
}

SliView view_of(const store::Statement& row, std::int64_t now_unix_ns) {
  SliView v;
  v.definition.name = row.text(0), v.definition.module = row.text(1);
  v.value = real_of(row, 2), v.unit = row.text(3);
  v.definition.unit = v.unit;
  v.level = sli::level_from(row.text(4));
  v.consecutive = static_cast<std::uint32_t>(std::max<std::int64_t>(0, row.integer(5)));
  v.budget_left = real_of(row, 6);
  v.burn = {real_of(row, 14), real_of(row, 15), real_of(row, 7), real_of(row, 8), real_of(row, 16)};
  v.newest_point_unix_ns = parse_moment(row.text(9), now_unix_ns).value_or(0);
  v.evaluated_unix_ns = parse_moment(row.text(10), now_unix_ns).value_or(0);
  v.samples = row.real(11), v.rate = real_of(row, 12), v.trace_id = row.text(13);
  read_definition(row.text(17), v.definition);
  const std::int64_t age = now_unix_ns - v.newest_point_unix_ns;
  v.no_data = row.text(4) == "no_data" || !v.value || age > v.definition.evaluation_window_s * kSecond;
  return v;
}

bool is_worse(const SliView& a, const SliView& b) {
  if (a.level != b.level) return a.level > b.level;
  if (a.no_data != b.no_data) return b.no_data;
  return a.budget_left.value_or(2) < b.budget_left.value_or(2);
}

std::vector<const SeriesView*> series_of(const MetricReader& reader, const std::string& name, bool histogram,
                                         const std::string& unit) {
  std::vector<const SeriesView*> found = reader.find({name, {}});
  std::erase_if(found, [&](const SeriesView* series) {
    if (histogram) return !series->is_histogram() || (unit != "1" && series->unit != unit);
    return series->kind != "counter" && series->kind != "counter_real";
  });
  return found;
}

}  // namespace

Answer<std::unique_ptr<SliReader>> SliReader::open(const std::string& home, std::int64_t now_unix_ns) {
  std::unique_ptr<SliReader> reader(new SliReader);
  reader->home_ = home, reader->path_ = metrics_path(home), reader->now_unix_ns_ = now_unix_ns;
  if (!file_exists(reader->path_)) return reader;
  auto metrics = MetricReader::open(home);
  if (!metrics.ok()) return metrics.problem();
  auto connection = open_database(reader->path_);
  if (!connection.ok()) return connection.problem();
  reader->metrics_ = std::move(metrics.value());
  reader->connection_ = std::move(connection.value());
  return reader;
}

void SliReader::measure_ages_by_the_newest() {
  if (!connection_) return;
  store::Statement newest = connection_.prepare("SELECT max(newest_point) FROM slis");
  if (newest && newest.step() == SQLITE_ROW)
    now_unix_ns_ = parse_moment(newest.text(0), now_unix_ns_).value_or(now_unix_ns_);
}

Answer<std::vector<SliView>> SliReader::judged() {
  std::vector<SliView> views;
  if (!connection_) return views;
  store::Statement rows = connection_.prepare(kJudged);
  if (!rows) rows = connection_.prepare(kJudgedOnly);
  int code = SQLITE_MISUSE;
  while (rows && (code = rows.step()) == SQLITE_ROW) views.push_back(view_of(rows, now_unix_ns_));
  if (!rows || code != SQLITE_DONE) return database_problem(connection_, path_, "cannot read the service levels");
  return views;
}

void SliReader::add_flaws(SliView& view) const {
  view.flaws = check_definition(view.definition, {});
  if (!metrics_) return;
  // A name that nobody has recorded yet is no flaw of what comes built in.
  for (sli::Flaw& flaw : check_definition(view.definition, known_metrics(*metrics_)))
    if (flaw.unknown.empty()) view.flaws.push_back(std::move(flaw));
}

// What is configured and was never judged has no data; what cannot be judged says why.
void SliReader::add_configured(std::vector<SliView>& views) const {
  const config::Config config = config::load_config(home_, config::default_config()).config;
  for (const config::SliConfig& configured : config.slis) {
    const auto known = std::find_if(views.begin(), views.end(),
                                    [&](const SliView& v) { return v.definition.name == configured.name; });
    SliView view;
    view.definition = sli::define(configured);
    view.unit = configured.unit;
    add_flaws(view);
    if (known == views.end()) {
      views.push_back(std::move(view));
      continue;
    }
    known->flaws = std::move(view.flaws);
    if (known->definition.of.empty() && known->definition.ratio.empty()) known->definition = std::move(view.definition);
  }
}

Answer<std::vector<SliView>> SliReader::slis(bool sparks) {
  auto read = judged();
  if (!read.ok()) return read.problem();
  std::vector<SliView> views = std::move(read.value());
  add_configured(views);
  auto firing = alerts({now_unix_ns_, INT64_MAX, {}, {}, {}, 0});
  if (!firing.ok()) return firing.problem();
  for (auto alert = firing.value().alerts.rbegin(); alert != firing.value().alerts.rend(); ++alert) {
    for (SliView& view : views)
      if (alert->fires() && view.definition.name == alert->event.sli_name) view.alerts.push_back(*alert);
  }
  const std::int64_t minute = now_unix_ns_ / (60 * kSecond) * 60;
  for (SliView& view : views) {
    if (!sparks) continue;
    view.spark.assign(kSparkMinutes, NAN);
    const std::int64_t since = minute - static_cast<std::int64_t>(kSparkMinutes - 1) * 60;
    auto points = history(view, {since, minute + 59, 60});
    if (!points.ok()) return points.problem();
    for (const SliPoint& point : points.value()) {
      const std::int64_t at = (point.time_unix_s - since) / 60;
      if (at >= 0 && at < static_cast<std::int64_t>(kSparkMinutes))
        view.spark[static_cast<std::size_t>(at)] = point.value;
    }
  }
  std::stable_sort(views.begin(), views.end(), is_worse);
  return views;
}

Answer<SliView> SliReader::sli(const std::string& name) {
  auto all = slis(true);
  if (!all.ok()) return all.problem();
  std::vector<std::string_view> names;
  for (SliView& view : all.value()) {
    if (view.definition.name == name) return std::move(view);
    names.push_back(view.definition.name);
  }
  const std::string near(config::nearest(name, names));
  return Problem{ProblemKind::not_found,
                 "no service level '" + name + "'" + (near.empty() ? "" : ": did you mean '" + near + "'?"), "",
                 "honeytel sli lists what there is; [sli.NAME] in config.toml defines one"};
}

Answer<std::vector<SliPoint>> SliReader::history(const SliView& sli, const MetricRange& range) {
  std::vector<SliPoint> points;
  const sli::Definition& d = sli.definition;
  if (!metrics_) return points;
  if (!d.is_ratio()) {
    const auto series = series_of(*metrics_, d.of, true, sli.unit);
    if (series.empty()) return points;
    auto read = metrics_->points(series, range);
    if (!read.ok()) return read.problem();
    for (const MetricPoint& p : read.value())
      points.push_back({p.time_unix_s, quantile(p.sketch(), d.quantile), static_cast<double>(p.sketch().count),
                        p.sketch(), p.exemplar()});
    return points;
  }
  if (d.ratio.size() != 2) return points;
  const auto bad = series_of(*metrics_, d.ratio[0], false, {}), all = series_of(*metrics_, d.ratio[1], false, {});
  if (all.empty()) return points;
  auto denominators = metrics_->points(all, range);
  if (!denominators.ok()) return denominators.problem();
  for (const MetricPoint& p : denominators.value())
    points.push_back({p.time_unix_s, p.sum > 0 ? 0 : NAN, p.sum, {}, {}});
  if (bad.empty()) return points;
  auto numerators = metrics_->points(bad, range);
  if (!numerators.ok()) return numerators.problem();
  for (const MetricPoint& p : numerators.value()) {
    const auto at = std::lower_bound(points.begin(), points.end(), p.time_unix_s,
                                     [](const SliPoint& point, std::int64_t t) { return point.time_unix_s < t; });
    if (at == points.end() || at->time_unix_s != p.time_unix_s || !(at->samples > 0)) continue;
    at->value = p.sum / at->samples;
    at->exemplar = p.exemplar();
  }
  return points;
}

std::vector<sli::KnownMetric> known_metrics(const MetricReader& reader) {
  std::vector<sli::KnownMetric> known;
  for (const SeriesView& series : reader.series()) {
    const MetricType kind = series.kind == "histogram"      ? MetricType::histogram
                            : series.kind == "gauge"        ? MetricType::gauge
                            : series.kind == "up_down"      ? MetricType::up_down
                            : series.kind == "counter_real" ? MetricType::counter_real
                                                            : MetricType::counter;
    if (known.empty() || known.back().name != series.name || known.back().kind != kind ||
        known.back().unit != series.unit)
      known.push_back({series.name, series.unit, kind});
  }
  return known;
}

std::vector<sli::Flaw> check_definition(const sli::Definition& definition, const std::vector<sli::KnownMetric>& known) {
  if (known.empty()) return sli::flaws_of(definition);
  std::vector<sli::Flaw> flaws = sli::flaws_among(definition, known);
  std::vector<std::string_view> names;
  for (const sli::KnownMetric& metric : known) names.push_back(metric.name);
  for (sli::Flaw& flaw : flaws) {
    if (flaw.unknown.empty()) continue;
    const std::string_view near = config::nearest(flaw.unknown, names);
    flaw.suggestion =
        near.empty() ? "honeytel metrics lists what is recorded" : "did you mean '" + std::string(near) + "'?";
  }
  return flaws;
}

}  // namespace honeylink::telemetry::query
