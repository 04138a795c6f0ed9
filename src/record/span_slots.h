// Open spans: from start to end a span lives in a slot of its thread's ring, with everything said about it, so that a
// killed process leaves it readable (API.md, decision 7; docs/models, open-span slots). Slots are carved from chunks
// that the thread owns.
//
// take/give: the owning thread. The contents of a slot may be added to by any thread under the slot's one-word
// try-lock.
#pragma once
#include <cstdint>
#include <cstring>

#include "record/thread.h"

namespace honeylink::telemetry::internal {

inline constexpr std::uint32_t kSpanSlotRoom = sizeof(ring::SpanSlot::bytes);

/// A free slot of this thread, not yet open; nullptr: none to be had.
[[nodiscard]] ring::SpanSlot* take_span_slot_slow(SlotState& s) noexcept;
[[nodiscard]] inline ring::SpanSlot* take_span_slot(SlotState& s) noexcept {
  if (s.free_count != 0) [[likely]]
    return s.free_slots[--s.free_count];
  return take_span_slot_slow(s);
}
/// Frees a slot and what is chained to it. `s`: the calling thread's state, to which its own slots go back at once;
/// those of other threads are found by their owner later.
void give_span_slot(SlotState* s, ring::SpanSlot* slot) noexcept;
// The slot's lock word. Abandoned: the span ended while another thread was adding to it; that thread frees the slot
// when it lets go.
inline constexpr std::uint32_t kSlotIdle = 0, kSlotHeld = 1, kSlotAbandoned = 2;

/// The try-lock. Twice, then the caller gives up and counts: nobody waits for a thread that may be suspended.
[[nodiscard]] inline bool lock_span_slot(ring::SpanSlot& slot) noexcept {
  std::uint32_t idle = kSlotIdle;
  if (slot.busy.compare_exchange_strong(idle, kSlotHeld, std::memory_order_acquire, std::memory_order_relaxed))
      [[likely]]
    return true;
  idle = kSlotIdle;
  return slot.busy.compare_exchange_strong(idle, kSlotHeld, std::memory_order_acquire, std::memory_order_relaxed);
}
inline void unlock_span_slot(ring::SpanSlot& slot) noexcept {
  if (slot.busy.exchange(kSlotIdle, std::memory_order_acq_rel) == kSlotAbandoned) [[unlikely]]
    give_span_slot(nullptr, &slot);
}
/// For a span whose record is published without the lock: frees its slot, or leaves that to who holds it.
inline void abandon_span_slot(SlotState& s, ring::SpanSlot& slot) noexcept {
  if (slot.busy.exchange(kSlotAbandoned, std::memory_order_acq_rel) == kSlotIdle) give_span_slot(&s, &slot);
}

/// The record at the head of a span's first slot.
[[nodiscard]] inline ring::SpanRecord& span_record(ring::SpanSlot& slot) noexcept {
  return *reinterpret_cast<ring::SpanRecord*>(slot.bytes);
}

/// The open span that `ref` names, locked; nullptr where it ended, belongs to another process, or is busy (then counted
/// by `lost`).
[[nodiscard]] inline ring::SpanSlot* open_slot(const SpanRef& ref, bool& lost) noexcept {
  constexpr auto kOpen = static_cast<std::uint32_t>(ring::SpanSlotState::open);
  lost = false;
  auto* slot = static_cast<ring::SpanSlot*>(ref.slot);
  if (slot == nullptr || slot->state.load(std::memory_order_acquire) != kOpen) return nullptr;
  if (!lock_span_slot(*slot)) {
    lost = true;
    return nullptr;
  }
  const ring::SpanRecord& record = span_record(*slot);
  if (slot->state.load(std::memory_order_relaxed) == kOpen && record.span == ref.span &&
      record.trace_lo == ref.trace_lo) [[likely]]
    return slot;
  unlock_span_slot(*slot);
  return nullptr;
}

/// Room for `bytes` more items at the end of a locked span, on a further slot of the calling thread if need be;
/// nullptr: none. The bytes count only after commit_room(end).
struct SlotRoom {
  ring::SpanSlot* tail = nullptr;
  std::uint8_t* at = nullptr;
};
[[nodiscard]] SlotRoom room_in_span(SlotState& s, ring::SpanSlot& first, std::uint32_t bytes) noexcept;
void commit_room(const SlotRoom& room, const std::uint8_t* end) noexcept;

/// Bytes of a locked span, chained slots included.
[[nodiscard]] std::uint32_t span_bytes_slow(const ring::SpanSlot& first) noexcept;
[[nodiscard]] inline std::uint32_t span_bytes(const ring::SpanSlot& first) noexcept {
  if (first.next.load(std::memory_order_relaxed) == 0) [[likely]]
    return first.used.load(std::memory_order_relaxed);
  return span_bytes_slow(first);
}
/// Copies them to `to`, which has room for 32 bytes more.
void copy_span(const ring::SpanSlot& first, std::uint8_t* to) noexcept;
/// The record of a span without further slots. In steps of 32: so much is behind the last byte in the slot and in a
/// chunk, and no call of memcpy() is made.
inline void copy_one_slot(const ring::SpanSlot& slot, std::uint32_t used, std::uint8_t* to) noexcept {
  static_assert(sizeof slot.bytes % 32 == 0 && sizeof(ring::SpanRecord) == 64);
  for (std::uint32_t i = 0; i < 64; i += 32) std::memcpy(to + i, slot.bytes + i, 32);
  for (std::uint32_t i = 64; i < used; i += 32) std::memcpy(to + i, slot.bytes + i, 32);
}

}  // namespace honeylink::telemetry::internal
