// Starts and ends spans. A span's record is made in its slot at the start and copied whole into the thread's chunk at the end
// (API.md, decision 7); the two clock reads are most of the cost.
#include <cstring>
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

struct Parent {
  SpanRef ref;
  const Shared* trace_state = nullptr;  // borrowed
};

Parent parent_of(const Thread& t, const SpanOptions* options) noexcept {
  if (options != nullptr && options->new_root) return {};
  Parent parent;
  if (options != nullptr && options->parent != nullptr) {
    parent.ref = ref_of(options->parent->span());
    parent.trace_state = ContextAccess::shared(options->parent->span().trace_state());
  } else {
    parent.ref = t.current.span;
    parent.trace_state = t.current.trace_state;
  }
  if ((parent.ref.flags & kRefValid) == 0) return {};
  make_foreign_if_older(parent.ref);
  return parent;
}

// Trace, span and the decision whether the trace is kept.
void identify(SpanRef& ref, const Parent& parent, SlotState& s) noexcept {
  const std::uint64_t id = next_id(s);
  ref.span = id;
  ref.key_generation = static_cast<std::uint16_t>(process.key_generation.load(std::memory_order_relaxed));
  const bool has_parent = (parent.ref.flags & kRefValid) != 0;
  if (has_parent) {
    ref.trace_hi = parent.ref.trace_hi;
    ref.trace_lo = parent.ref.trace_lo;
    ref.flags = static_cast<std::uint16_t>(kRefValid | (parent.ref.flags & (kRefTraceForeign | kRefRandom)));
  } else {
    ref.trace_lo = id;
    ref.flags = kRefValid | kRefRandom;
  }
  const bool kept = has_parent && sampling.follows_parent ? (parent.ref.flags & kRefKept) != 0 : keeps_trace(ref);
  if (kept) ref.flags |= kRefKept;
  if (has_parent) ref.flags |= kRefHasParent;
  if ((parent.ref.flags & kRefSpanForeign) != 0) ref.flags |= kRefParentForeign;
}

ring::SpanRecord make_record(const SpanRef& ref, std::uint64_t parent, std::uint32_t name, std::uint16_t scope, SpanKind kind) noexcept {
  ring::SpanRecord record{};
  record.header = {sizeof record, ring::RecordType::span, 0, name};
  unsigned flags = 0;
  if ((ref.flags & kRefKept) != 0) flags |= ring::kFlagKept;
  if ((ref.flags & kRefTraceForeign) != 0) flags |= ring::kFlagTraceForeign;
  if ((ref.flags & kRefHasParent) != 0) flags |= ring::kFlagHasParent;
  if ((ref.flags & kRefParentForeign) != 0) flags |= ring::kFlagParentForeign;
  record.header.flags = static_cast<std::uint8_t>(flags);
  record.parent = parent;
  record.trace_hi = ref.trace_hi;
  record.trace_lo = ref.trace_lo;
  record.span = ref.span;
  record.scope = scope;
  record.kind = static_cast<std::uint8_t>(kind);
  return record;
}

// A caller's own times are Unix ns: then both ends are.
void use_wall_times(ring::SpanRecord& record, std::int64_t end_unix_ns, std::uint64_t now) noexcept {
  const ring::ClockSource source = ticks_are_tsc ? ring::ClockSource::tsc : ring::ClockSource::monotonic_ns;
  const Ring* ring = process.current.load(std::memory_order_acquire);
  const ring::TickScale scale(source, ring->map.header().created, ring::read_clocks(source));
  if ((record.header.flags & ring::kFlagWallTimes) == 0) record.start = static_cast<std::uint64_t>(scale.unix_ns(record.start));
  record.header.flags |= ring::kFlagWallTimes;
  record.end = static_cast<std::uint64_t>(end_unix_ns != 0 ? end_unix_ns : scale.unix_ns(now));
  if (record.end < record.start) record.end = record.start;
}

std::uint32_t name_id(const SpanName& name) noexcept {
  if (name.size() > kNameBytesMax) [[unlikely]] count(ProcessCounter::name_cut);
  return intern(name, NameKind::name);
}

void publish(SlotState& s, std::uint32_t bytes, ring::RecordClass record_class) noexcept {
  s.writer.publish(bytes, record_class);
  after_publication(s);
  if (s.writer.switches() != s.switches_seen) [[unlikely]] after_switch(s);
}

// The finished record of a span that had a slot. The slot says where its record goes before the record is there, so that a kill in
// between neither loses the span nor stores it twice (docs/models/span_slots.pml).
void publish_from_slot(SlotState& s, ring::SpanSlot& slot, const ring::SpanRecord& record, std::uint32_t bytes) noexcept {
  const bool kept = (record.header.flags & ring::kFlagKept) != 0;
  const ring::RecordClass record_class = kept ? ring::RecordClass::kept_span : ring::RecordClass::unsampled_span;
  std::uint8_t* at = s.writer.reserve(bytes, record_class);
  if (at == nullptr) return give_span_slot(&s, &slot);
  copy_span(slot, at);
  std::memcpy(at, &record, sizeof record);
  slot.ending_at.store((std::uint64_t{s.slot + 1U} << 48) | s.writer.next_ordinal(), std::memory_order_relaxed);
  slot.state.store(kEnding, std::memory_order_release);
  publish(s, bytes, record_class);
  give_span_slot(&s, &slot);
}

}  // namespace

void SpanAccess::start(Span& span, const Entry& entry, const Scope& scope, std::uint32_t& cached_scope, const SpanName& name,
                       Attributes attributes, const SpanOptions* options) noexcept {
  SlotState* s = entry.state();
  if (s == nullptr) [[unlikely]] return count_unplaced(entry, ring::RecordClass::kept_span);
  const Parent parent = parent_of(entry.current_thread(), options);
  SpanRef& ref = span.ref_;
  identify(ref, parent, *s);
  if (parent.trace_state != nullptr) [[unlikely]] {
    shared_acquire(parent.trace_state);
    span.trace_state_ = parent.trace_state;
  }
  if ((ref.flags & kRefKept) == 0 && !sampling.record_all) return;  // its ids travel, nothing is recorded
  const std::uint32_t id = name_id(name);
  if (id >= kUnknownName) [[unlikely]] return;
  const SpanKind kind = options != nullptr ? options->kind : SpanKind::internal;
  const std::uint16_t scope_number = scope_id(scope, cached_scope);
  make_recording(span, 0, id, scope_number, kind);
  span.parent_ = parent.ref.span;
  ring::SpanSlot* slot = take_span_slot(*s);
  const bool given_start = options != nullptr && options->start.unix_ns != 0;
  if (slot == nullptr) [[unlikely]] {
    count(ProcessCounter::span_without_slot);
    span.start_ = ticks_now();
    return;
  }
  ring::SpanRecord record = make_record(ref, parent.ref.span, id, scope_number, kind);
  const std::uint32_t bytes = items_bytes(attributes.begin(), attributes.size());
  std::uint8_t* end = slot->bytes + sizeof record;
  if (bytes <= kSpanSlotRoom - sizeof record) [[likely]]
    end = write_items(end, attributes.begin(), attributes.size(), record.items, record.dropped_attributes);
  if (given_start) record.header.flags |= ring::kFlagWallTimes;
  record.start = given_start ? static_cast<std::uint64_t>(options->start.unix_ns) : ticks_now();
  span.start_ = record.start;
  std::memcpy(slot->bytes, &record, sizeof record);
  slot->used.store(static_cast<std::uint32_t>(end - slot->bytes), std::memory_order_relaxed);
  slot->ending_at.store(0, std::memory_order_relaxed);
  slot->state.store(kOpen, std::memory_order_release);
  ref.slot = slot;
  if (bytes > kSpanSlotRoom - sizeof record) [[unlikely]] span.set_attributes(attributes);
  if (options != nullptr && options->links.size() != 0) [[unlikely]]
    for (const Link& link : options->links) span.add_link(link.to, link.attributes);
}

void SpanAccess::finish(Span& span, std::int64_t at_unix_ns) noexcept {
  if (!take_recording(span)) return;
  const std::uint64_t now = ticks_now();
  const SpanRef& ref = span.ref_;
  const Entry entry;
  SlotState* s = entry.state();
  if (ref.key_generation != process.key_generation.load(std::memory_order_relaxed)) return;  // the parent process's span
  bool lost = false;
  ring::SpanSlot* slot = open_slot(ref, lost);
  ring::SpanRecord record;
  std::uint32_t bytes = sizeof record;
  if (slot != nullptr) [[likely]] {
    std::memcpy(&record, slot->bytes, sizeof record);
    bytes = (span_bytes(*slot) + 7U) & ~7U;
  } else {
    record = make_record(ref, span.parent_, span.name_, span.scope_, span.kind_);
    record.header.flags |= ring::kFlagNoSlot;
    record.status = span.status_;
    record.start = span.start_;
  }
  if (s == nullptr) [[unlikely]] {
    if (slot != nullptr) give_span_slot(nullptr, slot);
    return count_unplaced(entry, ring::RecordClass::kept_span);
  }
  record.end = now;
  if (at_unix_ns != 0 || (record.header.flags & ring::kFlagWallTimes) != 0) [[unlikely]]
    use_wall_times(record, at_unix_ns, now);
  record.header.bytes = static_cast<std::uint16_t>(bytes);
  if (slot != nullptr) [[likely]] return publish_from_slot(*s, *slot, record, bytes);
  const bool kept = (record.header.flags & ring::kFlagKept) != 0;
  const ring::RecordClass record_class = kept ? ring::RecordClass::kept_span : ring::RecordClass::unsampled_span;
  std::uint8_t* at = s->writer.reserve(bytes, record_class);
  if (at == nullptr) return;
  std::memcpy(at, &record, sizeof record);
  publish(*s, bytes, record_class);
}

}  // namespace internal

Span Tracer::start(const SpanName& name, Attributes attributes, const SpanOptions* options) const noexcept {
  Span span;
  const internal::Entry entry;
  internal::SpanAccess::start(span, entry, *scope_, scope_id_, name, attributes, options);
  return span;
}

void Span::finish(Timestamp at) noexcept { internal::SpanAccess::finish(*this, at.unix_ns); }

ScopedSpan::ScopedSpan(const Scope& scope, std::uint32_t& scope_id, const SpanName& name, Attributes attributes,
                       const SpanOptions* options) noexcept {
  const internal::Entry entry;
  internal::SpanAccess::start(span_, entry, scope, scope_id, name, attributes, options);
  if ((span_.ref_.flags & internal::kRefValid) == 0) return;
  internal::Thread& t = entry.current_thread();
  internal::Frame frame{span_.ref_, span_.trace_state_, t.current.baggage};
  if (frame.trace_state != nullptr || frame.baggage != nullptr) [[unlikely]] internal::acquire(frame);
  previous_ = std::exchange(t.current, frame);
  owner_ = internal::execution_unit(t);
  active_ = true;
  if (internal::exceptions_mark_spans) exceptions_ = std::uncaught_exceptions();
}

void ScopedSpan::leave() noexcept {
  if (internal::exceptions_mark_spans && std::uncaught_exceptions() > exceptions_) [[unlikely]] span_.set_status(SpanStatus::error, "left by an exception");
  span_.end();
  internal::leave(previous_, owner_);
}

}  // namespace honeylink::telemetry
