// The tables `points` and `rollups`: one row per series and tick in which it changed. Points are of ten seconds, kept
// for days; roll-ups of a minute or an hour, kept for months: no moment is in both. Counters hold the difference of the
// tick, so that sums over any interval are right.
#include <bit>
#include <cmath>

#include "base/sketch.h"
#include "base/text.h"
#include "query/database.h"
#include "query/json.h"
#include "query/metric_reader.h"
#include "query/paths.h"
#include "query/sql_functions.h"
#include "query/sql_tables.h"
#include "query/table_module.h"
#include "query/time_text.h"

namespace honeylink::telemetry::query {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

void result_real(sqlite3_context* context, double value) {
  if (std::isfinite(value)) sqlite3_result_double(context, value);
  else sqlite3_result_null(context);
}

std::string labels_json(const SeriesView& series) {
  JsonWriter json;
  json.begin_object();
  for (const auto& [key, value] : series.labels) json.key(key).text(value);
  return json.end_object().str();
}

/// Rows of the tiers from `kTierMin` to `kTierMax`.
template <int kTierMin, int kTierMax>
struct PointsTable {
  enum Column : int {
    kMetric,
    kLabels,
    kService,
    kModule,
    kEnvironment,
    kKind,
    kUnit,
    kTs,
    kTsNano,
    kValue,
    kCount,
    kSum,
    kMin,
    kMax,
    kP50,
    kP95,
    kP99,
    kTraceId,
    kSeries,
    kStep,
    kSketch
  };
  static constexpr const char* kSchema =
      "CREATE TABLE x(metric TEXT, labels TEXT, service TEXT, module TEXT, environment TEXT, kind TEXT, unit TEXT, "
      "ts TEXT, ts_unix_nano INTEGER, value REAL, count INTEGER, sum REAL, min REAL, max REAL, p50 REAL, p95 REAL, "
      "p99 REAL, trace_id TEXT, series INTEGER, step_s INTEGER, sketch BLOB)";
  static constexpr int kTimeColumn = kTsNano;
  enum PushedAt : std::size_t { kSeriesAt, kMetricAt };
  static constexpr std::array kPushed{PushedColumn{kSeries, Pushed::integer}, PushedColumn{kMetric, Pushed::text}};
  explicit PointsTable(SqlHome at) : home(std::move(at)) {}
  SqlHome home;

  class Cursor {
   public:
    explicit Cursor(PointsTable& table) : home_(table.home->path) {}
    bool begin(const Pushed& pushed, std::string& why) {
      scan_.reset();
      auto opened = MetricReader::open(home_);
      if (!opened.ok() && opened.problem().kind == ProblemKind::not_found) return reader_.reset(), true;
      if (!opened.ok()) return why = opened.problem().what + ": " + opened.problem().why, false;
      reader_ = std::move(opened.value());
      range_ = {};  // a join begins a cursor again and again, with other bounds
      if (pushed.since_unix_ns != INT64_MIN) range_.since_unix_s = pushed.since_unix_ns / kSecond - 1;
      if (pushed.until_unix_ns != INT64_MAX) range_.until_unix_s = pushed.until_unix_ns / kSecond + 1;
      range_.tier_min = kTierMin, range_.tier_max = kTierMax;
      SeriesFilter filter;
      if (pushed.texts[kMetricAt]) filter.name = *pushed.texts[kMetricAt];
      std::vector<const SeriesView*> wanted = reader_->find(filter);
      if (const auto sid = pushed.integers[kSeriesAt])
        std::erase_if(wanted, [&](const SeriesView* series) { return series->sid != *sid; });
      part_ = {};
      tick_ = 0;
      if (!wanted.empty()) scan_.emplace(*reader_, wanted, range_);
      return true;
    }
    bool next(std::string& why) {
      if (!scan_) return false;
      for (;;) {
        if (part_.points == nullptr || ++tick_ >= part_.points->ticks.size()) {
          if (!scan_->scan.next(part_)) return finish(why);
          series_ = reader_->by_sid(part_.points->sid);
          tick_ = 0;
          next_exemplar_ = 0;
          if (part_.points->ticks.empty()) continue;
        }
        time_ = part_.time_unix_s(tick_);
        if (fits() && time_ >= range_.since_unix_s && time_ <= range_.until_unix_s) break;
      }
      point_ = {};
      store_point();
      return true;
    }
    [[nodiscard]] std::uint64_t damaged() const { return scan_ ? scan_->scan.damaged() : 0; }
    void column(sqlite3_context* context, int i) {
      switch (i) {
        case kMetric:
          return result_text(context, series_->name);
        case kLabels:
          return result_text(context, labels_json(*series_));
        case kService:
          return result_text(context, series_->service);
        case kModule:
          return result_text(context, series_->module);
        case kEnvironment:
          return result_text(context, series_->environment);
        case kKind:
          return result_text(context, series_->kind);
        case kUnit:
          return result_text(context, series_->unit);
        case kTs:
          return result_text(context, format_utc(seconds_as_ns(time_)));
        case kTsNano:
          return sqlite3_result_int64(context, seconds_as_ns(time_));
        case kTraceId:
          return exemplar_ != nullptr ? result_text(context, hex(exemplar_->trace_id)) : sqlite3_result_null(context);
        case kSeries:
          return sqlite3_result_int64(context, series_->sid);
        case kStep:
          return sqlite3_result_int64(context, part_.grid.step_s);
        default:
          return series_->is_histogram() ? histogram_column(context, i) : scalar_column(context, i);
      }
    }

   private:
    bool finish(std::string& why) {
      part_ = {};
      if (scan_->scan.failed()) why = reader_->problem().what + ": " + reader_->problem().why;
      return false;
    }
    /// Of a crafted file a series may say that it is a histogram while its points are none.
    [[nodiscard]] bool fits() const noexcept {
      return series_ != nullptr && series_->is_histogram() == (part_.points->kind == MetricType::histogram);
    }
    // Held together: the scan speaks of the reader's connection.
    struct Scanning {
      store::MetricScan scan;
      Scanning(MetricReader& reader, const std::vector<const SeriesView*>& wanted, const store::ScanRange& range)
          : scan(reader.scan(wanted, range)) {}
    };
    void store_point() {
      exemplar_ = nullptr;
      const auto& exemplars = part_.points->exemplars;
      const std::uint32_t tick = part_.points->ticks[tick_];
      while (next_exemplar_ < exemplars.size() && exemplars[next_exemplar_].tick < tick) ++next_exemplar_;
      if (next_exemplar_ < exemplars.size() && exemplars[next_exemplar_].tick == tick)
        exemplar_ = &exemplars[next_exemplar_].exemplar;
      if (!series_->is_histogram()) add_tick(part_, tick_, point_);
    }
    void scalar_column(sqlite3_context* context, int i) {
      const bool rolled_up = part_.grid.tier > 0;
      if (i == kValue) return result_real(context, series_->is_gauge() ? point_.last : point_.sum);
      if (!rolled_up) return sqlite3_result_null(context);
      switch (i) {
        case kCount:
          return sqlite3_result_int64(context, static_cast<std::int64_t>(point_.count));
        case kSum:
          return result_real(context, point_.sum);
        case kMin:
          return result_real(context, point_.min);
        case kMax:
          return result_real(context, point_.max);
        default:
          return sqlite3_result_null(context);
      }
    }
    void histogram_column(sqlite3_context* context, int i) {
      const Sketch& sketch = part_.points->sketches[tick_];
      switch (i) {
        case kCount:
          return sqlite3_result_int64(context, static_cast<std::int64_t>(sketch.count));
        case kSum:
          return result_real(context, sketch.sum);
        case kMin:
          return result_real(context, sketch.min);
        case kMax:
          return result_real(context, sketch.max);
        case kP50:
          return result_real(context, quantile(sketch, 0.5));
        case kP95:
          return result_real(context, quantile(sketch, 0.95));
        case kP99:
          return result_real(context, quantile(sketch, 0.99));
        case kSketch: {
          const auto blob = sketch_blob(sketch, part_.points->live_scales[tick_]);
          return sqlite3_result_blob64(context, blob.data(), blob.size(), SQLITE_TRANSIENT);
        }
        default:
          return sqlite3_result_null(context);
      }
    }

    std::string home_;
    std::unique_ptr<MetricReader> reader_;
    std::optional<Scanning> scan_;
    store::ScanRange range_;
    store::MetricPart part_;
    std::size_t tick_ = 0, next_exemplar_ = 0;
    std::int64_t time_ = 0;
    MetricPoint point_;  // of a scalar
    const ExemplarInfo* exemplar_ = nullptr;
    const SeriesView* series_ = nullptr;
  };
};

}  // namespace

bool add_points_table(sqlite3* db, const SqlHome& home) {
  return TableModule<PointsTable<0, 0>>::add(db, "points", home) == SQLITE_OK &&
         TableModule<PointsTable<1, 2>>::add(db, "rollups", home) == SQLITE_OK;
}

}  // namespace honeylink::telemetry::query
