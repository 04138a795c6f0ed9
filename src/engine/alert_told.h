// What follows when an alert fires or clears, once that is committed: the line in the log, the trace that is kept, the
// outbox. `again`: an earlier engine died before it could be known that it was done; nothing is done twice where that
// can be seen.
#pragma once
#include "engine/core.h"

namespace honeylink::telemetry::engine {

void tell_fired(Core& core, const AlertEvent& event, bool again);
void tell_cleared(Core& core, const AlertEvent& event, bool again);

}  // namespace honeylink::telemetry::engine
