// What happens to one record: decode, scrub, decide, hand to its sink, count.
#pragma once
#include "engine/core.h"

namespace honeylink::telemetry::engine {

void take_span(Core& core, RingState& ring, const ring::TickScale& scale, const ring::RawRecord& record,
               RecordPosition at);
void take_log(Core& core, RingState& ring, const ring::TickScale& scale, const ring::RawRecord& record,
              RecordPosition at);

}  // namespace honeylink::telemetry::engine
