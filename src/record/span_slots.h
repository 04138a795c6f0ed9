// Open spans: from start to end a span lives in a slot of its thread's ring, with everything said about it, so that a killed process
// leaves it readable (API.md, decision 7; docs/models, open-span slots). Slots are carved from chunks that the thread owns.
//
// take/give: the owning thread. The contents of a slot may be added to by any thread under the slot's one-word try-lock.
#pragma once
#include <cstdint>

#include "record/thread.h"

namespace honeylink::telemetry::internal {

inline constexpr std::uint32_t kSpanSlotRoom = sizeof(ring::SpanSlot::bytes);

/// A free slot of this thread, not yet open; nullptr: none to be had.
[[nodiscard]] ring::SpanSlot* take_span_slot_slow(SlotState& s) noexcept;
[[nodiscard]] inline ring::SpanSlot* take_span_slot(SlotState& s) noexcept {
  if (s.free_count != 0) [[likely]] return s.free_slots[--s.free_count];
  return take_span_slot_slow(s);
}
/// Frees a slot and what is chained to it. `s`: the calling thread's state, to which its own slots go back at once; those of other
/// threads are found by their owner later.
void give_span_slot(SlotState* s, ring::SpanSlot* slot) noexcept;

/// The try-lock. Twice, then the caller gives up and counts: nobody waits for a thread that may be suspended.
[[nodiscard]] inline bool lock_span_slot(ring::SpanSlot& slot) noexcept {
  return slot.busy.exchange(1, std::memory_order_acquire) == 0 || slot.busy.exchange(1, std::memory_order_acquire) == 0;
}
inline void unlock_span_slot(ring::SpanSlot& slot) noexcept { slot.busy.store(0, std::memory_order_release); }

/// The open span that `ref` names, locked; nullptr where it ended, belongs to another process, or is busy (then counted by `lost`).
[[nodiscard]] ring::SpanSlot* open_slot(const SpanRef& ref, bool& lost) noexcept;

/// Room for `bytes` more items at the end of a locked span, on a further slot of the calling thread if need be; nullptr: none.
/// The bytes count only after commit_room(end).
struct SlotRoom {
  ring::SpanSlot* tail = nullptr;
  std::uint8_t* at = nullptr;
};
[[nodiscard]] SlotRoom room_in_span(SlotState& s, ring::SpanSlot& first, std::uint32_t bytes) noexcept;
void commit_room(const SlotRoom& room, const std::uint8_t* end) noexcept;

/// Bytes of a locked span, chained slots included.
[[nodiscard]] std::uint32_t span_bytes(const ring::SpanSlot& first) noexcept;
/// Copies them to `to`, which has room for 16 bytes more.
void copy_span(const ring::SpanSlot& first, std::uint8_t* to) noexcept;

}  // namespace honeylink::telemetry::internal
