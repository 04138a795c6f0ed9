// Service levels and alerts of a home, looked at: what the engine judged last, with the definition it judged by, the
// last half hour, and the alerts that fired. For `honeytel sli`, `alerts`, `status`, the page and the terminal view.
// One thread. Values between two ticks are the live reader's business.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/events.h"
#include "query/metric_reader.h"
#include "query/problem.h"
#include "sli/definition.h"

namespace honeylink::telemetry::query {

/// An alert, with how it was told: ms from the evaluation, nothing where it was not.
struct AlertView {
  AlertEvent event;
  std::optional<double> toast_ms, alertmanager_ms;
  std::string rule;  // "p95 of session_…"; empty where the SLI is no longer defined
  [[nodiscard]] bool fires() const noexcept { return event.cleared_at_unix_ns == 0; }
};

inline constexpr std::size_t kSparkMinutes = 30;

struct SliView {
  sli::Definition definition;  // by which it was judged; of one that never was: as configured
  std::string unit;            // of value, thresholds and objective
  Level level = Level::ok;
  bool no_data = true;  // level ok, and the last tick had too few samples, or it is over a window ago
  std::optional<double> value, budget_left, rate;  // rate: observations, or denominators, a second
  std::array<std::optional<double>, 5> burn;       // 5 min, 30 min, 1 h, 6 h, 3 d
  double samples = 0;
  std::uint32_t consecutive = 0;
  std::int64_t newest_point_unix_ns = 0, evaluated_unix_ns = 0;  // 0: never
  std::string trace_id;                                          // of the worst observation; or empty
  std::vector<AlertView> alerts;                                 // those that fire, the newest last
  std::vector<double> spark;                                     // by minute, oldest first; NaN: a gap
  std::vector<sli::Flaw> flaws;                                  // why it cannot be judged
  [[nodiscard]] std::string_view state() const noexcept {
    return level == Level::ok && no_data ? "no_data" : sli::level_name(level);
  }
};

struct SliPoint {
  std::int64_t time_unix_s = 0;  // of the step's beginning
  double value = 0;              // NaN: nothing to judge by
  double samples = 0;
  Sketch sketch;  // of a quantile
  ExemplarInfo exemplar;
};

struct AlertFilter {
  std::int64_t since_unix_ns = INT64_MIN,
               until_unix_ns = INT64_MAX;    // fired or cleared since; what fires always counts
  std::string sli_name, alert_id, trace_id;  // exact; empty: any
  std::uint64_t limit = 0;                   // 0: all
};
struct AlertList {
  std::vector<AlertView> alerts;  // newest first
  std::uint64_t total = 0;
};

class SliReader {
 public:
  /// A home where nothing is stored yet has its definitions. `now_unix_ns`: what ages are measured against.
  [[nodiscard]] static Answer<std::unique_ptr<SliReader>> open(const std::string& home, std::int64_t now_unix_ns);
  /// Of a file that was made elsewhere: the time of its newest evaluation.
  void measure_ages_by_the_newest();

  /// Worst first. `sparks`: with the last half hour, which costs a look at the points.
  [[nodiscard]] Answer<std::vector<SliView>> slis(bool sparks);
  /// By name; not_found with the nearest one.
  [[nodiscard]] Answer<SliView> sli(const std::string& name);
  [[nodiscard]] Answer<std::vector<SliPoint>> history(const SliView& sli, const MetricRange& range);
  [[nodiscard]] Answer<AlertList> alerts(const AlertFilter& filter);
  [[nodiscard]] std::int64_t now_unix_ns() const noexcept { return now_unix_ns_; }
  /// The metrics' reader, for what else is to be known of the series; nullptr where nothing is stored.
  [[nodiscard]] MetricReader* metrics() noexcept { return metrics_.get(); }

 private:
  SliReader() = default;
  Answer<std::vector<SliView>> judged();
  void add_configured(std::vector<SliView>& views) const;
  void add_flaws(SliView& view) const;
  std::string home_, path_;
  std::int64_t now_unix_ns_ = 0;
  store::Connection connection_;
  std::unique_ptr<MetricReader> metrics_;
};

/// The metric names of the home by which a definition can be checked; what the reader has open.
[[nodiscard]] std::vector<sli::KnownMetric> known_metrics(const MetricReader& reader);
/// Flaws with the nearest known name suggested for one that is not.
[[nodiscard]] std::vector<sli::Flaw> check_definition(const sli::Definition& definition,
                                                      const std::vector<sli::KnownMetric>& known);

}  // namespace honeylink::telemetry::query
