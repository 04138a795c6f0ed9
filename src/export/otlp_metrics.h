// Cumulative points as ExportMetricsServiceRequests. Not thread-safe; one owner.
//
// Must stay true: temporality is cumulative (a delta sum vanishes in Prometheus without a word), times of a series do
// not go back within a request, a series' start time changes only when its sums begin anew.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/events.h"
#include "export/otlp_groups.h"

namespace honeylink::telemetry::exporting {

/// One series at one moment. Texts and sketch belong to the caller until finish().
struct CumulativePoint {
  const SeriesInfo* series = nullptr;
  std::int64_t start_unix_ns = 0, time_unix_ns = 0;
  std::uint64_t integer = 0;       // counter; up_down: two's complement
  double real = 0;                 // counter_real, gauge
  const Sketch* sketch = nullptr;  // histogram
  ExemplarInfo exemplar;
};

class MetricRequest {
 public:
  void add(const CumulativePoint& point);
  [[nodiscard]] std::size_t points() const noexcept { return points_.size(); }
  /// About what the request will take.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::string finish();

 private:
  std::vector<CumulativePoint> points_;
  std::size_t bytes_ = 0;
};

}  // namespace honeylink::telemetry::exporting
