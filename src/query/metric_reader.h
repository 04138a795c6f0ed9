// metrics/metrics.db, looked at: which series there are, and the points of one over time. Reads the hot rows through
// store/metric_codec.h. One thread.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/events.h"
#include "query/problem.h"
#include "store/metric_codec.h"
#include "store/sqlite.h"

namespace honeylink::telemetry::query {

struct SeriesView {
  std::uint32_t sid = 0;
  std::string name, kind, unit, description;  // kind: "counter", "counter_real", "up_down", "gauge", "histogram"
  std::vector<std::pair<std::string, std::string>> labels;
  std::string service, module, environment;
  [[nodiscard]] bool is_histogram() const noexcept { return kind == "histogram"; }
  [[nodiscard]] bool is_gauge() const noexcept { return kind == "gauge"; }
  [[nodiscard]] std::string label_text() const;  // "link=wifi, dir=up"
};

struct SeriesFilter {
  std::string name;  // exact; empty: all
  std::vector<std::pair<std::string, std::string>>
      labels;  // each must be there; module and service.name count as labels
};

/// One step of one series. Which fields hold depends on the kind.
struct MetricPoint {
  std::int64_t time_unix_s = 0;  // of the step's beginning
  double sum = 0;                // counter, up_down: difference over the step
  double last = 0;               // gauge
  Sketch sketch;                 // histogram
  ExemplarInfo exemplar;         // of the largest value
  bool any = false;
};

struct SeriesSummary {
  SeriesView series;
  std::int64_t newest_unix_s = 0;
  double total = 0;  // counter, up_down: sum of differences · gauge: last
  Sketch sketch;     // histogram: merged
  std::uint64_t points = 0;
};

struct MetricRange {
  std::int64_t since_unix_s = INT64_MIN, until_unix_s = INT64_MAX;
  std::int64_t step_s = 10;
};

class MetricReader {
 public:
  [[nodiscard]] static Answer<std::unique_ptr<MetricReader>> open(const std::string& home);

  [[nodiscard]] const std::vector<SeriesView>& series() const noexcept { return series_; }
  [[nodiscard]] std::vector<std::string> names() const;  // each once, sorted
  [[nodiscard]] std::vector<const SeriesView*> find(const SeriesFilter& filter) const;

  /// What each of these series did in the range.
  [[nodiscard]] Answer<std::vector<SeriesSummary>> summarize(const std::vector<const SeriesView*>& wanted,
                                                             const MetricRange& range);
  /// Points of all the given series together (they must be of one kind), by step, ascending; steps without data are
  /// absent.
  [[nodiscard]] Answer<std::vector<MetricPoint>> points(const std::vector<const SeriesView*>& wanted,
                                                        const MetricRange& range);

  /// One stored point after the other, in order of commits.
  class Walk {
   public:
    bool next(std::int64_t& tick_unix_s, store::StoredPoint& point);
    [[nodiscard]] bool failed() const noexcept { return code_ != SQLITE_ROW && code_ != SQLITE_DONE; }

   private:
    friend class MetricReader;
    store::Statement rows_;
    store::MetricBlob blob_{{}};
    int code_ = SQLITE_ROW;
    bool in_blob_ = false;
  };
  [[nodiscard]] Walk walk(const MetricRange& range);
  /// The same as a visit; stops where that answers false.
  using Visit = std::function<bool(std::int64_t tick_unix_s, const store::StoredPoint&)>;
  [[nodiscard]] std::optional<Problem> scan(const MetricRange& range, const Visit& visit);
  [[nodiscard]] const SeriesView* by_sid(std::uint32_t sid) const noexcept;

 private:
  MetricReader() = default;
  std::string path_;
  store::Connection connection_;
  std::vector<SeriesView> series_;               // by name, then labels
  std::map<std::uint32_t, std::size_t> by_sid_;  // index into series_
};

/// A stored point's number: difference (counter, up_down) or value (gauge).
[[nodiscard]] double stored_number(const store::StoredPoint& point) noexcept;
/// The number of a point as it is plotted: rate per second (counter), last (gauge), change (up_down), quantile q
/// (histogram).
[[nodiscard]] double point_value(const SeriesView& series, const MetricPoint& point, std::int64_t step_s, double q);

}  // namespace honeylink::telemetry::query
