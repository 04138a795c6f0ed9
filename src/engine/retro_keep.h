// Retroactive keep: what the sampler left out is still in the pool for some seconds; a span that ended in error, was
// slow, or asked for it marks its trace, and that trace's spans are fetched, and kept when they come later (DESIGN 5).
//
// At most kRetroKeepPerSecondMax traces a second are marked, then counted. Each span is stored at most once:
// keep_once() in the same transaction. A mark lasts kMarkNs and survives the engine's death in the trace store.
#pragma once
#include <string_view>

#include "engine/core.h"

namespace honeylink::telemetry::engine {

inline constexpr std::int64_t kMarkNs = 60'000'000'000;

void mark_trace(Core& core, RingState& ring, const TraceRef& trace, std::string_view reason);
void mark_trace_id(Core& core, RingState& ring, const std::array<std::uint8_t, 16>& trace_id, std::string_view reason);
[[nodiscard]] bool is_marked(const Core& core, const RingState& ring, const TraceRef& trace);
/// Fetches the spans of freshly marked traces out of all pools, into the transaction that holds the marks.
void fetch_marked(Core& core);
/// Marks of an earlier engine; to be called again for a ring that is opened later.
void restore_marks(Core& core);
void learn_marks(Core& core, RingState& ring);
/// Marks that are old, and rows of `kept` that no chunk can ask for any more.
void expire_marks(Core& core);
/// Unsampled spans of this ring whose end is not before `since_unix_ns`: for a crash, for a Red alert. Of more than
/// `spans_max` those of the newest chunks. How many were kept.
std::size_t keep_since(Core& core, RingState& ring, std::int64_t since_unix_ns, Kept kept,
                       std::size_t spans_max = SIZE_MAX);

}  // namespace honeylink::telemetry::engine
