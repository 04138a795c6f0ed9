// What a tick says about service levels: rows of slis and sli_state, alerts that fired or cleared, how they were told.
// Written by MetricStore in the tick's own transaction (docs/formats/metrics_db.md); read back when the lead begins.
// Plain values.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/events.h"

namespace honeylink::telemetry::store {

/// One SLI after an evaluation. What is not known is null.
struct SliRow {
  std::string name, module, unit, state;  // state: ok, yellow, orange, red or no_data
  std::optional<double> value, objective, budget_left;
  std::optional<double> burn_5m, burn_30m, burn_1h, burn_6h, burn_3d;
  std::optional<double> rate;  // observations, or denominators, a second
  double samples = 0;
  std::uint32_t consecutive = 0;
  std::int64_t newest_point_unix_ns = 0, evaluated_unix_ns = 0;  // 0: never
  std::string trace_id;                                          // or empty
  std::string definition;                                        // JSON
  std::string tracker;                                           // the evaluator's state (sli/state_text.h)
};

struct AlertDelivery {
  std::string alert_id;
  std::string told;  // a JSON object that is merged into alerts.delivered: {"toast_ms":12.5}
};

struct SliTick {
  bool evaluated = false;  // all points up to this commit have been judged
  std::vector<SliRow> rows;
  std::vector<std::string> gone;  // SLIs that are no longer defined
  std::vector<AlertEvent> fired, cleared;
  std::vector<AlertDelivery> deliveries;
};

/// What an earlier engine left.
struct SavedSlis {
  std::vector<SliRow> rows;
  std::vector<AlertEvent> firing;
  std::uint64_t evaluated_commit = 0;  // points of later commits have not been judged
  // Fired or cleared in the last commit of all: whether anybody was told is not known.
  std::vector<AlertEvent> untold_fired, untold_cleared;
};

/// More than a year of an alert an hour; the oldest that have cleared go.
inline constexpr std::int64_t kAlertRowsMax = 10'000;

}  // namespace honeylink::telemetry::store
