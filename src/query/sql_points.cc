// The table `points`: one row per series and 10 s tick in which it changed. Counters hold the difference of the tick,
// so that sums over any interval are right.
#include <cmath>

#include "base/sketch.h"
#include "base/text.h"
#include "query/database.h"
#include "query/json.h"
#include "query/metric_reader.h"
#include "query/paths.h"
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

struct PointsTable {
  static constexpr const char* kSchema =
      "CREATE TABLE points(metric TEXT, labels TEXT, service TEXT, module TEXT, environment TEXT, kind TEXT, unit "
      "TEXT, ts TEXT, ts_unix_nano INTEGER,"
      " value REAL, count INTEGER, sum REAL, min REAL, max REAL, p50 REAL, p95 REAL, p99 REAL, trace_id TEXT, series "
      "INTEGER)";
  static constexpr int kTimeColumn = 8;
  enum PushedAt : std::size_t { kSeries, kMetric };
  static constexpr std::array kPushed{PushedColumn{18, Pushed::integer}, PushedColumn{0, Pushed::text}};
  explicit PointsTable(SqlHome at) : home(std::move(at)) {}
  SqlHome home;

  class Cursor {
   public:
    explicit Cursor(PointsTable& table) : home_(*table.home) {}
    bool begin(const Pushed& pushed, std::string& why) {
      auto opened = MetricReader::open(home_);
      if (!opened.ok() && opened.problem().kind == ProblemKind::not_found) return reader_.reset(), true;
      if (!opened.ok()) return why = opened.problem().what + ": " + opened.problem().why, false;
      reader_ = std::move(opened.value());
      MetricRange range;
      if (pushed.since_unix_ns != INT64_MIN) range.since_unix_s = pushed.since_unix_ns / kSecond - 1;
      if (pushed.until_unix_ns != INT64_MAX) range.until_unix_s = pushed.until_unix_ns / kSecond + 1;
      sid_ = pushed.integers[kSeries];
      metric_.reset();
      if (pushed.texts[kMetric]) metric_.emplace(*pushed.texts[kMetric]);
      walk_.emplace(reader_->walk(range));
      return true;
    }
    bool next(std::string&) {
      while (reader_ && walk_->next(tick_, point_)) {
        if (sid_ && *sid_ != point_.sid) continue;
        series_ = reader_->by_sid(point_.sid);
        if (series_ != nullptr && (!metric_ || *metric_ == series_->name)) return true;
      }
      return false;
    }
    void column(sqlite3_context* context, int i) {
      const Sketch& sketch = point_.sketch;
      const bool histogram = series_->is_histogram();
      switch (i) {
        case 0:
          return result_text(context, series_->name);
        case 1:
          return result_text(context, labels_json(*series_));
        case 2:
          return result_text(context, series_->service);
        case 3:
          return result_text(context, series_->module);
        case 4:
          return result_text(context, series_->environment);
        case 5:
          return result_text(context, series_->kind);
        case 6:
          return result_text(context, series_->unit);
        case 7:
          return result_text(context, format_utc(tick_ * kSecond));
        case 8:
          return sqlite3_result_int64(context, tick_ * kSecond);
        case 9:
          return histogram ? sqlite3_result_null(context) : result_real(context, stored_number(point_));
        case 17:
          return point_.exemplar.present ? result_text(context, hex(point_.exemplar.trace_id))
                                         : sqlite3_result_null(context);
        case 18:
          return sqlite3_result_int64(context, series_->sid);
        default:
          break;
      }
      if (!histogram) return sqlite3_result_null(context);
      switch (i) {
        case 10:
          return sqlite3_result_int64(context, static_cast<std::int64_t>(sketch.count));
        case 11:
          return result_real(context, sketch.sum);
        case 12:
          return result_real(context, sketch.min);
        case 13:
          return result_real(context, sketch.max);
        case 14:
          return result_real(context, quantile(sketch, 0.5));
        case 15:
          return result_real(context, quantile(sketch, 0.95));
        default:
          return result_real(context, quantile(sketch, 0.99));
      }
    }

   private:
    std::string home_;
    std::optional<std::int64_t> sid_;
    std::optional<std::string> metric_;
    std::unique_ptr<MetricReader> reader_;
    std::optional<MetricReader::Walk> walk_;
    store::StoredPoint point_;
    std::int64_t tick_ = 0;
    const SeriesView* series_ = nullptr;
  };
};

}  // namespace

bool add_points_table(sqlite3* db, const SqlHome& home) {
  return TableModule<PointsTable>::add(db, "points", home) == SQLITE_OK;
}

}  // namespace honeylink::telemetry::query
