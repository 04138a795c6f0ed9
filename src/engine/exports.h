// The engine's side of what leaves: hands spans over when they are drained, lines when they are committed, points when
// they are read; follows receipts; counts. Functions over Core, on the engine's thread. Without a receipt each costs a
// branch.
#pragma once
#include "engine/core.h"

namespace honeylink::telemetry::engine {

/// Receipts may have come or gone, reports are due: once a second, and when the doorbell rang.
void tend_exports(Core& core, std::int64_t now_ns);
/// After a drain and before each commit of spans.
void hand_over_spans(Core& core);
void spans_were_committed(Core& core);
/// Pending spans were dropped, or the database was made anew.
void spans_were_discarded(Core& core);
void logs_were_committed(Core& core);
/// The gains of a tick that was just committed.
void tick_was_committed(Core& core, std::int64_t tick_unix_s, std::int64_t now_unix_ns,
                        std::span<const MetricDelta> deltas);
/// Reads cells between two ticks, where a destination wants points sooner. True: there was something.
bool look_at_cells(Core& core, std::int64_t now_ns);
/// Monotonic time at which something here has to be looked at; INT64_MAX: never.
[[nodiscard]] std::int64_t exports_deadline_ns(const Core& core);

}  // namespace honeylink::telemetry::engine
