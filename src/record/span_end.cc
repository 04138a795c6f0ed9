// Ends spans: the record leaves its slot for the thread's chunk. The usual end is finish_usual(): the slot is the
// thread's own, the span is in one piece, its chunk has room. All else is finish_slow().
#include <cstring>

#include "honeylink/trace.h"
#include "record/count.h"
#include "record/span_access.h"
#include "record/span_slots.h"
#include "record/ticks.h"
#include "ring/reader.h"

namespace honeylink::telemetry {
namespace internal {
namespace {

// A caller's own times are Unix ns: then both ends are.
void use_wall_times(ring::SpanRecord& record, std::int64_t end_unix_ns, std::uint64_t now) noexcept {
  const ring::ClockSource source = ticks_are_tsc ? ring::ClockSource::tsc : ring::ClockSource::monotonic_ns;
  const Ring* ring = process.current.load(std::memory_order_acquire);
  const ring::TickScale scale(source, ring->map.header().created, ring::read_clocks(source));
  if ((record.header.flags & ring::kFlagWallTimes) == 0)
    record.start = static_cast<std::uint64_t>(scale.unix_ns(record.start));
  record.header.flags |= ring::kFlagWallTimes;
  record.end = static_cast<std::uint64_t>(end_unix_ns != 0 ? end_unix_ns : scale.unix_ns(now));
  if (record.end < record.start) record.end = record.start;
}

inline ring::RecordClass class_of(const ring::SpanRecord& record) noexcept {
  return (record.header.flags & ring::kFlagKept) != 0 ? ring::RecordClass::kept_span
                                                      : ring::RecordClass::unsampled_span;
}

[[gnu::noinline]] void publish_without_slot(SlotState& s, ring::SpanRecord record, std::int64_t at_unix_ns,
                                            std::uint64_t now) noexcept {
  record.header.flags |= ring::kFlagNoSlot;
  record.end = now;
  if (at_unix_ns != 0 || (record.header.flags & ring::kFlagWallTimes) != 0) use_wall_times(record, at_unix_ns, now);
  std::uint8_t* at = reserve(s, sizeof record, class_of(record));
  if (at == nullptr) return;
  std::memcpy(at, &record, sizeof record);
  publish(s, sizeof record, class_of(record));
}

// The finished record of a span that had a slot. The slot says where its record goes before the record is there, so
// that a kill in between neither loses the span nor stores it twice (docs/models, open-span slots).
[[gnu::noinline]] void publish_from_slot(SlotState& s, ring::SpanSlot& slot, std::int64_t at_unix_ns,
                                         std::uint64_t now) noexcept {
  ring::SpanRecord& record = span_record(slot);
  if (at_unix_ns != 0 || (record.header.flags & ring::kFlagWallTimes) != 0) {
    use_wall_times(record, at_unix_ns, now);
    now = record.end;
  }
  const std::uint32_t bytes = record_bytes(span_bytes(slot));
  const ring::RecordClass record_class = class_of(record);
  // Before reserve(): where there is no chunk it seals the ordinal, and the span is then a drop, not an open span as
  // well.
  slot.ending_at.store(s.writer.next_place(), std::memory_order_relaxed);
  slot.word.store(kSlotEnding | kSlotHeld, std::memory_order_release);
  std::uint8_t* at = reserve(s, bytes, record_class);
  if (at != nullptr) {
    copy_span(slot, at);
    auto& written = *reinterpret_cast<ring::SpanRecord*>(at);
    written.header.bytes = static_cast<std::uint16_t>(bytes);
    written.end = now;
    publish(s, bytes, record_class);
  }
  give_span_slot(&s, &slot);
}

// Another thread holds the slot and may be suspended there: what it has finished adding is taken, what it is adding is
// lost.
[[gnu::noinline]] void publish_from_held_slot(SlotState& s, ring::SpanSlot& slot, ring::SpanRecord record,
                                              std::int64_t at_unix_ns, std::uint64_t now) noexcept {
  record.end = now;
  if (at_unix_ns != 0 || (record.header.flags & ring::kFlagWallTimes) != 0) use_wall_times(record, at_unix_ns, now);
  const std::uint32_t used = ring::span_slot_used_of(
      slot.extent.load(std::memory_order_acquire));  // further slots are left: their chain may be changing
  const std::uint32_t bytes = record_bytes(used);
  slot.ending_at.store(s.writer.next_place(), std::memory_order_relaxed);
  slot.word.fetch_add(kSlotEnding - kSlotOpen, std::memory_order_release);  // its holder may let go meanwhile
  if (std::uint8_t* at = reserve(s, bytes, class_of(record)); at != nullptr) {
    std::memcpy(at + sizeof record, slot.bytes + sizeof record, used - sizeof record);
    ItemCursor items({at + sizeof record, used - sizeof record});
    record.items = 0;  // its holder may be counting: what was copied is counted here
    for (Item item; items.next(item);) ++record.items;
    record.dropped_attributes = 1;
    record.header.bytes = static_cast<std::uint16_t>(bytes);
    std::memcpy(at, &record, sizeof record);
    publish(s, bytes, class_of(record));
  }
  count(ProcessCounter::attribute_dropped);
  abandon_span_slot(s, slot);
}

// A span in several pieces; the caller has entered the recorder and locked its slot.
[[gnu::noinline]] void finish_chained(SlotState& s, ring::SpanSlot& slot) noexcept {
  publish_from_slot(s, slot, 0, ticks_now());
  leave_recorder(thread);
}

constexpr std::uint32_t kShortSpan = 96;  // two short attributes

// The rest of the usual end: the caller has entered the recorder and locked the slot, which holds all of the span.
template <Clock kClock, std::uint32_t kBytesMax>
[[gnu::always_inline]] inline void publish_locked(const SpanRef& ref, SlotState& s, ring::SpanSlot& slot) noexcept {
  const std::uint64_t now = read_clock<kClock>();
  const auto used = static_cast<std::uint32_t>(slot.extent.load(std::memory_order_relaxed));
  const std::uint32_t bytes = record_bytes(used);
  std::uint8_t* const at = s.writer.at();
  std::memcpy(at, slot.bytes, kShortSpan);
  if constexpr (kBytesMax > kShortSpan) {
    for (std::uint32_t i = kShortSpan; i < used; i += 32) std::memcpy(at + i, slot.bytes + i, 32);
    static_assert((kSpanSlotRoom - kShortSpan) % 32 == 0);
  }
  auto& written = *reinterpret_cast<ring::SpanRecord*>(at);
  written.end = now;
  s.writer.publish(bytes,
                   (ref.flags & kRefKept) != 0 ? ring::RecordClass::kept_span : ring::RecordClass::unsampled_span);
  slot.word.store(kSlotFree, std::memory_order_release);
  *s.free_top++ = &slot;
  ring::BellWord& bell = *s.bell;
  leave_recorder(thread);
  wake_engine(bell);
}

template <Clock kClock>
[[gnu::noinline]] void finish_long(const SpanRef& ref, SlotState& s, ring::SpanSlot& slot) noexcept {
  publish_locked<kClock, kSpanSlotRoom>(ref, s, slot);
}

}  // namespace

// The usual end: the slot is the thread's own, the span is in one piece, its chunk has room. What is not so is left to
// finish_slow(), before anything was done. Calls stand at the end only: so nothing need be saved. The locked operations
// come before the clock is read, which then covers what they wait for.
template <Clock kClock>
[[gnu::always_inline]] inline void SpanAccess::finish_usual(Span& span, std::int64_t at_unix_ns) noexcept {
  // Of two threads that end a span at once, one.
  if (__atomic_exchange_n(&span.ref_.alive[0], std::uint8_t{0}, __ATOMIC_RELAXED) == 0) [[unlikely]]
    return;
  const SpanRef& ref = span.ref_;
  auto* const slot = static_cast<ring::SpanSlot*>(ref.slot);
  Thread& t = thread;
  if (at_unix_ns != 0 || slot == nullptr || (ref.flags & kRefWallStart) != 0 || !enter_recorder(t)) [[unlikely]]
    return finish_slow(span, at_unix_ns);
  SlotState* const state = t.state;  // null in the child of a handler that forked behind the gate
  if (state != nullptr && slot->reserved == reinterpret_cast<std::uintptr_t>(state) && state->writer.has_usual_room())
      [[likely]] {
    SlotState& s = *state;
    // Before the state that speaks of it (docs/models, ORDINAL_LATE).
    slot->ending_at.store(s.writer.next_place(), std::memory_order_relaxed);
    std::uint64_t word = kSlotOpen;
    if (slot->word.compare_exchange_strong(word, kSlotEnding | kSlotHeld, std::memory_order_acq_rel,
                                           std::memory_order_relaxed)) [[likely]] {
      const std::uint64_t extent = slot->extent.load(std::memory_order_relaxed);
      if (extent > kSpanSlotRoom) [[unlikely]]
        return finish_chained(s, *slot);
      if (extent > kShortSpan) return finish_long<kClock>(ref, s, *slot);
      return publish_locked<kClock, kShortSpan>(ref, s, *slot);
    }
  }
  leave_recorder(t);
  finish_slow(span, at_unix_ns);
}

void SpanAccess::finish_by_call(Span& span, std::int64_t at_unix_ns) noexcept {
  finish_usual<Clock::monotonic>(span, at_unix_ns);
}

void SpanAccess::finish_slow(Span& span, std::int64_t at_unix_ns) noexcept {
  const std::uint64_t now = ticks_now();
  const SpanRef& ref = span.ref_;
  if (ref.key_generation != process.key_generation.load(std::memory_order_relaxed))
    return;  // the parent process's span
  const Entry entry;
  SlotState* s = entry.state();
  bool lost = false;
  ring::SpanSlot* slot = open_slot(ref, lost);
  // Another thread is adding to it just now: a few hundred ns, or it was suspended there. Not waited for without bound.
  for (int tries = 0; lost && tries < 1'000; ++tries) slot = open_slot(ref, lost);
  if (s == nullptr) [[unlikely]] {
    if (slot != nullptr) give_span_slot(nullptr, slot);
    return count_unplaced(entry.nested(), ring::RecordClass::kept_span);
  }
  if (slot != nullptr) return publish_from_slot(*s, *slot, at_unix_ns, now);
  ring::SpanRecord record = lost ? span_record(*static_cast<ring::SpanSlot*>(ref.slot)) : ring::SpanRecord{};
  if (!lost) {
    record.header = {sizeof record, ring::RecordType::span, static_cast<std::uint8_t>(ref.flags & 15U), span.name_};
    record.trace_hi = ref.trace_hi, record.trace_lo = ref.trace_lo, record.span = ref.span;
    record.parent = span.parent_, record.scope = span.scope_, record.kind = static_cast<std::uint8_t>(span.kind_);
    record.start = span.start_ != 0 ? span.start_ : now;
  }
  record.status = __atomic_load_n(&ref.status, __ATOMIC_RELAXED);
  if ((ref.flags & kRefWallStart) != 0) record.header.flags |= ring::kFlagWallTimes;
  if (lost) publish_from_held_slot(*s, *static_cast<ring::SpanSlot*>(ref.slot), record, at_unix_ns, now);
  else publish_without_slot(*s, record, at_unix_ns, now);
}

}  // namespace internal

void Span::finish(Timestamp at) noexcept {
  if (internal::ticks_are_tsc) [[likely]]
    internal::SpanAccess::finish_usual<internal::Clock::tsc>(*this, at.unix_ns);
  else internal::SpanAccess::finish_by_call(*this, at.unix_ns);
}

}  // namespace honeylink::telemetry
