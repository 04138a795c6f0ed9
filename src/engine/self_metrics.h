// The engine's own figures as ordinary series of service "honeytel" (DESIGN 12), and those of OpenTelemetry's SDK
// self-observability (otel.sdk.*) that have a meaning here. Differences since the last committed tick; nothing is
// written while nothing changes.
#pragma once
#include "engine/core.h"
#include "engine/series_gain.h"

namespace honeylink::telemetry::engine {

/// Adds what has changed to the tick; how many series that are.
std::size_t add_self_metrics(Core& core, Gains& gains);
/// Alerts, the ones that this tick fires included; how many series.
std::size_t add_alert_counters(Core& core, Gains& gains, const SliWatch::Triggered& triggered);
/// What this ring's process refused or shortened since the last tick, by reason, under its own service.
void add_recorder_counters(Core& core, RingState& ring, MetricBases& next, Gains& gains);
/// The tick that carried them is committed.
void settle_self_metrics(Core& core);
/// The series table was made anew.
void forget_self_series(Core& core);

}  // namespace honeylink::telemetry::engine
