// Entering and leaving what is current on a thread; shared by Activation (current.cc) and ScopedSpan (tracer.cc).
#pragma once
#include "record/process.h"

namespace honeylink::telemetry::internal {

/// The thread, or the coroutine that runs on it.
[[nodiscard]] inline const void* execution_unit(const Thread& t) noexcept { return t.owner != nullptr ? t.owner : &t; }
/// Where nothing is current: that under today's keys, or the plain paths would refuse all that a forked child begins.
inline void renew_if_empty(Thread& t) noexcept {
  if ((t.current.span.flags & kRefValid) != 0) return;
  t.current.span.key_generation = static_cast<std::uint16_t>(process.key_generation.load(std::memory_order_relaxed));
}
/// Makes a span current. What the frame pointed at before is the caller's business.
inline void enter_span(Thread& t, const SpanRef& span, const Shared* trace_state) noexcept {
  t.current.span = span;
  t.current.trace_state = trace_state;
  if (trace_state != nullptr) [[unlikely]]
    t.current.span.flags |= kRefWithState;
}
/// One more reference to what the frame points at.
void acquire(const Frame& frame) noexcept;
/// Makes `previous` current again, whose references move to the thread. On another execution unit: drops them, counted.
void leave(Frame& previous, const void* owner) noexcept;

}  // namespace honeylink::telemetry::internal
