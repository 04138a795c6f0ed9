// The block behind a TraceState or a Baggage: the header's own text, and for baggage a table of pairs and the decoded
// values. Written once by whoever allocates it (trace_state.cc, baggage.cc), then immutable and counted by
// internal::SharedRef. A context without tracestate and baggage has none. Where memory is short the text is treated as
// absent: nothing throws.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "honeylink/context.h"

namespace honeylink::telemetry::internal {

/// Where a pair of baggage lies in Shared::text(). A member's own text runs from its name to the comma before the next
/// one's.
struct SharedPair {
  std::uint16_t name_at, name_bytes, value_at, value_bytes, metadata_at, metadata_bytes;
};

/// Pairs and text follow the struct in the same allocation. Immutable once adopted: any thread may read it.
struct Shared {
  mutable std::atomic<std::uint32_t> references{1};
  std::uint32_t pairs = 0;
  std::uint32_t header_bytes = 0;  // the text begins with the header, in the form that is sent

  SharedPair* pair() noexcept { return reinterpret_cast<SharedPair*>(this + 1); }
  [[nodiscard]] const SharedPair* pair() const noexcept { return reinterpret_cast<const SharedPair*>(this + 1); }
  char* text() noexcept { return reinterpret_cast<char*>(pair() + pairs); }
  [[nodiscard]] const char* text() const noexcept { return reinterpret_cast<const char*>(pair() + pairs); }
  [[nodiscard]] std::string_view header() const noexcept { return {text(), header_bytes}; }
};
static_assert(alignof(SharedPair) <= alignof(Shared) && sizeof(Shared) % alignof(SharedPair) == 0);
// Offsets are 16 bits: a header and its decoded values (never longer than the header) fit.
static_assert(2 * kBaggageBytesMax <= 0xffff && kTraceStateMembersMax * 514 <= 0xffff);

/// One reference, owned by the caller; nullptr where there is no memory. The text is not initialised.
[[nodiscard]] Shared* shared_allocate(std::size_t pairs, std::size_t text_bytes) noexcept;

/// What the value types keep to themselves, for the files of this room that make and read them.
struct ContextAccess {
  [[nodiscard]] static TraceState trace_state(const Shared* adopted) noexcept {
    TraceState state;
    state.state_ = SharedRef(adopted);
    return state;
  }
  [[nodiscard]] static Baggage baggage(const Shared* adopted) noexcept {
    Baggage baggage;
    baggage.pairs_ = SharedRef(adopted);
    return baggage;
  }
  [[nodiscard]] static const Shared* shared(const TraceState& state) noexcept { return state.state_.get(); }
  [[nodiscard]] static const Shared* shared(const Baggage& baggage) noexcept { return baggage.pairs_.get(); }
};

}  // namespace honeylink::telemetry::internal
