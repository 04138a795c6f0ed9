// Which traces are kept. Decided once for a trace's root (or as the parent says), from the trace id, in constant time.
#pragma once
#include <cstdint>

#include "honeylink/options.h"
#include "record/thread.h"

namespace honeylink::telemetry::internal {

struct Sampling {
  std::uint8_t kind = 1;  // Sampler::Kind: 1 always_on, 2 always_off, 3 ratio
  bool follows_parent = true;
  bool record_all = true;  // retroactive keep: what is not kept is recorded for the last seconds
  std::uint64_t threshold =
      ~0ULL;  // ratio: keep where the low 63 bits of the trace id are below (OpenTelemetry, TraceIdRatioBased)
};
extern constinit Sampling sampling;  // written by start() before it publishes the ring

void set_sampling(const Sampler& sampler, bool retroactive_keep) noexcept;

/// For a span without a parent, or with one where the sampler does not follow it.
[[nodiscard]] bool keeps_trace(const SpanRef& ref) noexcept;

/// The keys under which a fork child's inherited counters were made (identity.cc).
void remember_parent_keys() noexcept;

}  // namespace honeylink::telemetry::internal
