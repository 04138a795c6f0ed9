// See history_run.h: every stored point against the data, and nothing missing.
#include <algorithm>
#include <bit>
#include <cmath>

#include "base/sketch.h"
#include "cli/history_run.h"
#include "cli/progress.h"
#include "query/database.h"
#include "query/paths.h"
#include "store/metric_scan.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr double kSumTolerance = 1e-12;
constexpr double kQuantiles[] = {0.5, 0.95, 0.99};
constexpr std::uint64_t kQuantileEvery = 8;  // of cells: the exact ones are sorted for

double real(std::uint64_t bits) noexcept { return std::bit_cast<double>(bits); }

bool near(double a, double b, double scale) noexcept {
  return std::fabs(a - b) <= kSumTolerance * std::max(scale, 1e-300);
}

/// What the data says of a stretch of ticks, added up in the plainest way.
struct Truth {
  std::uint64_t count = 0, last = 0, min = 0, max = 0, sum = 0;
  double real_sum = 0, magnitude = 0;
  std::vector<double> observed;
};

class Check {
 public:
  Check(const HistoryData& data, std::int64_t begin_unix_s, HistoryOutcome& out)
      : data_(data), begin_(begin_unix_s), out_(out) {}

  std::optional<query::Problem> run(const std::string& home, Progress& progress) {
    auto opened = query::open_database(query::metrics_path(home));
    if (!opened.ok()) return opened.problem();
    store::Connection& file = opened.value();
    read_tiers(file);
    if (!read_series(file)) wrong("the series are not those that were recorded");
    out_.expired = static_cast<std::uint64_t>(file.integer("SELECT n FROM counts WHERE name='expired'", 0));
    store::MetricScan scan(file, {}, {});
    std::uint64_t seen = 0, parts = 0;
    const auto rows = static_cast<double>(std::max<std::uint64_t>(out_.points - out_.expired, 1));
    for (store::MetricPart part; scan.next(part);) {
      seen += check_part(part);
      if (++parts % 256 == 0) progress.update(static_cast<double>(seen) / rows);
    }
    out_.damaged = scan.damaged();
    if (scan.failed())
      return query::database_problem(file, query::metrics_path(home), "the history cannot be read back");
    if (seen + out_.expired != out_.points)
      wrong(std::to_string(out_.points) + " points were committed, " + std::to_string(seen) + " are there, " +
            std::to_string(out_.expired) + " expired");
    return std::nullopt;
  }

 private:
  void wrong(std::string what) {
    if (out_.wrong++ == 0) out_.first_wrong = std::move(what);
  }

  void read_tiers(store::Connection& file) {
    store::Statement rows = file.prepare(
        "SELECT tier, count(*), sum(length(data)), sum(n), min(t0), max(t1) FROM seg GROUP BY 1 UNION ALL "
        "SELECT 3, count(*), coalesce(sum(length(data)), 0), coalesce(sum(n), 0), coalesce(min(tick), 0), "
        "coalesce(max(tick) + 10, 0) FROM hot");
    while (rows && rows.step() == SQLITE_ROW) {
      HistoryTier& tier = out_.tiers[static_cast<std::size_t>(rows.integer(0)) % out_.tiers.size()];
      tier.rows = rows.number(1), tier.bytes = rows.number(2), tier.points = rows.number(3);
      tier.oldest_unix_s = rows.integer(4), tier.newest_unix_s = rows.integer(5);
    }
  }

  bool read_series(store::Connection& file) {
    store::Statement rows = file.prepare("SELECT sid, name, labels FROM series ORDER BY sid");
    bool same = true;
    std::size_t i = 0;
    for (; rows && rows.step() == SQLITE_ROW && i < data_.scalars() + data_.histograms(); ++i) {
      const SeriesInfo info = data_.info(i);
      const std::string labels = "{\"" + info.labels[0].first + "\":\"" + info.labels[0].second + "\"}";
      same = same && rows.text(1) == info.name && rows.text(2) == labels;
      const auto sid = static_cast<std::size_t>(rows.integer(0));
      if (series_.size() <= sid) series_.resize(sid + 1, SIZE_MAX);
      series_[sid] = i;
    }
    return same && i == data_.scalars() + data_.histograms();
  }

  /// Committed points in it.
  std::uint64_t check_part(const store::MetricPart& part) {
    const store::SeriesPoints& points = *part.points;
    const std::size_t series = points.sid < series_.size() ? series_[points.sid] : SIZE_MAX;
    if (series == SIZE_MAX || points.kind != data_.kind(series)) return wrong("a series that nobody recorded"), 0;
    HistoryTier& tier =
        out_.tiers[part.grid.tier == 0 && part.grid.ticks == 1 ? 3 : static_cast<std::size_t>(part.grid.tier)];
    tier.values += points.ticks.size();
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < points.ticks.size(); ++i) {
      const std::int64_t first = (part.time_unix_s(i) - begin_) / HistoryData::kTickSeconds;
      const std::int64_t end = first + part.grid.step_s / HistoryData::kTickSeconds;
      gather(series, first, end);
      seen += truth_.count;
      ++out_.checked;
      const bool right = points.kind == MetricType::histogram ? same_sketch(points.sketches[i], series, first, tier)
                                                              : same_scalar(points, i);
      if (!right || truth_.count == 0)
        wrong("series " + std::to_string(series) + ", " + std::to_string(part.grid.step_s) + " s from tick " +
              std::to_string(first));
    }
    if (seen != points.points) wrong("series " + std::to_string(series) + ": a segment miscounts its points");
    return seen;
  }

  void gather(std::size_t series, std::int64_t first, std::int64_t end) {
    truth_.count = truth_.sum = 0;
    truth_.real_sum = truth_.magnitude = 0;
    truth_.observed.clear();
    const MetricType kind = data_.kind(series);
    const auto less = [kind](std::uint64_t a, std::uint64_t b) {
      if (kind == MetricType::counter) return a < b;
      return store::is_real(kind) ? real(a) < real(b) : static_cast<std::int64_t>(a) < static_cast<std::int64_t>(b);
    };
    for (std::int64_t tick = first; tick < end; ++tick) {
      if (data_.is_silent(tick)) continue;
      if (kind == MetricType::histogram) {
        data_.observations(series, tick, values_);
        truth_.count += values_.empty() ? 0 : 1;
        truth_.observed.insert(truth_.observed.end(), values_.begin(), values_.end());
        continue;
      }
      std::uint64_t value = 0;
      if (!data_.scalar(series, tick, value)) continue;
      if (truth_.count++ == 0) truth_.min = truth_.max = value;
      if (less(value, truth_.min)) truth_.min = value;
      if (less(truth_.max, value)) truth_.max = value;
      truth_.last = value;
      truth_.sum += value;
      if (!store::is_real(kind)) continue;
      truth_.real_sum += real(value);
      truth_.magnitude += std::fabs(real(value));
    }
  }

  bool same_scalar(const store::SeriesPoints& points, std::size_t i) const {
    if (points.last[i] != truth_.last) return false;
    if (points.count.empty()) return truth_.count == 1;
    const bool sums = store::is_real(points.kind) ? near(real(points.sum[i]), truth_.real_sum, truth_.magnitude)
                                                  : points.sum[i] == truth_.sum;
    return sums && points.count[i] == truth_.count && points.min[i] == truth_.min && points.max[i] == truth_.max;
  }

  bool same_sketch(const Sketch& sketch, std::size_t series, std::int64_t first, HistoryTier& tier) {
    std::vector<double>& all = truth_.observed;
    if (all.empty() || sketch.count != all.size()) return false;
    double sum = 0;
    for (const double value : all) sum += value;
    const auto [low, high] = std::minmax_element(all.begin(), all.end());
    if (!near(sketch.sum, sum, sum) || sketch.min != *low || sketch.max != *high) return false;
    if ((static_cast<std::uint64_t>(first) * 31 + series) % kQuantileEvery != 0) return true;
    bool within = true;
    for (const double q : kQuantiles) {
      const auto rank = static_cast<std::ptrdiff_t>(std::ceil(q * static_cast<double>(all.size()))) - 1;
      std::nth_element(all.begin(), all.begin() + rank, all.end());
      const double exact = all[static_cast<std::size_t>(rank)];
      const double error = std::fabs(quantile(sketch, q) - exact) / exact;
      tier.quantile_error = std::max(tier.quantile_error, error);
      ++out_.quantiles;
      within = within && error <= quantile_error(sketch.scale) + 1e-9;
    }
    return within;
  }

  const HistoryData& data_;
  std::int64_t begin_;
  HistoryOutcome& out_;
  std::vector<std::size_t> series_;  // by sid
  std::vector<double> values_;
  Truth truth_;
};

}  // namespace

std::optional<query::Problem> check_history(const Call& call, const HistoryData& data, const HistoryPlan& plan,
                                            std::int64_t begin_unix_s, HistoryOutcome& out) {
  Progress progress(call.terminal, "checking");
  return Check(data, begin_unix_s, out).run(plan.home, progress);
}

}  // namespace honeylink::telemetry::cli
