// Spans and log lines of a ring that no engine has stored yet, as views: decoded, scrubbed, ids computed. For
// last-words.
#pragma once
#include <string>
#include <vector>

#include "query/last_words.h"
#include "ring/reader.h"

namespace honeylink::telemetry::query {

/// Everything that is whole in the ring's chunks, and its open spans up to the last sign of life.
void read_ring_content(ring::RingReader& reader, scrub::Scrubber& scrubber, std::vector<SpanView>& spans,
                       std::vector<LastLog>& logs);

}  // namespace honeylink::telemetry::query
