// What is said about a span between start and end: attributes, events, links, status. Each call locks the span's slot
// (a try-lock), adds whole items behind what is there, and lets go; losing the lock twice loses the item, counted.
#include <cxxabi.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <typeinfo>

#include "honeylink/trace.h"
#include "record/count.h"
#include "record/identity.h"
#include "record/items_writer.h"
#include "record/names.h"
#include "record/plain_items.h"
#include "record/shared.h"
#include "record/span_access.h"
#include "record/span_slots.h"
#include "record/ticks.h"

namespace honeylink::telemetry {
namespace internal {
namespace {

ring::SpanRecord read_record(const ring::SpanSlot& slot) noexcept {
  ring::SpanRecord record;
  std::memcpy(&record, slot.bytes, sizeof record);
  return record;
}
void write_record(ring::SpanSlot& slot, const ring::SpanRecord& record) noexcept {
  std::memcpy(slot.bytes, &record, sizeof record);
}

// Runs `change(slot, record, state)` on the open span under its lock and writes the record's head back.
template <class F>
void with_open_span(const SpanRef& ref, ProcessCounter lost_counts_as, F&& change) noexcept {
  const Entry entry;
  SlotState* s = entry.state();
  if (s == nullptr) return count(lost_counts_as);
  bool lost = false;
  ring::SpanSlot* slot = open_slot(ref, lost);
  if (slot == nullptr) return count(lost_counts_as);
  ring::SpanRecord record = read_record(*slot);
  change(*slot, record, *s);
  record.header.bytes = record_bytes(span_bytes(*slot));
  write_record(*slot, record);
  unlock_span_slot(*slot);
}

// An item that holds items: the header is written last, when its size is known.
std::uint8_t* close_item(std::uint8_t* item, ItemType type, std::uint8_t* end) noexcept {
  const ItemHeader header{0, item_type_size(type, static_cast<std::size_t>(end - item) - sizeof(ItemHeader))};
  std::memcpy(item, &header, sizeof header);
  return end;
}

void drop_event(ring::SpanRecord& record) noexcept {
  saturate_add(record.dropped_events, 1);
  count(ProcessCounter::event_dropped);
}

bool write_event(SlotState& s, ring::SpanSlot& slot, ring::SpanRecord& record, std::uint32_t name,
                 const Attribute* attributes, std::size_t attribute_count, std::uint64_t time) noexcept {
  const std::uint32_t bytes =
      static_cast<std::uint32_t>(sizeof(ItemHeader) + kEventHeadBytes) + items_bytes(attributes, attribute_count);
  const SlotRoom room = room_in_span(s, slot, bytes);
  if (room.at == nullptr) return false;
  std::uint8_t* at = room.at + sizeof(ItemHeader);
  std::memcpy(at, &name, 4);
  std::memcpy(at + 4, &time, 8);
  const WrittenItems items = write_items(at + kEventHeadBytes, room.at + bytes, attributes, attribute_count);
  if (items.left_out != 0) saturate_add(record.dropped_attributes, count_left_out(items.left_out));
  commit_room(room, close_item(room.at, ItemType::event, items.end));
  ++record.items;
  return true;
}

// Unix ns, unlike the span's own ticks: events are few, and the stores need no clock to read an item.
std::uint64_t event_time(Timestamp at) noexcept {
  return static_cast<std::uint64_t>(at.unix_ns != 0 ? at.unix_ns : unix_ns_now());
}

}  // namespace

void flag_open_span(const SpanRef& ref, std::uint8_t flags) noexcept {
  bool lost = false;
  ring::SpanSlot* slot = open_slot(ref, lost);
  if (slot == nullptr) return;
  ring::SpanRecord record = read_record(*slot);
  record.header.flags |= flags;
  write_record(*slot, record);
  unlock_span_slot(*slot);
}

}  // namespace internal

using internal::with_open_span;

Span Span::wrap(const SpanContext& context) noexcept {
  Span span;
  span.ref_ = internal::ref_of(context);
  span.hold_trace_state(internal::ContextAccess::shared(context.trace_state()));
  if (span.trace_state() != nullptr) internal::shared_acquire(span.trace_state());
  return span;
}

SpanContext Span::context() const noexcept { return internal::span_context_of(ref_, trace_state()); }

Activation Span::activate() const noexcept {
  if ((ref_.flags & internal::kRefValid) == 0) return Activation(Context::current());
  return {ref_, trace_state()};
}

// The usual attribute: plain, and the span is in one piece with room for it. What is not so is left to
// annotate_whole(), before anything was done.
void Span::annotate(const Key& key, const Value& value) const noexcept {
  internal::Thread& t = internal::thread;
  auto* const slot = static_cast<ring::SpanSlot*>(ref_.slot);
  if (slot == nullptr || !internal::enter_recorder(t)) [[unlikely]]
    return annotate_whole(key, value);
  bool done = false;
  if (internal::lock_span_slot(*slot) == internal::SlotLock::taken) [[likely]] {
    ring::SpanRecord& record = internal::span_record(*slot);
    const std::uint64_t extent = slot->extent.load(std::memory_order_relaxed);
    if (record.span == ref_.span && record.trace_lo == ref_.trace_lo && extent <= internal::kSpanSlotRoom &&
        record.items < kItemsPerRecordMax) [[likely]] {
      const std::uint8_t* const end = internal::write_plain_item(
          slot->bytes + extent, slot->bytes + internal::kSpanSlotRoom - internal::kPlainItemSlack, key, value);
      if (end != nullptr) [[likely]] {
        const auto used = static_cast<std::uint32_t>(end - slot->bytes);
        slot->extent.store(used, std::memory_order_release);
        ++record.items;
        record.header.bytes = internal::record_bytes(used);
        done = true;
      }
    }
    internal::unlock_span_slot(*slot);
  }
  internal::leave_recorder(t);
  if (!done) [[unlikely]]
    annotate_whole(key, value);
}

void Span::annotate_whole(const Key& key, const Value& value) const noexcept {
  with_open_span(
      ref_, ProcessCounter::attribute_dropped,
      [&](ring::SpanSlot& slot, ring::SpanRecord& record, internal::SlotState& s) {
        const std::uint32_t bytes = internal::item_bytes(value);
        const internal::SlotRoom room =
            record.items >= kItemsPerRecordMax ? internal::SlotRoom{} : internal::room_in_span(s, slot, bytes);
        std::uint8_t* end = room.at != nullptr ? internal::write_item(room.at, room.at + bytes, key, value) : nullptr;
        if (end == nullptr || end == room.at) {
          internal::saturate_add(record.dropped_attributes, 1);
          return internal::count(ProcessCounter::attribute_dropped);
        }
        internal::commit_room(room, end);
        ++record.items;
      });
}

void Span::event(const EventName& name, Attributes attributes, Timestamp at) const noexcept {
  const std::uint32_t id = internal::intern(name, internal::NameKind::name);
  if (id >= internal::kUnknownName) return;
  with_open_span(ref_, ProcessCounter::event_dropped,
                 [&](ring::SpanSlot& slot, ring::SpanRecord& record, internal::SlotState& s) {
                   const std::uint64_t time = internal::event_time(at);
                   // Beyond the room there is, attributes go first, then the event.
                   if (internal::write_event(s, slot, record, id, attributes.begin(), attributes.size(), time)) return;
                   if (attributes.size() == 0 || !internal::write_event(s, slot, record, id, nullptr, 0, time))
                     return internal::drop_event(record);
                   internal::saturate_add(record.dropped_attributes, attributes.size());
                   internal::count(ProcessCounter::attribute_dropped, attributes.size());
                 });
}

void Span::link(const SpanContext& to, Attributes attributes) const noexcept {
  if (!to.is_valid()) return;
  with_open_span(ref_, ProcessCounter::attribute_dropped,
                 [&](ring::SpanSlot& slot, ring::SpanRecord& record, internal::SlotState& s) {
                   const auto bytes = static_cast<std::uint32_t>(sizeof(ItemHeader) + kLinkHeadBytes) +
                                      internal::items_bytes(attributes.begin(), attributes.size());
                   const internal::SlotRoom room = internal::room_in_span(s, slot, bytes);
                   if (room.at == nullptr) {
                     internal::saturate_add(record.dropped_attributes, 1);
                     return internal::count(ProcessCounter::attribute_dropped);
                   }
                   std::uint8_t* at = room.at + sizeof(ItemHeader);
                   const std::uint32_t flags = to.trace_flags();
                   std::memcpy(at, to.trace_id().bytes.data(), 16);
                   std::memcpy(at + 16, to.span_id().bytes.data(), 8);
                   std::memcpy(at + 24, &flags, 4);
                   const internal::WrittenItems items = internal::write_items(at + kLinkHeadBytes, room.at + bytes,
                                                                              attributes.begin(), attributes.size());
                   if (items.left_out != 0)
                     internal::saturate_add(record.dropped_attributes, internal::count_left_out(items.left_out));
                   internal::commit_room(room, internal::close_item(room.at, ItemType::link, items.end));
                   ++record.items;
                 });
}

void Span::change_status(SpanStatus status, std::string_view description) const noexcept {
  internal::SpanAccess::set_slotless_status(*this, status);
  if (ref_.slot == nullptr) return;
  with_open_span(ref_, ProcessCounter::attribute_dropped,
                 [&](ring::SpanSlot& slot, ring::SpanRecord& record, internal::SlotState& s) {
                   if (record.status == static_cast<std::uint8_t>(SpanStatus::ok) || status == SpanStatus::unset)
                     return;  // `ok` is final
                   record.status = static_cast<std::uint8_t>(status);
                   if (status != SpanStatus::error || description.empty()) return;
                   const internal::SlotRoom room =
                       internal::room_in_span(s, slot, internal::text_bytes(description, kValueBytesMax));
                   if (room.at == nullptr) return internal::count(ProcessCounter::attribute_dropped);
                   internal::commit_room(
                       room, internal::write_text(room.at, ItemType::status_text, 0, description, kValueBytesMax));
                   ++record.items;
                 });
}

void Span::exception(const std::exception& e, Attributes more) const noexcept {
  const char* mangled = typeid(e).name();
  int failed = 0;
  char* readable = abi::__cxa_demangle(mangled, nullptr, nullptr, &failed);
  const std::string_view type = failed == 0 && readable != nullptr ? readable : mangled;
  const std::string_view message = e.what();
  alignas(Attribute) std::byte room[kItemsPerRecordMax * sizeof(Attribute)];
  auto* all = reinterpret_cast<Attribute*>(room);
  new (&all[0]) Attribute{"exception.type", type};
  new (&all[1]) Attribute{"exception.message", message};
  std::size_t size = 2;
  for (const Attribute& attribute : more)
    if (size < kItemsPerRecordMax) new (&all[size++]) Attribute{attribute};
  constexpr EventName kException{"exception"};
  const std::uint32_t id = internal::intern(kException, internal::NameKind::name);
  with_open_span(ref_, ProcessCounter::event_dropped,
                 [&](ring::SpanSlot& slot, ring::SpanRecord& record, internal::SlotState& s) {
                   if (!internal::write_event(s, slot, record, id, all, size, internal::event_time({})))
                     internal::drop_event(record);
                 });
  change_status(SpanStatus::error, message);
  std::free(readable);
}

void Span::rename(const SpanName& name) const noexcept {
  const std::uint32_t id = internal::intern(name, internal::NameKind::name);
  if (id >= internal::kUnknownName) return;
  internal::SpanAccess::set_name(*this, id);
  if (ref_.slot == nullptr) return;
  with_open_span(ref_, ProcessCounter::attribute_dropped,
                 [&](ring::SpanSlot&, ring::SpanRecord& record, internal::SlotState&) { record.header.name = id; });
}

void Span::keep(const EventName& reason) const noexcept {
  with_open_span(ref_, ProcessCounter::attribute_dropped,
                 [&](ring::SpanSlot& slot, ring::SpanRecord& record, internal::SlotState& s) {
                   record.header.flags |= ring::kFlagKeepTrace;
                   const internal::SlotRoom room =
                       internal::room_in_span(s, slot, internal::text_bytes(reason.text(), kNameBytesMax));
                   if (room.at == nullptr) return;
                   internal::commit_room(
                       room, internal::write_text(room.at, ItemType::keep_reason, 0, reason.text(), kNameBytesMax));
                   ++record.items;
                 });
}

}  // namespace honeylink::telemetry
