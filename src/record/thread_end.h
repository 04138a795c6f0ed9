// The end of a thread: its slot is sealed and handed to the next one. Re-armed for destructors that record later than
// ours.
#pragma once
#include "record/process.h"

namespace honeylink::telemetry::internal {

/// Seals and gives back the slot of the calling thread, if it has one.
void release_slot(Thread& t) noexcept;
/// Asks pthread to call us at the thread's end. Cheap to repeat.
void arm_thread_end() noexcept;
/// Drops what the thread's current context refers to (tracestate, baggage); current.cc.
void release_frame_references(Thread& t) noexcept;
/// Once per process (and again in a fork child it stays valid).
void make_thread_key() noexcept;

}  // namespace honeylink::telemetry::internal
