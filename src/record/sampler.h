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
  bool record_all = true;  // retroactive keep: what is not kept is recorded for the last seconds
  std::uint64_t threshold =
      ~0ULL;  // ratio: keep where the low 63 bits of the trace id are below (OpenTelemetry, TraceIdRatioBased)
};
extern constinit Sampling sampling;  // written by start() before it publishes the ring

void set_sampling(const Sampler& sampler, bool retroactive_keep) noexcept;

/// What the share of traces says of this trace id.
[[nodiscard]] bool keeps_trace(const SpanRef& ref) noexcept;

/// A share is decided by the trace id, and an id costs as much as a span: a thread decides for its next ids together.
/// decided_ahead() answers what keeps_trace() would of a root with this id (1, 0), or -1 where nobody has looked.
inline constexpr std::uint64_t kDecidedAhead = 32;
[[nodiscard]] inline std::uint32_t deciding_under(std::uint32_t key_generation) noexcept {
  return key_generation << 16U | sampling.version;
}
[[nodiscard]] inline int decided_ahead(const SlotState& s, std::uint64_t id, std::uint32_t key_generation) noexcept {
  const std::uint64_t ahead = id - s.decided_from;
  if (ahead >= kDecidedAhead || s.decided_under != deciding_under(key_generation)) return -1;
  return static_cast<int>(s.decided >> ahead & 1U);
}
void decide_ahead(SlotState& s, std::uint64_t from, std::uint32_t key_generation) noexcept;

/// The keys under which a fork child's inherited counters were made (identity.cc).
void remember_parent_keys() noexcept;

}  // namespace honeylink::telemetry::internal
