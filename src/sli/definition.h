// What a service level indicator is (DESIGN 9): a quantile of a histogram, or a ratio of two counters, with thresholds
// that must rise; and what is wrong with a definition that can never be judged, in words. Made from config.toml by
// engine, query and cli alike, so that all judge by the same values. Plain values; any thread.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/events.h"

namespace honeylink::telemetry::sli {

/// Thresholds are in the metric's own unit. Defaults are those of config.h.
struct Definition {
  std::string name, module;
  std::string unit = "1";  // "1" of a quantile: whatever the metric is recorded in
  double quantile = 0.95;
  std::string of;                  // histogram; empty where it is a ratio
  std::vector<std::string> ratio;  // numerator, denominator
  double yellow = 0, orange = 0, red = 0;
  double objective = 0;  // 0: none, and no budget
  std::int64_t evaluation_window_s = 300;
  std::int64_t consecutive_breaches_required = 3;
  std::int64_t min_samples = 0;  // 0: 20 observations, or 100 denominators
  bool burn_alerts = false;

  [[nodiscard]] bool is_ratio() const noexcept { return of.empty(); }
  [[nodiscard]] std::uint64_t samples_min() const noexcept;
  /// Share of observations, or of the denominator, that may be bad; 0: there is no budget.
  [[nodiscard]] double allowed_share() const noexcept;
  [[nodiscard]] double threshold(Level level) const noexcept;
  friend bool operator==(const Definition&, const Definition&) = default;
};

/// From config::SliConfig, which this room does not know: any struct with its members.
template <class Config>
[[nodiscard]] Definition define(const Config& c) {
  return {c.name,
          c.module,
          c.unit,
          c.quantile,
          c.of,
          c.ratio,
          c.yellow,
          c.orange,
          c.red,
          c.objective,
          c.evaluation_window_s,
          c.consecutive_breaches_required,
          c.min_samples,
          c.burn_alerts};
}

/// What makes a definition impossible, or doubtful.
struct Flaw {
  std::string key;         // "sli.packet_loss_rate.orange"
  std::string what;        // "orange (0.05) is below yellow (0.1)"
  std::string suggestion;  // "order them: yellow = 0.05, orange = 0.1"; may be empty
  std::string unknown;     // the metric that is not there; who knows all names may suggest the nearest
};
/// What can be said of a definition by itself. Empty: it can be judged.
[[nodiscard]] std::vector<Flaw> flaws_of(const Definition& definition);

struct KnownMetric {
  std::string_view name, unit;
  MetricType kind = MetricType::counter;
};
/// What the recorded metrics say about it: a name that nobody records, a histogram where a counter is needed, another
/// unit. Nothing where there are no metrics yet.
[[nodiscard]] std::vector<Flaw> flaws_among(const Definition& definition, std::span<const KnownMetric> known);

[[nodiscard]] std::string_view kind_name(MetricType kind) noexcept;  // "counter", "histogram", …
[[nodiscard]] std::string_view level_name(Level level) noexcept;     // "ok", "yellow", "orange", "red"
[[nodiscard]] Level level_from(std::string_view name) noexcept;      // ok where it is none
[[nodiscard]] std::string rule_text(const Definition& definition);   // "p95 of session_…" or "a / b"
[[nodiscard]] std::string shortest_number(double value);             // reads back as the same double

}  // namespace honeylink::telemetry::sli
