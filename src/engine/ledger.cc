// See ledger.h. in_ring is accepted − settled, ring by ring; it is never counted by scanning for what is not stored.
#include "engine/ledger.h"

namespace honeylink::telemetry::engine {
namespace {

void add_in_ring(RingState& ring, std::uint64_t& spans, std::uint64_t& logs) {
  std::uint64_t accepted[kClasses];
  if (!ring.reader->read_accepted(accepted)) return;
  std::array<std::array<std::uint64_t, kClasses>, kSinks> settled{};
  for (const SlotState& slot : ring.slots) {
    for (std::size_t s = 0; s < kSinks; ++s) {
      for (std::size_t k = 0; k < kClasses; ++k) settled[s][k] += slot.committed[s].count[k];
    }
  }
  const auto left = [](std::uint64_t all, std::uint64_t done) { return all > done ? all - done : 0; };
  spans += left(accepted[kKeptSpan] + accepted[kUnsampledSpan],
                settled[kTraceSink][kKeptSpan] + settled[kTraceSink][kUnsampledSpan]);
  logs += left(accepted[kLog], settled[kLogSink][kLog]);
}

bool same(const store::SignalLedger& a, const store::SignalLedger& b) noexcept {
  return a.in_ring == b.in_ring && a.totals == b.totals;
}

}  // namespace

store::LedgerSnapshot take_ledger(Core& core, const store::Counts& metrics) {
  store::LedgerSnapshot ledger;
  ledger.spans.totals = core.traces->totals();
  ledger.logs.totals = core.logs->totals();
  ledger.metrics.totals = core.metrics->totals();
  ledger.metrics.totals.add(metrics);
  for (const auto& [serial, ring] : core.rings) {
    if (!ring->quarantined && ring->reader->same_boot()) add_in_ring(*ring, ledger.spans.in_ring, ledger.logs.in_ring);
  }
  ledger.spans.totals.accepted += ledger.spans.in_ring;
  ledger.logs.totals.accepted += ledger.logs.in_ring;
  return ledger;
}

bool same_ledger(const store::LedgerSnapshot& a, const store::LedgerSnapshot& b) noexcept {
  return same(a.spans, b.spans) && same(a.logs, b.logs) && same(a.metrics, b.metrics);
}

}  // namespace honeylink::telemetry::engine
