// Ends spans: the record leaves its slot for the thread's chunk. The usual end is finish_plain(): the slot is the
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

constexpr auto kOpen = static_cast<std::uint32_t>(ring::SpanSlotState::open);
constexpr auto kEnding = static_cast<std::uint32_t>(ring::SpanSlotState::ending);

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
void publish_from_slot(SlotState& s, ring::SpanSlot& slot, std::int64_t at_unix_ns, std::uint64_t now) noexcept {
  ring::SpanRecord& record = span_record(slot);
  if (at_unix_ns != 0 || (record.header.flags & ring::kFlagWallTimes) != 0) {
    use_wall_times(record, at_unix_ns, now);
    now = record.end;
  }
  const std::uint32_t bytes = (span_bytes(slot) + 7U) & ~7U;
  const ring::RecordClass record_class = class_of(record);
  // Before reserve(): where there is no chunk it seals the ordinal, and the span is then a drop, not an open span as
  // well.
  slot.ending_at.store(s.ordinal_base | s.writer.next_ordinal(), std::memory_order_relaxed);
  slot.state.store(kEnding, std::memory_order_release);
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
  const std::uint32_t used =
      slot.used.load(std::memory_order_acquire);  // further slots are left: their chain may be changing
  const std::uint32_t bytes = (used + 7U) & ~7U;
  slot.ending_at.store(s.ordinal_base | s.writer.next_ordinal(), std::memory_order_relaxed);
  slot.state.store(kEnding, std::memory_order_release);
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

// True: the span is stored and its slot is free. False: nothing was done.
[[gnu::always_inline]] inline bool finish_plain(const SpanRef& ref, std::uint64_t now) noexcept {
  Thread& t = thread;
  auto* const slot = static_cast<ring::SpanSlot*>(ref.slot);
  if (slot == nullptr || !enter_recorder(t)) [[unlikely]]
    return false;
  SlotState* const s = t.state;
  bool done = false;
  std::uint32_t idle = kSlotIdle;
  if (slot->reserved == reinterpret_cast<std::uintptr_t>(s) &&
      slot->busy.compare_exchange_strong(idle, kSlotHeld, std::memory_order_acquire, std::memory_order_relaxed))
      [[likely]] {
    const ring::SpanRecord& record = span_record(*slot);
    const std::uint32_t used = slot->used.load(std::memory_order_relaxed);
    const std::uint32_t bytes = (used + 7U) & ~7U;
    if (slot->state.load(std::memory_order_relaxed) == kOpen && record.span == ref.span &&
        (record.header.flags & ring::kFlagWallTimes) == 0 && slot->next.load(std::memory_order_relaxed) == 0 &&
        bytes <= s->writer.room()) [[likely]] {
      const ring::RecordClass record_class = class_of(record);
      slot->ending_at.store(s->ordinal_base | s->writer.next_ordinal(), std::memory_order_relaxed);
      slot->state.store(kEnding, std::memory_order_release);
      std::uint8_t* const at = s->writer.at();
      copy_one_slot(*slot, used, at);
      auto& written = *reinterpret_cast<ring::SpanRecord*>(at);
      written.header.bytes = static_cast<std::uint16_t>(bytes);
      written.end = now;
      publish(*s, bytes, record_class);
      slot->state.store(static_cast<std::uint32_t>(ring::SpanSlotState::free), std::memory_order_release);
      s->free_slots[s->free_count++] = slot;
      done = true;
    }
    slot->busy.store(kSlotIdle, std::memory_order_release);
  }
  leave_recorder(t);
  return done;
}

}  // namespace

void SpanAccess::finish(Span& span, std::int64_t at_unix_ns) noexcept {
  __atomic_store_n(&span.recording_, std::uint8_t{0}, __ATOMIC_RELAXED);
  const std::uint64_t now = ticks_now();
  if (span.ref_.key_generation != process.key_generation.load(std::memory_order_relaxed)) [[unlikely]]
    return;  // the parent process's span
  if (at_unix_ns != 0 || !finish_plain(span.ref_, now)) [[unlikely]]
    finish_slow(span, at_unix_ns, now);
}

void SpanAccess::finish_slow(Span& span, std::int64_t at_unix_ns, std::uint64_t now) noexcept {
  const SpanRef& ref = span.ref_;
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
  record.status = __atomic_load_n(&span.status_, __ATOMIC_RELAXED);
  if ((ref.flags & kRefWallStart) != 0) record.header.flags |= ring::kFlagWallTimes;
  if (lost) publish_from_held_slot(*s, *static_cast<ring::SpanSlot*>(ref.slot), record, at_unix_ns, now);
  else publish_without_slot(*s, record, at_unix_ns, now);
}

}  // namespace internal

void Span::finish(Timestamp at) noexcept { internal::SpanAccess::finish(*this, at.unix_ns); }

}  // namespace honeylink::telemetry
