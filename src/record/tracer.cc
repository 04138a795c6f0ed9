// Starts spans. A span's record is made in its slot at the start and copied whole into the thread's chunk at the end
// (API.md, decision 7; span_end.cc); the two clock reads are most of the cost. The usual call is start_plain(), written
// so that nothing is called and nothing is spilled; all else is start().
#include <cxxabi.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <new>

#include "honeylink/trace.h"
#include "record/count.h"
#include "record/frame_ops.h"
#include "record/identity.h"
#include "record/items_writer.h"
#include "record/names.h"
#include "record/plain_items.h"
#include "record/sampler.h"
#include "record/shared.h"
#include "record/span_access.h"
#include "record/span_slots.h"
#include "record/ticks.h"
#include "ring/layout.h"

namespace honeylink::telemetry {
namespace internal {

constinit bool exceptions_mark_spans = true;

namespace {

constexpr auto kOpen = static_cast<std::uint32_t>(ring::SpanSlotState::open);

struct Parent {
  const SpanRef* ref;         // never null
  const Shared* trace_state;  // borrowed
};
constexpr SpanRef kNoParent{};

// What the caller names as the parent, or the current one; `room` holds a converted ref.
[[gnu::noinline]] Parent parent_of(const Thread& t, const SpanOptions* options, SpanRef& room) noexcept {
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

static_assert(kRefSpanForeign == kRefParentForeign << 2U);
inline unsigned child_flags(const SpanRef& parent) noexcept {
  return sampling.child_flags | (parent.flags & sampling.inherited) | ((parent.flags & kRefSpanForeign) >> 2U);
}

// Trace, span and the decision whether the trace is kept.
inline void identify(SlotState& s, SpanRef& ref, const SpanRef& parent) noexcept {
  const std::uint64_t id = next_id(s);
  unsigned flags = sampling.root_flags;
  bool asks_id = sampling.root_asks_id;
  ref.trace_lo = id;
  if ((parent.flags & kRefValid) != 0) {
    ref.trace_hi = parent.trace_hi;
    ref.trace_lo = parent.trace_lo;
    flags = child_flags(parent);
    asks_id = sampling.child_asks_id;
  }
  ref.span = id;
  ref.flags = static_cast<std::uint16_t>(flags);
  ref.key_generation = static_cast<std::uint16_t>(process.key_generation.load(std::memory_order_relaxed));
  if (!asks_id) return;
  if (keeps_trace(ref)) ref.flags |= kRefKept;
  if ((parent.flags & kRefValid) == 0) decide_ahead(s, id + 1, ref.key_generation);
}

static_assert(kRefKept == ring::kFlagKept && kRefTraceForeign == ring::kFlagTraceForeign &&
              kRefParentForeign == ring::kFlagParentForeign && kRefHasParent == ring::kFlagHasParent);
inline std::uint8_t record_flags(const SpanRef& ref) noexcept { return static_cast<std::uint8_t>(ref.flags & 15U); }

// A span's head in eight words: stores as wide as end() reads them.
inline void write_head(ring::SpanRecord& record, const SpanRef& ref, std::uint64_t parent, std::uint64_t name,
                       std::uint64_t flags, std::uint64_t start, std::uint64_t tail) noexcept {
  const std::uint64_t head =
      sizeof record | static_cast<std::uint64_t>(ring::RecordType::span) << 16U | flags << 24U | name << 32U;
  static_assert(offsetof(ring::SpanRecord, start) == 8 && offsetof(ring::SpanRecord, scope) == 56);
  std::memcpy(&record.header, &head, sizeof head);
  record.start = start;
  record.end = 0;
  record.trace_hi = ref.trace_hi;
  record.trace_lo = ref.trace_lo;
  record.span = ref.span;
  record.parent = parent;
  std::memcpy(&record.scope, &tail, sizeof tail);
}
constexpr std::uint64_t head_tail(std::uint16_t scope, SpanKind kind, std::uint64_t items,
                                  std::uint8_t dropped) noexcept {
  static_assert(std::endian::native == std::endian::little);
  return scope | static_cast<std::uint64_t>(kind) << 16U | items << 32U | std::uint64_t{dropped} << 48U;
}

// std::uncaught_exceptions() without two calls: the C++ ABI gives each thread one block of this shape for its life
// (Itanium C++ ABI, 2.2.2).
struct EhGlobals {
  void* caught;
  unsigned uncaught;
};
inline int exceptions_in_flight(Thread& t) noexcept {
  if (t.uncaught == nullptr) [[unlikely]]
    t.uncaught = &reinterpret_cast<const EhGlobals*>(abi::__cxa_get_globals())->uncaught;
  return static_cast<int>(*t.uncaught);
}

}  // namespace

// The usual start: a current span of this process or none, no options, plain attributes, a slot at hand. False: nothing
// was done, start() is to do it.
[[gnu::always_inline]] inline bool SpanAccess::start_plain(Span& span, Thread& t, std::uint32_t cached_scope,
                                                           const SpanName& name, Attributes attributes) noexcept {
  if (!enter_recorder(t)) [[unlikely]]
    return false;
  SlotState& s = *t.state;
  const SpanRef& parent = t.current.span;
  const std::uint32_t generation = process.key_generation.load(std::memory_order_relaxed);
  const std::uint32_t free = s.free_count, id = find_name_at_home(name.word());
  const bool is_child = (parent.flags & kRefValid) != 0;
  unsigned flags = is_child ? child_flags(parent) : unsigned{sampling.root_flags};
  bool asks_id = is_child ? sampling.child_asks_id : sampling.root_asks_id;
  if (asks_id && !is_child) {
    const int kept = decided_ahead(s, s.next_id, generation);
    asks_id = kept < 0;
    if (kept > 0) flags |= kRefKept;
  }
  bool done = false;
  if (parent.key_generation == generation && t.current.trace_state == nullptr && free != 0 && id < kUnusualName &&
      cached_scope != 0 && !asks_id && s.next_id != s.end_id && ((flags & kRefKept) != 0 || sampling.record_all))
      [[likely]] {
    ring::SpanSlot& slot = *s.free_slots[free - 1];
    const std::uint8_t* const end = write_plain_items(slot.bytes + sizeof(ring::SpanRecord), slot.bytes + kSpanSlotRoom,
                                                      attributes.begin(), attributes.size());
    if (end != nullptr) [[likely]] {
      s.free_count = free - 1;
      SpanRef& ref = span.ref_;
      ref.span = s.next_id++;
      ref.trace_lo = is_child ? parent.trace_lo : ref.span;
      ref.trace_hi = parent.trace_hi;  // 0 where there is none, as its span
      ref.slot = &slot;
      ref.flags = static_cast<std::uint16_t>(flags);
      ref.key_generation = static_cast<std::uint16_t>(generation);
      span.recording_ = 1;
      slot.used.store(static_cast<std::uint32_t>(end - slot.bytes), std::memory_order_relaxed);
      write_head(span_record(slot), ref, parent.span, id, record_flags(ref), ticks_now(),
                 head_tail(static_cast<std::uint16_t>(cached_scope), SpanKind::internal, attributes.size(), 0));
      slot.state.store(kOpen, std::memory_order_release);
      done = true;
    }
  }
  leave_recorder(t);
  return done;
}

// Answers how many of the attributes are left to complete().
std::size_t SpanAccess::start(Span& span, SlotState& s, Thread& t, const Scope& scope, std::uint32_t& cached_scope,
                              const SpanName& name, Attributes attributes, const SpanOptions* options) noexcept {
  SpanRef room;
  const Parent parent = parent_of(t, options, room);
  SpanRef& ref = span.ref_;
  identify(s, ref, *parent.ref);
  if (parent.trace_state != nullptr) shared_acquire(parent.trace_state);
  span.trace_state_ = parent.trace_state;
  if ((ref.flags & kRefKept) == 0 && !sampling.record_all) return 0;  // its ids travel, nothing is recorded
  const std::uint32_t id = intern(name, NameKind::name);
  if (id >= kUnknownName) return 0;
  const SpanKind kind = options != nullptr ? options->kind : SpanKind::internal;
  const std::int64_t given_start = options != nullptr ? options->start.unix_ns : 0;
  const std::uint16_t scope_number = scope_id(scope, cached_scope);
  span.recording_ = 1;
  ring::SpanSlot* slot = take_span_slot(s);
  if (slot == nullptr) return start_without_slot(span, id, scope_number, kind, parent.ref->span, given_start), 0;
  const WrittenItems items = write_items(slot->bytes + sizeof(ring::SpanRecord), slot->bytes + kSpanSlotRoom,
                                         attributes.begin(), attributes.size());
  const std::uint8_t dropped = items.left_out != 0 ? count_left_out(items.left_out) : std::uint8_t{0};
  slot->used.store(static_cast<std::uint32_t>(items.end - slot->bytes), std::memory_order_relaxed);
  ref.slot = slot;
  const unsigned wall = given_start != 0 ? ring::kFlagWallTimes : 0U;
  write_head(span_record(*slot), ref, parent.ref->span, id, record_flags(ref) | wall,
             given_start != 0 ? static_cast<std::uint64_t>(given_start) : ticks_now(),
             head_tail(scope_number, kind, items.items, dropped));
  slot->state.store(kOpen, std::memory_order_release);
  return items.rest;
}

// All that is recorded then is what the Span itself holds.
void SpanAccess::start_without_slot(Span& span, std::uint32_t name, std::uint16_t scope, SpanKind kind,
                                    std::uint64_t parent, std::int64_t given_start) noexcept {
  count(ProcessCounter::span_without_slot);
  span.name_ = name;
  span.scope_ = scope;
  span.kind_ = kind;
  span.parent_ = parent;
  span.start_ = given_start != 0 ? static_cast<std::uint64_t>(given_start) : ticks_now();
  if (given_start != 0) span.ref_.flags |= kRefWallStart;
}

// What did not fit into the first slot, and links: through the same door as later annotations. Outside the recorder's
// own entry.
void SpanAccess::complete(const Span& span, Attributes attributes, std::size_t rest,
                          const SpanOptions* options) noexcept {
  const std::size_t taken = std::min(attributes.size(), kItemsPerRecordMax);
  for (std::size_t i = taken - rest; i < taken; ++i)
    span.set_attribute(attributes.begin()[i].key, attributes.begin()[i].value);
  if (options == nullptr) return;
  for (const Link& link : options->links) span.add_link(link.to, link.attributes);
}

}  // namespace internal

void Tracer::start_slow(Span& span, const SpanName& name, Attributes attributes,
                        const SpanOptions* options) const noexcept {
  std::size_t rest = 0;
  {
    const internal::Entry entry;
    internal::SlotState* s = entry.state();
    if (s == nullptr) return internal::count_unplaced(entry.nested(), ring::RecordClass::kept_span);
    rest = internal::SpanAccess::start(span, *s, entry.current_thread(), *scope_, scope_id_, name, attributes, options);
  }
  if (options != nullptr || rest != 0) internal::SpanAccess::complete(span, attributes, rest, options);
}

Span Tracer::start(const SpanName& name, Attributes attributes) const noexcept {
  Span span;
  if (!internal::SpanAccess::start_plain(span, internal::thread, __atomic_load_n(&scope_id_, __ATOMIC_RELAXED), name,
                                         attributes)) [[unlikely]]
    start_slow(span, name, attributes, nullptr);
  return span;
}

Span Tracer::start(const SpanName& name, Attributes attributes, const SpanOptions& options) const noexcept {
  Span span;
  start_slow(span, name, attributes, &options);
  return span;
}

ScopedSpan::ScopedSpan(const Tracer& tracer, const SpanName& name, Attributes attributes,
                       const SpanOptions* options) noexcept {
  internal::Thread& t = internal::thread;
  if (options != nullptr || !internal::SpanAccess::start_plain(
                                span_, t, __atomic_load_n(&tracer.scope_id_, __ATOMIC_RELAXED), name, attributes))
      [[unlikely]]
    tracer.start_slow(span_, name, attributes, options);
  if ((span_.ref_.flags & internal::kRefValid) == 0) [[unlikely]]
    return;
  std::memcpy(previous_, &t.current, sizeof previous_);
  t.current.span = span_.ref_;
  t.current.trace_state = span_.trace_state_;
  // A parent is a context: its baggage is in force with it.
  if (options != nullptr && options->parent != nullptr) [[unlikely]]
    t.current.baggage = internal::ContextAccess::shared(options->parent->baggage());
  if (t.current.trace_state != nullptr || t.current.baggage != nullptr) [[unlikely]]
    internal::acquire(t.current);
  owner_ = internal::execution_unit(t);
  active_ = true;
  if (internal::exceptions_mark_spans) exceptions_ = internal::exceptions_in_flight(t);
}

void ScopedSpan::leave() noexcept {
  if (internal::exceptions_mark_spans && internal::exceptions_in_flight(internal::thread) > exceptions_) [[unlikely]]
    span_.set_status(SpanStatus::error, "left by an exception");
  span_.end();
  internal::leave(*std::launder(reinterpret_cast<internal::Frame*>(previous_)), owner_);
}

}  // namespace honeylink::telemetry
