// Gives chunks back: a full chunk is released once every sink has committed all its records (PROTOCOL 4, step 6).
#pragma once
#include "engine/core.h"

namespace honeylink::telemetry::engine {

void release_chunks(Core& core);

}  // namespace honeylink::telemetry::engine
