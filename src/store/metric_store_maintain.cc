// MetricStore::maintain(): slices of Retention's work within a budget. See metric_store.h.
#include "store/metric_store_state.h"

namespace honeylink::telemetry::store {

MetricUpkeep MetricStore::maintain(std::int64_t now_unix_s, std::int64_t budget_ns) {
  State& s = *state_;
  MetricUpkeep did;
  if (!s.database.connection()) {
    did.result = CommitResult::failed;
    return did;
  }
  if (s.upkeep == nullptr) s.upkeep = std::make_unique<Retention>(s.database, s.bytes_max);
  const std::int64_t began = s.clock->monotonic_ns();
  s.retention_clock.follow(now_unix_s, began);
  for (;;) {
    const Retention::Slice slice = s.upkeep->next(s.retention_clock.now_s());
    did.steps += slice.committed ? 1 : 0;
    did.result = slice.result;
    if (!slice.worked || slice.result != CommitResult::ok) return did;
    if (s.clock->monotonic_ns() - began < budget_ns) continue;
    did.more = true;
    return did;
  }
}

}  // namespace honeylink::telemetry::store
