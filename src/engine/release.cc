// See release.h. Only chunks that the drain has read to their end are looked at; a failure means stolen: nothing to do.
#include "engine/release.h"

#include <algorithm>

#include "base/killpoint.h"

namespace honeylink::telemetry::engine {

void release_chunks(Core& core) {
  for (auto& [serial, ring] : core.rings) {
    if (ring->phase != RingPhase::live || ring->quarantined) continue;  // a dead ring's words are never changed
    for (std::uint32_t i = 0; i < ring->chunks.size(); ++i) {
      ChunkProgress& chunk = ring->chunks[i];
      if (!chunk.known || !chunk.full || chunk.released || chunk.slot >= ring->slots.size()) continue;
      const SlotState& slot = ring->slots[chunk.slot];
      bool settled = true;
      for (std::size_t s = 0; s < kSinks; ++s) {
        settled =
            settled && chunk.offset[s] == chunk.committed_bytes && slot.committed[s].ordinal() >= chunk.at[s].ordinal();
      }
      if (!settled) continue;
      killpoint("drain.before_release");
      ring->reader->release_chunk(i, chunk.generation);
      chunk.released = true;
      killpoint("drain.after_release");
    }
  }
}

}  // namespace honeylink::telemetry::engine
