// What leaves, as ordinary series (DESIGN 12): sent, lost, tried again, waiting, how long a request took; and those
// rows of OpenTelemetry's SDK self-observability (otel.sdk.exporter.*) that have a meaning here. No series names a
// receiver: what goes to one is nothing to the others. The engine's thread.
//
// Must stay true: what was sent of these series is no reason to tell them again, or an idle home would never rest.
#pragma once
#include "engine/core.h"
#include "engine/series_gain.h"

namespace honeylink::telemetry::engine {

/// Adds what has changed to the tick, unless that is points that were sent and nothing else; how many series.
std::size_t add_export_metrics(Core& core, Gains& gains);
/// The tick that carried them is committed.
void settle_export_metrics(Core& core);

}  // namespace honeylink::telemetry::engine
