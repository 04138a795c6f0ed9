// See sampler.h.
#include "record/sampler.h"

#include "honeylink/trace.h"
#include "record/identity.h"

namespace honeylink::telemetry::internal {

constinit Sampling sampling{};
constinit unsigned char tracing_on = 1;

void set_sampling(const Sampler& sampler, bool retroactive_keep) noexcept {
  const std::uint16_t kept = sampler.kind() == Sampler::Kind::always_on ? kRefKept : 0;
  const bool by_id = sampler.kind() == Sampler::Kind::ratio, follows = sampler.follows_parent();
  sampling.root_flags = kRefValid | kRefRandom | kept;
  sampling.child_flags = kRefValid | kRefHasParent | (follows ? 0 : kept);
  sampling.inherited = kRefTraceForeign | kRefRandom | (follows ? kRefKept : 0);
  sampling.root_asks_id = by_id;
  sampling.child_asks_id = by_id && !follows;
  sampling.record_all = retroactive_keep;
  // A child that follows its parent is kept or not as that one is.
  sampling.all_recorded = retroactive_keep || (sampling.root_flags & sampling.child_flags & kRefKept) != 0;
  sampling.threshold =
      sampler.share() >= 1.0 ? std::uint64_t{1} << 63 : static_cast<std::uint64_t>(sampler.share() * 0x1p63);
  __atomic_store_n(&sampling.version, static_cast<std::uint16_t>(sampling.version + 1),
                   __ATOMIC_RELEASE);  // last: what was decided is then void
  const bool off = sampler.kind() == Sampler::Kind::always_off && !sampler.follows_parent();
  __atomic_store_n(&tracing_on, off ? 0 : 1, __ATOMIC_RELAXED);
}

bool keeps_trace(const SpanRef& ref) noexcept {
  const TraceId id = trace_id_of(ref);
  std::uint64_t low = 0;
  for (std::size_t i = 8; i < 16; ++i) low = low << 8 | id.bytes[i];
  return (low & 0x7fff'ffff'ffff'ffffULL) < sampling.threshold;
}

void decide_ahead(SlotState& s, std::uint64_t id, std::uint32_t key_generation) noexcept {
  s.decided_from = id;
  s.decided_under = key_generation << 16U | sampling.version;
  s.decided = 0;
  const IdCipher* cipher = cipher_of(key_generation);
  if (cipher == nullptr) return;  // no memory: nothing will be recorded either
  for (std::uint64_t i = 0; i < kDecidedAhead; i += 8) {
    const auto low = cipher->next_trace_ids_low(id + i);
    std::uint64_t decided = 0;
#pragma GCC unroll 8
    for (std::size_t k = 0; k < 8; ++k)
      decided |= std::uint64_t{(low[k] & 0x7fff'ffff'ffff'ffffULL) < sampling.threshold} << k;
    s.decided |= decided << i;
  }
}

}  // namespace honeylink::telemetry::internal
