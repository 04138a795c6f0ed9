// Entering and leaving what is current on a thread; shared by Activation (current.cc) and ScopedSpan (tracer.cc).
#pragma once
#include "record/thread.h"

namespace honeylink::telemetry::internal {

/// The thread, or the coroutine that runs on it.
[[nodiscard]] inline const void* execution_unit(const Thread& t) noexcept { return t.owner != nullptr ? t.owner : &t; }
/// One more reference to what the frame points at.
void acquire(const Frame& frame) noexcept;
/// Makes `previous` current again, whose references move to the thread. On another execution unit: drops them, counted.
void leave(Frame& previous, const void* owner) noexcept;

}  // namespace honeylink::telemetry::internal
