// What is current on a thread, in the recorder's own form: counters instead of ids, so that nothing is computed until
// an id leaves.
#pragma once
#include <cstdint>

#include "honeylink/internal/export.h"

namespace honeylink::telemetry::internal {

struct Shared;  // context.h

// Bits of SpanRef::flags. The lowest four are the flags of the record (ring/layout.h).
inline constexpr std::uint16_t kRefKept = 1;          // W3C "sampled"
inline constexpr std::uint16_t kRefTraceForeign = 2;  // trace_hi/lo are the id itself, big-endian; else lo is a counter
inline constexpr std::uint16_t kRefParentForeign = 4;
inline constexpr std::uint16_t kRefHasParent = 8;
inline constexpr std::uint16_t kRefSpanForeign = 16;  // span is the id itself; else a counter
inline constexpr std::uint16_t kRefValid = 32;
inline constexpr std::uint16_t kRefRemote = 64;
inline constexpr std::uint16_t kRefRandom = 128;     // W3C level 2: the trace id has random bits
inline constexpr std::uint16_t kRefWallStart = 256;  // the caller gave its start
// Of Thread::current alone: it has a trace state. The highest bit: one comparison tells the usual from the rest.
inline constexpr std::uint16_t kRefWithState = 0x8000;

/// Names a span of this or another process.
struct SpanRef {
  std::uint64_t trace_hi = 0, trace_lo = 0, span = 0;
  void* slot = nullptr;  // open-span slot in the ring, if recorded here; may be stale: checked before use
  std::uint16_t flags = 0;
  std::uint16_t key_generation = 0;  // of the keys under which counters become ids: a fork child has others
  // What a Span says of itself; nobody looks at it elsewhere. Here, because all of it is stored at once then.
  std::uint8_t alive[2] = {};  // [0] it is recording · [1] it holds a trace state
  std::uint8_t status = 0;     // of a span that has no slot, or whose slot is not to be had at its end
  std::uint8_t reserved = 0;
};
static_assert(sizeof(SpanRef) == 40);

/// One span and baggage. The owner of a Frame holds a reference to each Shared that is not null.
struct Frame {
  SpanRef span;
  const Shared* trace_state = nullptr;
  const Shared* baggage = nullptr;
};

}  // namespace honeylink::telemetry::internal
