// The balance of all signals at one moment (I-3): accepted + retro_kept = stored + Σ dropped + in_ring. What is settled
// comes from each sink's own transactions; what is still in the rings is counted from their words.
#pragma once
#include "engine/core.h"

namespace honeylink::telemetry::engine {

/// `metrics`: what the tick that carries this ledger adds.
[[nodiscard]] store::LedgerSnapshot take_ledger(Core& core, const store::Counts& metrics);
[[nodiscard]] bool same_ledger(const store::LedgerSnapshot& a, const store::LedgerSnapshot& b) noexcept;

}  // namespace honeylink::telemetry::engine
