// One pass over a ring: PROTOCOL 4, steps 1–4, for both record sinks at once, each at its own position.
#pragma once
#include "engine/core.h"

namespace honeylink::telemetry::engine {

/// Reads what the ring has gained and feeds it to the sinks that take. Commits on the way where much has gathered. A
/// ring that is not sound is quarantined: said once, counted, ignored from then on (F23). True: something was fed or
/// counted.
bool drain_ring(Core& core, RingState& ring);
/// True where every sink has been fed all that the ring had accepted (exact for a dead ring).
[[nodiscard]] bool is_drained(Core& core, RingState& ring);
void quarantine(Core& core, RingState& ring, const std::string& why);

}  // namespace honeylink::telemetry::engine
