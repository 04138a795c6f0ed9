// Stored points added up into steps of equal length. Pure; used by MetricReader.
//
// Must stay true (I-10): count, sum, min and max are those of the stored points, whatever tier they come from; of
// gauges the latest value wins, whatever the order of the parts.
#pragma once
#include <map>
#include <memory>
#include <vector>

#include "base/events.h"
#include "store/metric_scan.h"

namespace honeylink::telemetry::query {

/// One step of one or more series of a kind. Which fields hold depends on the kind.
struct MetricPoint {
  std::int64_t time_unix_s = 0;  // of the step's beginning
  std::uint64_t count = 0;       // stored 10 s points
  double sum = 0;                // counter, up_down: difference over the step
  double min = 0, max = 0;       // of the 10 s points; gauge: of its values. Void (min > max) where none is a number
  double last = 0;               // gauge: the latest value
  std::int64_t last_unix_s = INT64_MIN;  // the end of the tick that it is of
  std::int64_t tick_s = 0;               // length of the coarsest tick in it
  struct Detail {
    Sketch sketch;          // histogram
    ExemplarInfo exemplar;  // of the largest value
  };
  std::unique_ptr<Detail> detail;  // only where there is one

  [[nodiscard]] bool any() const noexcept { return count != 0; }
  [[nodiscard]] const Sketch& sketch() const noexcept;
  [[nodiscard]] const ExemplarInfo& exemplar() const noexcept;
};

/// Of the step that begins there, the seconds that ticks in [since, until] may speak of: at both ends of what was asked
/// for that is less than the step. At least one tick.
[[nodiscard]] std::int64_t covered_seconds(const MetricPoint& point, std::int64_t step_s, std::int64_t since_unix_s,
                                           std::int64_t until_unix_s) noexcept;

/// Adds the i-th tick of a part.
void add_tick(const store::MetricPart& part, std::size_t i, MetricPoint& to);
/// Keeps the exemplar with the larger value.
void add_exemplar(const ExemplarInfo& exemplar, MetricPoint& to);

/// Not thread-safe; a value.
class MetricSteps {
 public:
  explicit MetricSteps(std::int64_t step_s) : step_s_(step_s < 1 ? 1 : step_s) {}
  /// The ticks of a part that lie in [since, until].
  void add(const store::MetricPart& part, std::int64_t since_unix_s, std::int64_t until_unix_s);
  /// Steps with data, ascending; this object is used up.
  [[nodiscard]] std::vector<MetricPoint> take();

 private:
  [[nodiscard]] MetricPoint& at(std::int64_t begin);
  bool add_as_they_are(const store::MetricPart& part, std::int64_t since_unix_s, std::int64_t until_unix_s);
  std::int64_t step_s_;
  bool bare_ = false;               // there may be steps without a point: an exemplar alone, a roll-up of nothing
  std::vector<MetricPoint> steps_;  // ascending
  std::size_t near_ = 0;            // where the last one was found in it
  std::map<std::int64_t, MetricPoint>
      late_;  // steps that came after later ones: a second series fills gaps of the first
};

}  // namespace honeylink::telemetry::query
