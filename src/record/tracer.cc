// Starts and ends spans. A span's record is made in its slot at the start and copied whole into the thread's chunk at
// the end (API.md, decision 7); the two clock reads are most of the cost.
#include <cstring>
#include <new>
#include <utility>

#include "honeylink/trace.h"
#include "record/count.h"
#include "record/frame_ops.h"
#include "record/identity.h"
#include "record/items_writer.h"
#include "record/names.h"
#include "record/sampler.h"
#include "record/shared.h"
#include "record/span_access.h"
#include "record/span_slots.h"
#include "record/ticks.h"
#include "ring/reader.h"

namespace honeylink::telemetry {
namespace internal {

constinit bool exceptions_mark_spans = true;

namespace {

constexpr auto kOpen = static_cast<std::uint32_t>(ring::SpanSlotState::open);
constexpr auto kEnding = static_cast<std::uint32_t>(ring::SpanSlotState::ending);

constexpr std::uint32_t kItemRoom = kSpanSlotRoom - sizeof(ring::SpanRecord);

struct Parent {
  const SpanRef* ref;         // never null
  const Shared* trace_state;  // borrowed
};
constexpr SpanRef kNoParent{};

// What the caller names as the parent, or the current one; `room` holds a converted ref.
[[gnu::noinline]] Parent parent_of(const Thread& t, const SpanOptions* options, void* memory) noexcept {
  SpanRef& room = *new (memory) SpanRef;
  Parent parent{&t.current.span, t.current.trace_state};
  if (options != nullptr && options->new_root) return {&kNoParent, nullptr};
  if (options != nullptr && options->parent != nullptr) {
    room = ref_of(options->parent->span());
    parent = {&room, ContextAccess::shared(options->parent->span().trace_state())};
  }
  if ((parent.ref->flags & kRefValid) == 0) return {&kNoParent, nullptr};
  room = *parent.ref;
  make_foreign_if_older(room);
  return {&room, parent.trace_state};
}

// Trace, span and the decision whether the trace is kept.
inline void identify(SpanRef& ref, const SpanRef& parent, std::uint64_t id, std::uint32_t generation) noexcept {
  ref.span = id;
  ref.key_generation = static_cast<std::uint16_t>(generation);
  unsigned flags = kRefValid;
  const bool has_parent = (parent.flags & kRefValid) != 0;
  if (has_parent) {
    ref.trace_hi = parent.trace_hi;
    ref.trace_lo = parent.trace_lo;
    flags |= kRefHasParent | (parent.flags & (kRefTraceForeign | kRefRandom)) |
             ((parent.flags & kRefSpanForeign) != 0 ? kRefParentForeign : 0U);
  } else {
    ref.trace_lo = id;
    flags |= kRefRandom;
  }
  ref.flags = static_cast<std::uint16_t>(flags);
  const bool kept = has_parent && sampling.follows_parent ? (parent.flags & kRefKept) != 0 : keeps_trace(ref);
  if (kept) ref.flags |= kRefKept;
}

inline std::uint8_t record_flags(const SpanRef& ref) noexcept {
  static_assert(ring::kFlagKept == 1 && kRefKept == 2);
  unsigned flags = (ref.flags & kRefKept) >> 1U;
  if ((ref.flags & kRefTraceForeign) != 0) flags |= ring::kFlagTraceForeign;
  if ((ref.flags & kRefHasParent) != 0) flags |= ring::kFlagHasParent;
  if ((ref.flags & kRefParentForeign) != 0) flags |= ring::kFlagParentForeign;
  return static_cast<std::uint8_t>(flags);
}

// Field by field: a copy made on the stack would be read back wider than it was written, which the processor must wait
// for.
inline void fill_record(ring::SpanRecord& record, const SpanRef& ref, std::uint64_t parent, std::uint32_t name,
                        std::uint16_t scope, SpanKind kind) noexcept {
  record.header = {sizeof record, ring::RecordType::span, record_flags(ref), name};
  record.end = 0;
  record.trace_hi = ref.trace_hi;
  record.trace_lo = ref.trace_lo;
  record.span = ref.span;
  record.parent = parent;
  record.scope = scope;
  record.kind = static_cast<std::uint8_t>(kind);
  record.status = 0;
  record.items = 0;
  record.dropped_attributes = 0;
  record.dropped_events = 0;
}

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

std::uint32_t name_id(const SpanName& name) noexcept { return intern(name, NameKind::name); }

inline ring::RecordClass class_of(const ring::SpanRecord& record) noexcept {
  return (record.header.flags & ring::kFlagKept) != 0 ? ring::RecordClass::kept_span
                                                      : ring::RecordClass::unsampled_span;
}

inline void publish(SlotState& s, std::uint32_t bytes, ring::RecordClass record_class) noexcept {
  s.writer.publish(bytes, record_class);
  after_publication(s);
  if (s.writer.switches() != s.switches_seen) [[unlikely]]
    after_switch(s);
}

[[gnu::noinline]] void publish_without_slot(SlotState& s, ring::SpanRecord record, std::int64_t at_unix_ns,
                                            std::uint64_t now) noexcept {
  record.header.flags |= ring::kFlagNoSlot;
  record.end = now;
  if (at_unix_ns != 0 || (record.header.flags & ring::kFlagWallTimes) != 0) use_wall_times(record, at_unix_ns, now);
  std::uint8_t* at = s.writer.reserve(sizeof record, class_of(record));
  if (at == nullptr) return;
  std::memcpy(at, &record, sizeof record);
  publish(s, sizeof record, class_of(record));
}

// The finished record of a span that had a slot. The slot says where its record goes before the record is there, so
// that a kill in between neither loses the span nor stores it twice (docs/models, open-span slots).
inline void publish_from_slot(SlotState& s, ring::SpanSlot& slot, std::int64_t at_unix_ns, std::uint64_t now) noexcept {
  ring::SpanRecord& record = span_record(slot);
  if (at_unix_ns != 0 || (record.header.flags & ring::kFlagWallTimes) != 0) [[unlikely]] {
    use_wall_times(record, at_unix_ns, now);
    now = record.end;
  }
  const std::uint32_t bytes = (span_bytes(slot) + 7U) & ~7U;
  const ring::RecordClass record_class = class_of(record);
  // Before reserve(): where there is no chunk it seals the ordinal, and the span is then a drop, not an open span as
  // well.
  slot.ending_at.store((std::uint64_t{s.slot + 1U} << 48) | s.writer.next_ordinal(), std::memory_order_relaxed);
  slot.state.store(kEnding, std::memory_order_release);
  std::uint8_t* at = s.writer.reserve(bytes, record_class);
  if (at == nullptr) [[unlikely]]
    return give_span_slot(&s, &slot);
  copy_span(slot, at);
  auto& written = *reinterpret_cast<ring::SpanRecord*>(at);
  written.header.bytes = static_cast<std::uint16_t>(bytes);
  written.end = now;
  publish(s, bytes, record_class);
  give_own_span_slot(s, &slot);
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
  slot.ending_at.store((std::uint64_t{s.slot + 1U} << 48) | s.writer.next_ordinal(), std::memory_order_relaxed);
  slot.state.store(kEnding, std::memory_order_release);
  if (std::uint8_t* at = s.writer.reserve(bytes, class_of(record)); at != nullptr) {
    std::memcpy(at + sizeof record, slot.bytes + sizeof record, used - sizeof record);
    ItemCursor items({at + sizeof record, used - sizeof record});
    for (Item item; items.next(item);) ++record.items;
    record.dropped_attributes = 1;
    record.header.bytes = static_cast<std::uint16_t>(bytes);
    std::memcpy(at, &record, sizeof record);
    publish(s, bytes, class_of(record));
  }
  count(ProcessCounter::attribute_dropped);
  abandon_span_slot(s, slot);
}

}  // namespace

[[gnu::always_inline]] inline bool SpanAccess::start(Span& span, const Entry& entry, const Scope& scope,
                                                     std::uint32_t& cached_scope, const SpanName& name,
                                                     Attributes attributes, const SpanOptions* options) noexcept {
  SlotState* s = entry.state();
  if (s == nullptr) [[unlikely]]
    return count_unplaced(entry, ring::RecordClass::kept_span), true;
  Thread& t = entry.current_thread();
  const std::uint32_t generation = process.key_generation.load(std::memory_order_relaxed);
  Parent parent{&t.current.span, t.current.trace_state};
  alignas(SpanRef) std::uint8_t room[sizeof(SpanRef)];  // raw: made only where it is needed
  if (options != nullptr || t.current.span.key_generation != generation) [[unlikely]]
    parent = parent_of(t, options, room);
  SpanRef& ref = span.ref_;
  identify(ref, *parent.ref, next_id(*s), generation);
  if (parent.trace_state != nullptr) [[unlikely]] {
    shared_acquire(parent.trace_state);
    span.trace_state_ = parent.trace_state;
  }
  if ((ref.flags & kRefKept) == 0 && !sampling.record_all) return true;  // its ids travel, nothing is recorded
  const std::uint32_t id = name_id(name);
  if (id >= kUnknownName) [[unlikely]]
    return true;
  const SpanKind kind = options != nullptr ? options->kind : SpanKind::internal;
  const std::uint16_t scope_number = scope_id(scope, cached_scope);
  const std::uint64_t parent_span = parent.ref->span;
  ring::SpanSlot* slot = take_span_slot(*s);
  span.name_ = id;
  span.scope_ = scope_number;
  span.kind_ = kind;
  span.recording_ = 1;
  span.parent_ = parent_span;
  if (slot == nullptr) [[unlikely]] {
    count(ProcessCounter::span_without_slot);
    const bool given = options != nullptr && options->start.unix_ns != 0;
    span.start_ = given ? static_cast<std::uint64_t>(options->start.unix_ns) : ticks_now();
    if (given) ref.flags |= kRefWallStart;
    return true;
  }
  ring::SpanRecord& record = span_record(*slot);
  fill_record(record, ref, parent_span, id, scope_number, kind);
  std::uint8_t* end = slot->bytes + sizeof record;
  const bool fits = items_bytes(attributes.begin(), attributes.size()) <= kItemRoom;
  if (fits) [[likely]]
    end = write_items(end, attributes.begin(), attributes.size(), record.items, record.dropped_attributes);
  slot->ending_at.store(0, std::memory_order_relaxed);
  slot->used.store(static_cast<std::uint32_t>(end - slot->bytes), std::memory_order_relaxed);
  ref.slot = slot;
  if (options != nullptr && options->start.unix_ns != 0) [[unlikely]] {
    record.header.flags |= ring::kFlagWallTimes;
    record.start = static_cast<std::uint64_t>(options->start.unix_ns);
  } else {
    record.start = ticks_now();
  }
  span.start_ = record.start;
  slot->state.store(kOpen, std::memory_order_release);
  return fits && options == nullptr;
}

// What did not fit into the first slot, and links: through the same door as later annotations. Outside the recorder's
// own entry.
void SpanAccess::complete(const Span& span, Attributes attributes, const SpanOptions* options) noexcept {
  if (span.recording_ == 0) return;
  if (items_bytes(attributes.begin(), attributes.size()) > kItemRoom) [[unlikely]]
    span.set_attributes(attributes);
  if (options == nullptr) return;
  for (const Link& link : options->links) span.add_link(link.to, link.attributes);
}

void SpanAccess::finish(Span& span, std::int64_t at_unix_ns) noexcept {
  __atomic_store_n(&span.recording_, std::uint8_t{0}, __ATOMIC_RELAXED);
  const std::uint64_t now = ticks_now();
  const SpanRef& ref = span.ref_;
  if (ref.key_generation != process.key_generation.load(std::memory_order_relaxed)) [[unlikely]]
    return;  // the parent process's span
  const Entry entry;
  SlotState* s = entry.state();
  bool lost = false;
  ring::SpanSlot* slot = open_slot(ref, lost);
  // Another thread is adding to it just now: a few hundred ns, or it was suspended there. Not waited for without bound.
  for (int tries = 0; lost && tries < 1'000; ++tries) slot = open_slot(ref, lost);
  if (s == nullptr) [[unlikely]] {
    if (slot != nullptr) give_span_slot(nullptr, slot);
    return count_unplaced(entry, ring::RecordClass::kept_span);
  }
  if (slot != nullptr) [[likely]]
    return publish_from_slot(*s, *slot, at_unix_ns, now);
  ring::SpanRecord record{};
  fill_record(record, ref, span.parent_, span.name_, span.scope_, span.kind_);
  record.start = span.start_ != 0 ? span.start_ : now;
  record.status = __atomic_load_n(&span.status_, __ATOMIC_RELAXED);
  if ((ref.flags & kRefWallStart) != 0) record.header.flags |= ring::kFlagWallTimes;
  if (lost) publish_from_held_slot(*s, *static_cast<ring::SpanSlot*>(ref.slot), record, at_unix_ns, now);
  else publish_without_slot(*s, record, at_unix_ns, now);
}

}  // namespace internal

Span Tracer::start(const SpanName& name, Attributes attributes, const SpanOptions* options) const noexcept {
  Span span;
  bool complete;
  {
    const internal::Entry entry;
    complete = internal::SpanAccess::start(span, entry, *scope_, scope_id_, name, attributes, options);
  }
  if (!complete) [[unlikely]]
    internal::SpanAccess::complete(span, attributes, options);
  return span;
}

void Span::finish(Timestamp at) noexcept { internal::SpanAccess::finish(*this, at.unix_ns); }

ScopedSpan::ScopedSpan(const Scope& scope, std::uint32_t& scope_id, const SpanName& name, Attributes attributes,
                       const SpanOptions* options) noexcept {
  bool complete;
  {
    const internal::Entry entry;
    complete = internal::SpanAccess::start(span_, entry, scope, scope_id, name, attributes, options);
    if ((span_.ref_.flags & internal::kRefValid) == 0) return;
    internal::Thread& t = entry.current_thread();
    previous_ = t.current;
    t.current.span = span_.ref_;
    t.current.trace_state = span_.trace_state_;
    // A parent is a context: its baggage is in force with it.
    if (options != nullptr && options->parent != nullptr)
      t.current.baggage = internal::ContextAccess::shared(options->parent->baggage());
    if (t.current.trace_state != nullptr || t.current.baggage != nullptr) [[unlikely]]
      internal::acquire(t.current);
    owner_ = internal::execution_unit(t);
    active_ = true;
  }
  if (!complete) [[unlikely]]
    internal::SpanAccess::complete(span_, attributes, options);
  if (internal::exceptions_mark_spans) exceptions_ = std::uncaught_exceptions();
}

void ScopedSpan::leave() noexcept {
  if (internal::exceptions_mark_spans && std::uncaught_exceptions() > exceptions_) [[unlikely]]
    span_.set_status(SpanStatus::error, "left by an exception");
  span_.end();
  internal::leave(previous_, owner_);
}

}  // namespace honeylink::telemetry
