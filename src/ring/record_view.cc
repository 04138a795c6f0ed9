// Records as bytes to records as events: RecordCursor and decode_*() of reader.h. Pure functions over a private copy.
//
// Must stay true: what RecordCursor gives out is sound to the last item, so that nobody behind it checks again.
#include <cstring>

#include "ring/reader.h"

namespace honeylink::telemetry::ring {
namespace {

bool is_sound_texts(std::span<const std::uint8_t> bytes) noexcept {
  while (!bytes.empty()) {
    std::uint16_t size;
    if (bytes.size() < sizeof size) return false;
    std::memcpy(&size, bytes.data(), sizeof size);
    if (bytes.size() - sizeof size < size) return false;
    bytes = bytes.subspan(sizeof size + size);
  }
  return true;
}

bool is_sound_item(const Item& item, bool nested) noexcept {
  if (item.type == ItemType::texts) return is_sound_texts(item.payload);
  if (item.type != ItemType::event && item.type != ItemType::link) return true;
  if (nested)
    return false;  // OpenTelemetry has no events of events; a depth would be a way to exhaust a reader's stack
  ItemCursor cursor(item.payload.subspan(item.type == ItemType::event ? kEventHeadBytes : kLinkHeadBytes));
  for (Item inner; cursor.next(inner);) {
    if (!is_sound_item(inner, true)) return false;
  }
  return !cursor.damaged();
}

// Bytes of the first `count` items, or npos where one is not sound or there are fewer.
constexpr std::size_t kUnsound = ~std::size_t{0};
std::size_t extent_of_items(std::span<const std::uint8_t> bytes, std::size_t count) noexcept {
  ItemCursor cursor(bytes);
  std::size_t extent = 0;
  for (Item item; count > 0; --count) {
    if (!cursor.next(item) || !is_sound_item(item, false)) return kUnsound;
    extent += sizeof(ItemHeader) + padded4(item.payload.size());
  }
  return extent;
}

template <class T>
T load(std::span<const std::uint8_t> bytes) noexcept {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

TraceRef trace_of(std::uint8_t flags, std::uint64_t hi, std::uint64_t lo) noexcept {
  const bool foreign = (flags & kFlagTraceForeign) != 0;
  return {foreign, foreign ? hi : 0, lo};
}

// Unix ns as the caller gave them; a number beyond the range of time is cut, not wrapped to before 1970.
std::int64_t wall(std::uint64_t ns) noexcept { return ns > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(ns); }

}  // namespace

bool RecordCursor::next(RawRecord& record) noexcept {
  if (rest_.empty()) return false;
  const auto fail = [this]() noexcept {
    damaged_ = true;
    rest_ = {};
    return false;
  };
  if (rest_.size() < sizeof(RecordHeader)) return fail();
  const auto header = load<RecordHeader>(rest_);
  const bool is_span = header.type == RecordType::span;
  if (!is_span && header.type != RecordType::log) return fail();
  const std::size_t fixed = is_span ? sizeof(SpanRecord) : sizeof(LogRecord);
  if (header.bytes < fixed || header.bytes % 8 != 0 || header.bytes > kRecordBytesMax || header.bytes > rest_.size())
    return fail();
  const auto whole = rest_.first(header.bytes);
  const std::size_t count = is_span ? load<SpanRecord>(whole).items : load<LogRecord>(whole).items;
  const std::size_t extent = extent_of_items(whole.subspan(fixed), count);
  if (extent == kUnsound || whole.size() - fixed - extent >= 8) return fail();  // only padding may follow the items
  record.bytes = whole;
  record.items = whole.subspan(fixed, extent);
  record.record_class = !is_span                          ? RecordClass::log
                        : (header.flags & kFlagKept) != 0 ? RecordClass::kept_span
                                                          : RecordClass::unsampled_span;
  rest_ = rest_.subspan(header.bytes);
  return true;
}

bool decode_span(const Source& source, const TickScale& scale, const RawRecord& raw, RecordPosition at,
                 SpanEvent& event) noexcept {
  if (raw.record_class == RecordClass::log) return false;
  const auto r = load<SpanRecord>(raw.bytes);
  const std::uint8_t flags = r.header.flags;
  event = {};
  event.source = &source;
  event.at = at;
  event.trace = trace_of(flags, r.trace_hi, r.trace_lo);
  event.span = r.span;
  event.parent.present = (flags & kFlagHasParent) != 0;
  event.parent.foreign = event.parent.present && (flags & kFlagParentForeign) != 0;
  event.parent.value = event.parent.present ? r.parent : 0;
  event.name = r.header.name;
  event.scope = r.scope;
  event.kind = r.kind;
  event.status = r.status;
  event.kept = (flags & kFlagKept) != 0 ? Kept::sampled : Kept::unsampled;
  event.unfinished = r.end == 0;
  event.keep_trace = (flags & kFlagKeepTrace) != 0;
  event.slow = (flags & kFlagSlow) != 0;
  event.no_slot = (flags & kFlagNoSlot) != 0;
  // Clocks of two processors, or a caller's own times, may give an end before the start: that is a duration of 0.
  const std::uint64_t spent = r.end > r.start ? r.end - r.start : 0;
  event.start_unix_ns = (flags & kFlagWallTimes) != 0 ? wall(r.start) : scale.unix_ns(r.start);
  event.duration_ns = (flags & kFlagWallTimes) != 0 ? wall(spent) : scale.duration_ns(spent);
  event.dropped_attributes = r.dropped_attributes;
  event.dropped_events = r.dropped_events;
  event.items = raw.items;
  return true;
}

bool decode_log(const Source& source, const TickScale& scale, const RawRecord& raw, RecordPosition at,
                LogEvent& event) noexcept {
  if (raw.record_class != RecordClass::log) return false;
  const auto r = load<LogRecord>(raw.bytes);
  const std::uint8_t flags = r.header.flags;
  event = {};
  event.source = &source;
  event.at = at;
  event.time_unix_ns = (flags & kFlagWallTimes) != 0 ? wall(r.time) : scale.unix_ns(r.time);
  event.in_span = (flags & kFlagHasParent) != 0;
  if (event.in_span) {
    event.trace = trace_of(flags, r.trace_hi, r.trace_lo);
    event.span = {true, (flags & kFlagParentForeign) != 0, r.span};
  }
  event.name = r.header.name;
  event.scope = r.scope;
  event.level = r.level;
  event.dropped_attributes = r.dropped_attributes;
  event.items = raw.items;
  return true;
}

}  // namespace honeylink::telemetry::ring
