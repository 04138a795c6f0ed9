// Which traces are kept. Decided once for a trace's root (or as the parent says), from the trace id, in constant time.
#pragma once
#include <cstdint>

#include "honeylink/options.h"
#include "record/thread.h"

namespace honeylink::telemetry::internal {

// The sampler as what start() of a span adds up: no question is asked that set_sampling() can answer.
struct Sampling {
  std::uint16_t root_flags = kRefValid | kRefRandom | kRefKept;        // SpanRef::flags of a root
  std::uint16_t child_flags = kRefValid | kRefHasParent;               // of a child, and with them
  std::uint16_t inherited = kRefTraceForeign | kRefRandom | kRefKept;  // these of its parent's
  bool root_asks_id = false, child_asks_id = false;                    // its trace id decides: keeps_trace()
  std::uint16_t version = 1;                                           // counts set_sampling()
  bool record_all = true;    // retroactive keep: what is not kept is recorded for the last seconds
  bool all_recorded = true;  // for this or another reason, whatever a span's flags say
  std::uint64_t threshold =
      ~0ULL;  // ratio: keep where the low 63 bits of the trace id are below (OpenTelemetry, TraceIdRatioBased)
};
[[gnu::visibility("hidden")]] extern constinit Sampling sampling;  // written by start() before it publishes the ring

void set_sampling(const Sampler& sampler, bool retroactive_keep) noexcept;

/// What the share of traces says of this trace id.
[[nodiscard]] bool keeps_trace(const SpanRef& ref) noexcept;

/// The same of a root with this id of the thread's own. A share is decided by the trace id, and an id costs as much as
/// a span: a thread decides for its next ids together.
inline constexpr std::uint64_t kDecidedAhead = 64;
void decide_ahead(SlotState& s, std::uint64_t id, std::uint32_t key_generation) noexcept;
[[nodiscard]] inline bool keeps_root(SlotState& s, std::uint64_t id, std::uint32_t key_generation) noexcept {
  if (id - s.decided_from >= kDecidedAhead || s.decided_under != (key_generation << 16U | sampling.version))
      [[unlikely]]
    decide_ahead(s, id, key_generation);
  return (s.decided >> (id - s.decided_from) & 1U) != 0;
}

/// The keys under which a fork child's inherited counters were made (identity.cc).
void remember_parent_keys() noexcept;

}  // namespace honeylink::telemetry::internal
