// Spans on their way out of the process before they are committed: a copy of what was added to a TraceStore since the
// last look, with the names that no reader of the database sees yet. Made on the engine's thread, read on another.
// Plain values.
//
// Must stay true: `first` numbers the spans as the database will (hot.first), unless they are discarded; then they come
// again under the same numbers.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/events.h"

namespace honeylink::telemetry::store {

/// Rows of str, scope and idkey, by their ids.
struct TraceNames {
  std::vector<std::pair<std::uint32_t, std::string>> texts;
  std::vector<std::pair<std::uint32_t, ScopeInfo>> scopes;
  std::vector<std::pair<std::uint32_t, Source>> sources;  // resource, keys and pid are set
};

struct SpanHandOver {
  std::uint64_t first = 0;  // spans stored before these, over the life of the file
  std::uint32_t count = 0;
  std::int64_t base_unix_ns = 0;
  std::vector<std::uint8_t> bytes;  // for TraceBlob(bytes, base, count)
  TraceNames names;
};

}  // namespace honeylink::telemetry::store
