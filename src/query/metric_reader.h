// metrics/metrics.db, looked at: which series there are, and the points of one over time, through all tiers. One
// thread.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/events.h"
#include "query/metric_steps.h"
#include "query/problem.h"
#include "store/metric_scan.h"
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

struct SeriesSummary {
  SeriesView series;
  std::int64_t newest_unix_s = 0;
  MetricPoint all;  // the whole range as one step
};

struct MetricRange {
  std::int64_t since_unix_s = INT64_MIN, until_unix_s = INT64_MAX;
  std::int64_t step_s = 10;
};

struct MetricExtent {
  // Of these series or their neighbours in storage; the oldest is after the newest where there is nothing.
  std::int64_t oldest_unix_s = INT64_MAX, newest_unix_s = INT64_MIN;
  std::array<bool, store::kTiers.size()> tiers{};  // of ten seconds, minutes, hours
  /// Steps shorter than this would show gaps that are none.
  [[nodiscard]] std::int64_t coarsest_step_s() const noexcept;
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

  /// What there is of these series in the range, looked up without reading points.
  [[nodiscard]] Answer<MetricExtent> extent(const std::vector<const SeriesView*>& wanted, const MetricRange& range);
  /// The stored points of these series, or of all where there are none. The reader must outlive it, and one lives at a
  /// time.
  [[nodiscard]] store::MetricScan scan(const std::vector<const SeriesView*>& wanted, const store::ScanRange& range);
  /// Series of segments, and ticks, that the calls above found damaged and left out.
  [[nodiscard]] std::uint64_t damaged() const noexcept { return damaged_; }
  [[nodiscard]] Problem problem() const;  // of the scan that failed last
  [[nodiscard]] const SeriesView* by_sid(std::uint32_t sid) const noexcept;

 private:
  MetricReader() = default;
  std::string path_;
  store::Connection connection_;
  std::vector<SeriesView> series_;               // by name, then labels
  std::map<std::uint32_t, std::size_t> by_sid_;  // index into series_
  std::uint64_t damaged_ = 0;
};

/// The number of a point of this range as it is plotted: rate per second (counter; of the seconds of its step that lie
/// in the range), last (gauge), change (up_down), quantile q (histogram).
[[nodiscard]] double point_value(const SeriesView& series, const MetricPoint& point, const MetricRange& range,
                                 double q);
/// How fast a counter grew in a point of this range, a second.
[[nodiscard]] double point_rate(const MetricPoint& point, const MetricRange& range);

}  // namespace honeylink::telemetry::query
