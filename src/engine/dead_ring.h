// The end of a ring whose process is gone: drained, open spans stored as unfinished, a crash kept whole, metrics
// committed, unlinked, and only then forgotten (PROTOCOL 4).
#pragma once
#include "engine/core.h"

namespace honeylink::telemetry::engine {

/// Moves dead rings on as far as they can go. True: something moved.
bool advance_dead_rings(Core& core);

}  // namespace honeylink::telemetry::engine
