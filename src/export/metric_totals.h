// What series have added up to at one moment: the values that cumulative points carry. A value; one thread.
//
// Must stay true: adding the stored points of a stretch of time, in any order, moves the totals from its beginning to
// its end; histograms are as fine as the store keeps them (metric_codec.h), so that points sent live and points read
// back agree.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/events.h"
#include "export/otlp_metrics.h"
#include "store/metric_codec.h"
#include "store/metric_scan.h"

namespace honeylink::telemetry::exporting {

struct Total {
  MetricType kind = MetricType::counter;
  std::uint64_t integer = 0;
  double real = 0;
  Sketch sketch;
  ExemplarInfo exemplar;                   // of the newest addition that had one
  std::int64_t newest_unix_s = INT64_MIN;  // gauge: of the value that it has
};

class MetricTotals {
 public:
  /// A difference (gauge: a value) as the engine commits it.
  Total& add(const MetricDelta& delta, std::int64_t tick_unix_s);
  /// The i-th tick of a stored part.
  Total& add(const store::MetricPart& part, std::size_t i);
  [[nodiscard]] const Total* find(std::uint32_t sid) const;
  void set(std::uint32_t sid, const Total& total) { totals_[sid] = total; }
  [[nodiscard]] std::size_t size() const noexcept { return totals_.size(); }
  void clear() { totals_.clear(); }

  /// As a file's content (docs/formats/export_state.md), and back; false: it is none.
  [[nodiscard]] std::string bytes(std::uint64_t position) const;
  bool read(std::string_view bytes, std::uint64_t& position);

 private:
  std::map<std::uint32_t, Total> totals_;
};

/// The newest moment that a stored tick speaks of.
[[nodiscard]] std::int64_t moment_of(const store::MetricPart& part, std::size_t i) noexcept;
/// A point of this total; texts and sketch belong to the arguments.
[[nodiscard]] CumulativePoint point_of(const SeriesInfo& series, const Total& total, std::int64_t start_unix_ns,
                                       std::int64_t time_unix_ns);

}  // namespace honeylink::telemetry::exporting
