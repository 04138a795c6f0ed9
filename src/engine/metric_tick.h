// The metrics' tick: every 10 s of the wall clock, what the cells of all rings have gained becomes one row; the ledger
// goes with it.
#pragma once
#include "engine/core.h"

namespace honeylink::telemetry::engine {

/// Reads bases.N as metrics.db says. Where it is gone while rings live on, what they gained since is not knowable:
/// their present values become the bases, counted as base_lost.
void restore_bases(Core& core);
/// Commits what has changed since the last tick; without any change nothing is written. `extra`: a flush or a dead ring
/// wants it now. False: it could not be committed; it is tried again.
bool commit_tick(Core& core, bool durable);
/// What a tick, or the upkeep, of metrics.db came back with: anything but ok. It is tried again in a second.
void metrics_failed(Core& core, store::CommitResult result);
/// The next boundary of 10 s, as a monotonic time.
[[nodiscard]] std::int64_t next_tick_ns(const Core& core);

}  // namespace honeylink::telemetry::engine
