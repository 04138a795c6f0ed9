// Starts spans. A span's record is made in its slot at the start and copied whole into the thread's chunk at the end
// (API.md, decision 7; span_end.cc); the two clock reads are most of the cost. The usual call is start_usual(), written
// so that nothing is called and nothing is spilled; all else is start().
#include <cxxabi.h>

#include <algorithm>
#include <bit>
#include <climits>
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

bool starts_usually() noexcept { return ticks_are_tsc && sampling.all_recorded; }

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
inline unsigned child_flags(unsigned parent) noexcept {
  return sampling.child_flags | (parent & sampling.inherited) | ((parent & kRefSpanForeign) >> 2U);
}

// The flags of what is current if that is nothing, or a span under today's keys and without a trace state. Else more
// than kUsualFlags.
constexpr unsigned kUsualFlags = kRefWithState - 1;
inline unsigned flags_if_usual(const SpanRef& current) noexcept {
  static_assert(offsetof(SpanRef, key_generation) == offsetof(SpanRef, flags) + 2 && kRefWithState == 0x8000);
  std::uint32_t both;
  std::memcpy(&both, &current.flags, sizeof both);
  return both ^ process.key_generation.load(std::memory_order_relaxed) << 16U;
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
    flags = child_flags(parent.flags);
    asks_id = sampling.child_asks_id;
  }
  ref.span = id;
  ref.flags = static_cast<std::uint16_t>(flags);
  ref.key_generation = static_cast<std::uint16_t>(process.key_generation.load(std::memory_order_relaxed));
  if (asks_id && ((parent.flags & kRefValid) != 0 ? keeps_trace(ref) : keeps_root(s, id, ref.key_generation)))
    ref.flags |= kRefKept;
}

static_assert(kRefKept == ring::kFlagKept && kRefTraceForeign == ring::kFlagTraceForeign &&
              kRefParentForeign == ring::kFlagParentForeign && kRefHasParent == ring::kFlagHasParent);
constexpr unsigned record_flags(unsigned flags) noexcept { return flags & 15U; }

// Flags, generation and that it is recording, by one store: it is read so.
inline void write_marks(SpanRef& ref, std::uint64_t flags, std::uint64_t generation) noexcept {
  static_assert(std::endian::native == std::endian::little && offsetof(SpanRef, flags) == 32 &&
                offsetof(SpanRef, key_generation) == 34 && offsetof(SpanRef, alive) == 36);
  const std::uint64_t marks = flags | generation << 16U | std::uint64_t{1} << 32U;
  std::memcpy(reinterpret_cast<std::uint8_t*>(&ref) + offsetof(SpanRef, flags), &marks, sizeof marks);
}

// A span's head in eight words: stores as wide as end() reads them.
inline void write_head(ring::SpanRecord& record, std::uint64_t bytes, const SpanRef& ref, std::uint64_t parent,
                       std::uint64_t name, std::uint64_t flags, std::uint64_t start, std::uint64_t tail) noexcept {
  const std::uint64_t head =
      bytes | static_cast<std::uint64_t>(ring::RecordType::span) << 16U | flags << 24U | name << 32U;
  static_assert(offsetof(ring::SpanRecord, start) == 8 && offsetof(ring::SpanRecord, scope) == 56);
  std::memcpy(&record.header, &head, sizeof head);
  record.start = start;  // whoever takes it for open sees no end in it
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
// was done, start() is to do it. What is recorded goes into the slot, the rest into `ref`. Nothing is called, and what
// is needed last is looked up last: so little need be saved.
template <Clock kClock>
[[gnu::always_inline]] inline bool SpanAccess::start_usual(SpanRef& ref, const std::uint32_t& cached_scope,
                                                           SpanName name, Attributes attributes) noexcept {
  Thread& t = thread;
  if (!enter_recorder(t)) [[unlikely]]
    return false;
  const SlotState* const before = t.state;
  if (before == nullptr) [[unlikely]]  // a handler forked behind the gate: this is the child
    return leave_recorder(t), false;
  ring::SpanSlot* const free = before->free_top[-1];
  if (free == nullptr) [[unlikely]]
    return leave_recorder(t), false;
  static_assert(kSpanSlotRoom - sizeof(ring::SpanRecord) <= kPlainRoomMax);
  const std::uint8_t* const end =
      write_plain_items(free->bytes + sizeof(ring::SpanRecord), free->bytes + kSpanSlotRoom - kPlainItemSlack,
                        attributes.begin(), attributes.size());
  if (end == nullptr) [[unlikely]]
    return leave_recorder(t), false;
  // Loaded again: two loads cost less than keeping them meanwhile, which takes two stores.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  SlotState* const state = t.state;
  if (state == nullptr) [[unlikely]]
    return leave_recorder(t), false;
  SlotState& s = *state;
  ring::SpanSlot* const slot = s.free_top[-1];
  const NameEntry& named = home_of_name(name.word());
  if (named.word.load(std::memory_order_acquire) != name.word()) [[unlikely]]
    return leave_recorder(t), false;
  const std::uint32_t name_id = named.id, scope = __atomic_load_n(&cached_scope, __ATOMIC_RELAXED);
  const SpanRef& parent = t.current.span;
  const unsigned seen = flags_if_usual(parent);
  const bool is_child = (seen & kRefValid) != 0;
  unsigned flags = is_child ? child_flags(seen) : unsigned{sampling.root_flags};
  if (seen > kUsualFlags || scope == 0 || s.next_id == s.end_id) [[unlikely]]
    return leave_recorder(t), false;
  if (is_child ? sampling.child_asks_id : sampling.root_asks_id) [[unlikely]] {
    if (is_child) return leave_recorder(t), false;
    if (keeps_root(s, s.next_id, parent.key_generation)) flags |= kRefKept;
  }
  --s.free_top;
  ref.span = s.next_id++;
  ref.trace_lo = is_child ? parent.trace_lo : ref.span;
  ref.trace_hi = parent.trace_hi;  // 0 where there is none, as its span
  ref.slot = slot;
  write_marks(ref, flags, parent.key_generation);
  const auto used = static_cast<std::uint32_t>(end - slot->bytes);
  slot->extent.store(used, std::memory_order_relaxed);
  write_head(span_record(*slot), record_bytes(used), ref, parent.span, name_id, record_flags(flags),
             read_clock<kClock>(),
             head_tail(static_cast<std::uint16_t>(scope), SpanKind::internal, attributes.size(), 0));
  slot->word.store(kSlotOpen, std::memory_order_release);
  leave_recorder(t);
  return true;
}

// A span that is not kept where only those are recorded: its ids travel. False: nothing was done, it is kept, or it is
// not so simple.
bool SpanAccess::start_unrecorded(SpanRef& ref) noexcept {
  Thread& t = thread;
  if (!enter_recorder(t)) return false;
  SlotState* const state = t.state;
  if (state == nullptr) return leave_recorder(t), false;
  SlotState& s = *state;
  const SpanRef& parent = t.current.span;
  const unsigned seen = flags_if_usual(parent);
  const bool is_child = (seen & kRefValid) != 0;
  const unsigned flags = is_child ? child_flags(seen) : unsigned{sampling.root_flags};
  const bool is_usual = seen <= kUsualFlags && s.next_id != s.end_id && !(is_child && sampling.child_asks_id);
  if (!is_usual || (flags & kRefKept) != 0 ||
      (!is_child && sampling.root_asks_id && keeps_root(s, s.next_id, parent.key_generation)))
    return leave_recorder(t), false;
  ref.span = s.next_id++;
  ref.trace_lo = is_child ? parent.trace_lo : ref.span;
  ref.trace_hi = parent.trace_hi;
  ref.flags = static_cast<std::uint16_t>(flags);
  ref.key_generation = parent.key_generation;
  leave_recorder(t);
  return true;
}

// Answers how many of the attributes are left to complete().
std::size_t SpanAccess::start(Span& span, SlotState& s, Thread& t, const Scope& scope, std::uint32_t& cached_scope,
                              const SpanName& name, Attributes attributes, const SpanOptions* options) noexcept {
  renew_if_empty(t);
  SpanRef room;
  const Parent parent = parent_of(t, options, room);
  SpanRef& ref = span.ref_;
  identify(s, ref, *parent.ref);
  if (parent.trace_state != nullptr) shared_acquire(parent.trace_state);
  span.hold_trace_state(parent.trace_state);
  if ((ref.flags & kRefKept) == 0 && !sampling.record_all) return 0;  // its ids travel, nothing is recorded
  const std::uint32_t id = intern(name, NameKind::name);
  if (id >= kUnknownName) return 0;
  const SpanKind kind = options != nullptr ? options->kind : SpanKind::internal;
  const std::int64_t given_start = options != nullptr ? options->start.unix_ns : 0;
  const std::uint16_t scope_number = scope_id(scope, cached_scope);
  ref.alive[0] = 1;
  ring::SpanSlot* slot = take_span_slot(s);
  if (slot == nullptr) return start_without_slot(span, id, scope_number, kind, parent.ref->span, given_start), 0;
  const WrittenItems items = write_items(slot->bytes + sizeof(ring::SpanRecord), slot->bytes + kSpanSlotRoom,
                                         attributes.begin(), attributes.size());
  const std::uint8_t dropped = items.left_out != 0 ? count_left_out(items.left_out) : std::uint8_t{0};
  slot->extent.store(static_cast<std::uint32_t>(items.end - slot->bytes), std::memory_order_relaxed);
  ref.slot = slot;
  if (given_start != 0) ref.flags |= kRefWallStart;
  const unsigned wall = given_start != 0 ? ring::kFlagWallTimes : 0U;
  write_head(span_record(*slot), record_bytes(span_bytes(*slot)), ref, parent.ref->span, id,
             record_flags(ref.flags) | wall, given_start != 0 ? static_cast<std::uint64_t>(given_start) : ticks_now(),
             head_tail(scope_number, kind, items.items, dropped));
  slot->word.store(kSlotOpen, std::memory_order_release);
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

Span Tracer::start(SpanName name, Attributes attributes) const noexcept {
  if (!internal::starts_usually()) [[unlikely]]
    return start_otherwise(name, attributes);
  internal::SpanRef ref;
  if (!internal::SpanAccess::start_usual<internal::Clock::tsc>(ref, scope_id_, name, attributes)) [[unlikely]]
    return start_whole(name, attributes, nullptr);
  return Span(ref);
}

Span Tracer::start_otherwise(SpanName name, Attributes attributes) const noexcept {
  internal::SpanRef ref;
  if (!internal::sampling.all_recorded && internal::SpanAccess::start_unrecorded(ref)) return Span(ref);
  const bool started =
      internal::ticks_are_tsc
          ? internal::SpanAccess::start_usual<internal::Clock::tsc>(ref, scope_id_, name, attributes)
          : internal::SpanAccess::start_usual<internal::Clock::monotonic>(ref, scope_id_, name, attributes);
  if (started) return Span(ref);
  return start_whole(name, attributes, nullptr);
}

Span Tracer::start(SpanName name, Attributes attributes, const SpanOptions& options) const noexcept {
  return start_whole(name, attributes, &options);
}

Span Tracer::start_whole(SpanName name, Attributes attributes, const SpanOptions* options) const noexcept {
  Span span;
  std::size_t rest = 0;
  {
    const internal::Entry entry;
    internal::SlotState* s = entry.state();
    if (s != nullptr)
      rest =
          internal::SpanAccess::start(span, *s, entry.current_thread(), *scope_, scope_id_, name, attributes, options);
    else internal::count_unplaced(entry.nested(), ring::RecordClass::kept_span);
  }
  if (options != nullptr || rest != 0) internal::SpanAccess::complete(span, attributes, rest, options);
  return span;
}

[[gnu::always_inline]] inline Span Tracer::start_or_not(SpanName name, Attributes attributes) const noexcept {
  internal::SpanRef ref;
  if (!internal::starts_usually() ||
      !internal::SpanAccess::start_usual<internal::Clock::tsc>(ref, scope_id_, name, attributes)) [[unlikely]]
    return Span(Span::Off{});
  return Span(ref);
}

ScopedSpan::ScopedSpan(const Tracer& tracer, SpanName name, Attributes attributes) noexcept
    : span_(tracer.start_or_not(name, attributes)) {
  internal::Thread& t = internal::thread;
  if (!span_.is_recording() || t.current.baggage != nullptr) [[unlikely]] {
    begin(tracer, name, attributes, nullptr);
    return;
  }
  // As enter(), but a usual span leaves the upper half of the trace and the trace state as they are.
  remember(t);
  t.current.span.trace_lo = span_.ref_.trace_lo;
  t.current.span.span = span_.ref_.span;
  t.current.span.slot = span_.ref_.slot;
  std::memcpy(&t.current.span.flags, &span_.ref_.flags, sizeof(std::uint32_t));  // with the generation: it is read so
}

ScopedSpan::ScopedSpan(const Tracer& tracer, SpanName name, Attributes attributes,
                       const SpanOptions& options) noexcept {
  begin(tracer, name, attributes, &options);
}

[[gnu::always_inline]] inline void ScopedSpan::remember(internal::Thread& t) noexcept {
  std::memcpy(previous_, &t.current, sizeof previous_);
  owner_ = internal::execution_unit(t);
  exceptions_ = internal::exceptions_mark_spans ? internal::exceptions_in_flight(t) : INT_MAX;
}

// Whatever the usual start leaves. A span that was started already is only entered.
void ScopedSpan::begin(const Tracer& tracer, SpanName name, Attributes attributes,
                       const SpanOptions* options) noexcept {
  internal::Thread& t = internal::thread;
  if (!span_.is_recording())
    span_ = options != nullptr || internal::starts_usually() ? tracer.start_whole(name, attributes, options)
                                                             : tracer.start_otherwise(name, attributes);
  if ((span_.ref_.flags & internal::kRefValid) == 0) return;
  remember(t);
  internal::enter_span(t, span_.ref_, span_.trace_state());
  // A parent is a context: its baggage is in force with it.
  if (options != nullptr && options->parent != nullptr)
    t.current.baggage = internal::ContextAccess::shared(options->parent->baggage());
  internal::acquire(t.current);
}

// What was current is so again before the span ends, which no end of a span looks at: so the end is the last thing.
void ScopedSpan::leave() noexcept {
  internal::Thread& t = internal::thread;
  if (t.uncaught == nullptr || static_cast<int>(*t.uncaught) > exceptions_ || internal::execution_unit(t) != owner_ ||
      t.current.trace_state != nullptr || t.current.baggage != nullptr) [[unlikely]]
    return leave_unusually();
  std::memcpy(&t.current, previous_, sizeof previous_);
  span_.end();
}

void ScopedSpan::leave_unusually() noexcept {
  if (internal::exceptions_in_flight(internal::thread) > exceptions_)
    span_.set_status(SpanStatus::error, "left by an exception");
  internal::leave(*std::launder(reinterpret_cast<internal::Frame*>(previous_)), owner_);
  span_.end();
}

}  // namespace honeylink::telemetry
