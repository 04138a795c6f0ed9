// Which rings this home has: finding them, opening them where the sinks' cursors say, and noticing that a process has
// died.
#pragma once
#include "engine/core.h"

namespace honeylink::telemetry::engine {

/// Lists all candidate directories and opens what is new. A descriptor is kept for every ring seen: one whose name is
/// removed under us (log-out, a successor short of space) is still drained to its end.
bool discover_rings(Core& core);
/// Asks the locks of the rings we know whether their processes live. True: one has died.
bool notice_deaths(Core& core);
/// Rings that the given one's process unlinked to make room: what we had not stored of them is no_engine. Idempotent:
/// their cursors tell how much was counted, and stay until the ring that names them goes.
void count_unlinked(Core& core, RingState& ring);

}  // namespace honeylink::telemetry::engine
