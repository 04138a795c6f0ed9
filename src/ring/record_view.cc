// See record_view.h: items that have an inside. And records as events: decode_*() of reader.h. Pure functions over a
// private copy.
#include <algorithm>
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

bool is_sound_items(std::span<const std::uint8_t> bytes) noexcept {
  const std::uint8_t *at = bytes.data(), *const end = at + bytes.size();
  while (at != end) {
    if ((at = end_of_item(at, end, true)) == nullptr) return false;
  }
  return true;
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

bool is_sound_inside(const std::uint8_t* item, unsigned type_size, bool nested) noexcept {
  const std::span<const std::uint8_t> payload{item + sizeof(ItemHeader), type_size >> 4U};
  switch (static_cast<ItemType>(type_size & 15U)) {
    case ItemType::id:
      return payload.size() >= 2;
    case ItemType::integers:
    case ItemType::reals:
      return payload.size() % 8 == 0;
    case ItemType::texts:
      return is_sound_texts(payload);
    // OpenTelemetry has no events of events; a depth would be a way to exhaust a reader's stack.
    case ItemType::event:
      return !nested && payload.size() >= kEventHeadBytes && is_sound_items(payload.subspan(kEventHeadBytes));
    case ItemType::link:
      return !nested && payload.size() >= kLinkHeadBytes && is_sound_items(payload.subspan(kLinkHeadBytes));
    default:
      return false;
  }
}

bool decode_span(const Source& source, const TickScale& scale, const RawRecord& raw, RecordPosition at,
                 SpanEvent& event) noexcept {
  if (raw.record_class == RecordClass::log) return false;
  const auto r = load<SpanRecord>(raw.bytes);
  const std::uint8_t flags = r.header.flags;
  const bool has_parent = (flags & kFlagHasParent) != 0;
  event.source = &source;
  event.at = at;
  event.trace = trace_of(flags, r.trace_hi, r.trace_lo);
  event.span = r.span;
  event.parent = {has_parent, has_parent && (flags & kFlagParentForeign) != 0, has_parent ? r.parent : 0};
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
  const std::int64_t duration = (flags & kFlagWallTimes) != 0 ? wall(spent) : scale.duration_ns(spent);
  event.duration_ns = std::min(duration, INT64_MAX - event.start_unix_ns);  // the end is a time too
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
  event.source = &source;
  event.at = at;
  event.time_unix_ns = (flags & kFlagWallTimes) != 0 ? wall(r.time) : scale.unix_ns(r.time);
  event.in_span = (flags & kFlagHasParent) != 0;
  event.trace = event.in_span ? trace_of(flags, r.trace_hi, r.trace_lo) : TraceRef{};
  event.span = event.in_span ? SpanRef{true, (flags & kFlagParentForeign) != 0, r.span} : SpanRef{};
  event.name = r.header.name;
  event.scope = r.scope;
  event.level = r.level;
  event.dropped_attributes = r.dropped_attributes;
  event.items = raw.items;
  return true;
}

}  // namespace honeylink::telemetry::ring
