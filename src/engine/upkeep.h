// What the engine does for its stores in spare time: packing, rolling up, deleting what is old, giving pages back.
#pragma once
#include "engine/core.h"

namespace honeylink::telemetry::engine {

/// One slice of each store's upkeep, where it is due. True: there is more to do at once.
bool tend_stores(Core& core);

}  // namespace honeylink::telemetry::engine
