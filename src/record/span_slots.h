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
  if (s.free_top[-1] != nullptr) [[likely]]
    return *--s.free_top;
  return take_span_slot_slow(s);
}
/// Room for one more on the stack of free slots. There always is for a slot that came from it.
[[nodiscard]] inline bool has_free_room(const SlotState& s) noexcept {
  return s.free_top != s.free_slots + 1 + kFreeSpanSlotsMax;
}
/// Frees a slot and what is chained to it. `s`: the calling thread's state, to which its own slots go back at once;
/// those of other threads are found by their owner later.
void give_span_slot(SlotState* s, ring::SpanSlot* slot) noexcept;
// SpanSlot::word: SpanSlotState below, above it who is inside: nobody, or one that adds to the span; one more where the
// span ended meanwhile: who is inside then frees the slot when it lets go.
inline constexpr std::uint64_t kSlotHeld = std::uint64_t{1} << 32U;
inline constexpr std::uint64_t kSlotFree = static_cast<std::uint64_t>(ring::SpanSlotState::free);
inline constexpr std::uint64_t kSlotOpen = static_cast<std::uint64_t>(ring::SpanSlotState::open);
inline constexpr std::uint64_t kSlotEnding = static_cast<std::uint64_t>(ring::SpanSlotState::ending);
inline constexpr std::uint64_t kSlotChained = static_cast<std::uint64_t>(ring::SpanSlotState::chained);

enum class SlotLock : std::uint8_t { taken, busy, not_open };
/// The try-lock of an open span. Twice, then the caller gives up and counts: nobody waits for a thread that may be
/// suspended.
[[nodiscard]] inline SlotLock lock_span_slot(ring::SpanSlot& slot) noexcept {
  for (int tries = 0; tries < 2; ++tries) {
    std::uint64_t word = kSlotOpen;
    if (slot.word.compare_exchange_strong(word, kSlotOpen | kSlotHeld, std::memory_order_acquire,
                                          std::memory_order_relaxed)) [[likely]]
      return SlotLock::taken;
    if (ring::span_slot_state_of(word) != ring::SpanSlotState::open) return SlotLock::not_open;
  }
  return SlotLock::busy;
}
inline void unlock_span_slot(ring::SpanSlot& slot) noexcept {
  if (slot.word.fetch_sub(kSlotHeld, std::memory_order_acq_rel) >= 2 * kSlotHeld) [[unlikely]]
    give_span_slot(nullptr, &slot);
}
/// For a span whose record is published without the lock: frees its slot, or leaves that to who is inside.
inline void abandon_span_slot(SlotState& s, ring::SpanSlot& slot) noexcept {
  if (slot.word.fetch_add(kSlotHeld, std::memory_order_acq_rel) < kSlotHeld) give_span_slot(&s, &slot);
}

/// The record at the head of a span's first slot.
[[nodiscard]] inline ring::SpanRecord& span_record(ring::SpanSlot& slot) noexcept {
  return *reinterpret_cast<ring::SpanRecord*>(slot.bytes);
}

/// The open span that `ref` names, locked; nullptr where it ended, belongs to another process, or is busy (then counted
/// by `lost`).
[[nodiscard]] inline ring::SpanSlot* open_slot(const SpanRef& ref, bool& lost) noexcept {
  lost = false;
  auto* slot = static_cast<ring::SpanSlot*>(ref.slot);
  if (slot == nullptr) return nullptr;
  const SlotLock lock = lock_span_slot(*slot);
  lost = lock == SlotLock::busy;
  if (lock != SlotLock::taken) return nullptr;
  const ring::SpanRecord& record = span_record(*slot);
  if (record.span == ref.span && record.trace_lo == ref.trace_lo) [[likely]]
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
  if (const std::uint64_t extent = first.extent.load(std::memory_order_relaxed); extent <= kSpanSlotRoom) [[likely]]
    return static_cast<std::uint32_t>(extent);
  return span_bytes_slow(first);
}
/// Of the record that they make: SpanRecord::header.bytes of an open span, whenever nobody is inside.
[[nodiscard]] inline std::uint16_t record_bytes(std::uint32_t used) noexcept {
  return static_cast<std::uint16_t>((used + 7U) & ~7U);
}
/// Copies them to `to`, which has room for 32 bytes more.
void copy_span(const ring::SpanSlot& first, std::uint8_t* to) noexcept;

}  // namespace honeylink::telemetry::internal
