// Commits of the two record sinks: rows, cursors and counts in one transaction each; when they are due; what a failure
// means.
#pragma once
#include "engine/core.h"

namespace honeylink::telemetry::engine {

/// Commits what is due by size, age, urgency or a retry that has come. True: something was committed.
bool commit_due(Core& core);
/// Commits everything that waits, now. True: nothing waits any more.
bool commit_all(Core& core, bool durable);
bool commit_traces(Core& core, bool durable);
bool commit_logs(Core& core, bool durable);
/// What a commit, or the upkeep, of a sink's store came back with: anything but ok.
void store_failed(Core& core, std::size_t sink, store::CommitResult result, const std::string& why);
/// Monotonic time at which commit_due() has something to do; INT64_MAX: nothing waits.
[[nodiscard]] std::int64_t commit_deadline_ns(const Core& core);

}  // namespace honeylink::telemetry::engine
