// See span_slots.h.
#include "record/span_slots.h"

#include <cstring>
#include <new>

#include "record/process.h"

namespace honeylink::telemetry::internal {
namespace {

using ring::SpanSlot;

// Which thread's slot it is: kept in the slot's reserved word, meaningful in this process only.
SlotState* owner_of(const SpanSlot& slot) noexcept {
  SlotState* owner;
  std::memcpy(&owner, &slot.reserved, sizeof owner);
  return owner;
}

SpanSlot* slot_at(const ring::RingMap& map, std::uint32_t index) noexcept {
  const std::uint32_t per_chunk = map.span_slots_per_chunk();
  return reinterpret_cast<SpanSlot*>(map.chunk_data(index / per_chunk)) + index % per_chunk;
}

std::uint32_t index_of(const ring::RingMap& map, const SpanSlot& slot) noexcept {
  const auto offset = static_cast<std::uint64_t>(reinterpret_cast<const std::uint8_t*>(&slot) - map.chunk_data(0));
  return static_cast<std::uint32_t>(offset / kSpanSlotBytes);  // a chunk holds a whole number of slots
}

const SpanSlot* next_of(const SpanSlot& slot) noexcept {
  const std::uint32_t next = ring::span_slot_next_of(slot.extent.load(std::memory_order_relaxed));
  const SlotState* owner = owner_of(slot);
  return next == 0 || owner == nullptr ? nullptr : slot_at(owner->ring->map, next - 1);
}

// Slots that other threads freed: seen by their state, collected only when the stack has run out.
void collect_freed(SlotState& s) noexcept {
  const ring::RingMap& map = s.ring->map;
  for (std::uint32_t c = 0; c < s.span_chunk_count; ++c) {
    auto* slots = reinterpret_cast<SpanSlot*>(map.chunk_data(s.span_chunks[c]));
    for (std::uint32_t i = 0; i < map.span_slots_per_chunk(); ++i)
      if (slots[i].word.load(std::memory_order_acquire) == kSlotFree && has_free_room(s)) *s.free_top++ = &slots[i];
  }
}

bool carve_chunk(SlotState& s) noexcept {
  // A quarter of the pool at most may be lent to open spans: the rest is for records.
  const ring::RingMap& map = s.ring->map;
  if (s.span_chunk_count == kSpanChunksPerThread || (s.span_chunk_count + 1) * 4 > map.geometry.chunk_count)
    return false;
  const std::int64_t index = ring::ChunkWriter::claim_chunk(map, s.slot);
  if (index < 0) return false;
  ring::ChunkHeader& chunk = map.chunk(static_cast<std::uint32_t>(index));
  auto* slots = reinterpret_cast<SpanSlot*>(map.chunk_data(static_cast<std::uint32_t>(index)));
  const SlotState* owner = &s;
  for (std::uint32_t i = map.span_slots_per_chunk(); i-- > 0;) {
    SpanSlot& slot = slots[i];
    slot.word.store(kSlotFree, std::memory_order_relaxed);
    slot.extent.store(0, std::memory_order_relaxed);
    slot.ending_at.store(0, std::memory_order_relaxed);
    std::memcpy(&slot.reserved, &owner, sizeof owner);
    *s.free_top++ = &slot;
  }
  chunk.committed.store(0, std::memory_order_relaxed);
  chunk.seq.store(map.header().next_seq.fetch_add(1, std::memory_order_relaxed), std::memory_order_relaxed);
  const std::uint64_t word = chunk.word.load(std::memory_order_relaxed);
  chunk.word.store(ring::make_word(ring::generation_of(word), s.slot, ring::ChunkState::slots),
                   std::memory_order_release);
  s.span_chunks[s.span_chunk_count++] = static_cast<std::uint32_t>(index);
  return true;
}

}  // namespace

SpanSlot* take_span_slot_slow(SlotState& s) noexcept {
  collect_freed(s);
  if (s.free_top[-1] == nullptr && !carve_chunk(s)) return nullptr;
  return *--s.free_top;
}

void give_span_slot(SlotState* s, SpanSlot* slot) noexcept {
  while (slot != nullptr) {
    auto* next = const_cast<SpanSlot*>(next_of(*slot));
    slot->extent.store(0, std::memory_order_relaxed);
    slot->word.store(kSlotFree, std::memory_order_release);
    if (s != nullptr && owner_of(*slot) == s && has_free_room(*s)) *s->free_top++ = slot;
    slot = next;
  }
}

SlotRoom room_in_span(SlotState& s, SpanSlot& first, std::uint32_t bytes) noexcept {
  SpanSlot* tail = &first;
  std::uint32_t length = 1;
  for (const SpanSlot* next = next_of(*tail); next != nullptr; next = next_of(*tail), ++length)
    tail = const_cast<SpanSlot*>(next);
  const std::uint32_t used = ring::span_slot_used_of(tail->extent.load(std::memory_order_relaxed));
  if (bytes <= kSpanSlotRoom - used) return {tail, tail->bytes + used};
  const SlotState* owner = owner_of(first);
  // A chain stays within one ring: a reader follows it there.
  if (bytes > kSpanSlotRoom || length == kSpanSlotsPerSpanMax || owner == nullptr || owner->ring != s.ring) return {};
  SpanSlot* more = take_span_slot(s);
  if (more == nullptr) return {};
  more->extent.store(0, std::memory_order_relaxed);
  more->word.store(kSlotChained, std::memory_order_release);
  tail->extent.store(ring::make_extent(used, 1 + index_of(s.ring->map, *more)), std::memory_order_release);
  return {more, more->bytes};
}

void commit_room(const SlotRoom& room, const std::uint8_t* end) noexcept {
  const std::uint32_t next = ring::span_slot_next_of(room.tail->extent.load(std::memory_order_relaxed));
  room.tail->extent.store(ring::make_extent(static_cast<std::uint32_t>(end - room.tail->bytes), next),
                          std::memory_order_release);
}

std::uint32_t span_bytes_slow(const SpanSlot& first) noexcept {
  std::uint32_t bytes = 0;
  for (const SpanSlot* slot = &first; slot != nullptr; slot = next_of(*slot))
    bytes += ring::span_slot_used_of(slot->extent.load(std::memory_order_relaxed));
  return bytes;
}

void copy_span(const SpanSlot& first, std::uint8_t* to) noexcept {
  for (const SpanSlot* slot = &first; slot != nullptr; slot = next_of(*slot)) {
    const std::uint32_t used = ring::span_slot_used_of(slot->extent.load(std::memory_order_relaxed));
    for (std::uint32_t i = 0; i < used; i += 16) std::memcpy(to + i, slot->bytes + i, 16);
    to += used;
  }
}

}  // namespace honeylink::telemetry::internal
