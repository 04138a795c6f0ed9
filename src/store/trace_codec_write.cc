// Builds the blob of docs/formats/traces_db.md. One call per span on the engine's thread: room for the worst case is
// reserved once, then everything is written through a pointer.
#include <algorithm>

#include "base/crc32c.h"
#include "store/bytes.h"
#include "store/trace_codec.h"
#include "store/trace_format.h"

namespace honeylink::telemetry::store {
namespace {

// As encode_varint(), without a branch for every byte: seven bits into each byte, by halves, then the mark "more
// follows" into all bytes but the last. Writes up to 10 bytes, whatever the length.
[[gnu::always_inline]] inline std::uint8_t* put_number(std::uint8_t* to, std::uint64_t n) noexcept {
  if (n < 0x80U) {
    *to = static_cast<std::uint8_t>(n);
    return to + 1;
  }
  const std::size_t bytes = varint_bytes(n);
  if (bytes <= 4) {
    auto spread = static_cast<std::uint32_t>(n);
    spread = (spread & 0x3fffU) | (spread & 0x0fff'c000U) << 2;
    spread = (spread & 0x007f'007fU) | (spread & 0x3f80'3f80U) << 1;
    spread |= 0x80'8080U >> (8 * (4 - bytes));
    std::memcpy(to, &spread, sizeof spread);
    return to + bytes;
  }
  return encode_varint(to, n);
}

// Texts are short: two overlapping moves instead of a call.
[[gnu::always_inline]] inline std::uint8_t* put_bytes(std::uint8_t* to, const std::uint8_t* from,
                                                      std::size_t size) noexcept {
  const auto ends = [&]<class Part>(Part) {
    Part first, last;
    std::memcpy(&first, from, sizeof first);
    std::memcpy(&last, from + size - sizeof last, sizeof last);
    std::memcpy(to, &first, sizeof first);
    std::memcpy(to + size - sizeof last, &last, sizeof last);
  };
  if (size > 16) return encode_bytes(to, from, size);
  if (size >= 8) {
    ends(std::uint64_t{});
  } else if (size >= 4) {
    ends(std::uint32_t{});
  } else {
    for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
  }
  return to + size;
}

/// Writes items until `end` is near; counts attributes that found no room.
struct ItemWriter {
  std::uint8_t* at;
  std::uint8_t* end;
  const TextIds& text;
  std::int64_t start;
  std::uint32_t left_out = 0;

  // An item of n payload bytes grows by type, key, kind, length and a time at most.
  [[nodiscard]] bool room(std::size_t payload) const noexcept {
    return static_cast<std::size_t>(end - at) >= payload + 48;
  }

  void sized(std::span<const std::uint8_t> bytes) noexcept {
    at = put_number(at, bytes.size());
    at = put_bytes(at, bytes.data(), bytes.size());
  }
  void key(const Item& item) { at = put_number(at, text(item.key)); }
  void nested(std::span<const std::uint8_t> bytes) {
    std::uint8_t* const size_at = at;
    at += 2;
    ItemCursor cursor(bytes);
    Item item;
    while (cursor.next(item)) {
      if (item.type != ItemType::event && item.type != ItemType::link) one(item);
    }
    encode_fixed(size_at, static_cast<std::uint16_t>(at - size_at - 2));
  }
  void one(const Item& item) {
    if (!room(item.payload.size())) {
      ++left_out;
      return;
    }
    *at++ = static_cast<std::uint8_t>(item.type);
    switch (item.type) {
      case ItemType::boolean:
        key(item);
        *at++ = item.payload[0] != 0 ? 1 : 0;
        return;
      case ItemType::integer:
        key(item);
        at = put_number(at, zigzag(item.as<std::int64_t>()));
        return;
      case ItemType::real:
        key(item);
        at = encode_bytes(at, item.payload.data(), 8);
        return;
      case ItemType::id:
        key(item);
        at = put_number(at, text(item.as<std::uint16_t>()));
        return sized(item.payload.subspan(2));
      case ItemType::event:
        at = put_number(at, text(item.as<std::uint32_t>()));
        at = put_number(at, zigzag(wrapping_difference(item.as<std::int64_t>(4), start)));
        return nested(item.payload.subspan(kEventHeadBytes));
      case ItemType::link:
        at = encode_bytes(at, item.payload.data(), 24);
        at = put_number(at, item.as<std::uint32_t>(24));
        return nested(item.payload.subspan(kLinkHeadBytes));
      case ItemType::status_text:
      case ItemType::trace_state:
      case ItemType::message:
      case ItemType::keep_reason:
        return sized(item.payload);
      case ItemType::text:
      case ItemType::booleans:
      case ItemType::integers:
      case ItemType::reals:
      case ItemType::texts:
        key(item);
        return sized(item.payload);
    }
  }
};

std::uint8_t flags_of(const SpanEvent& event, bool dropped) noexcept {
  return static_cast<std::uint8_t>(
      (event.trace.foreign ? kSpanTraceForeign : 0) | (event.parent.present ? kSpanHasParent : 0) |
      (event.parent.foreign ? kSpanParentForeign : 0) | (event.unfinished ? kSpanUnfinished : 0) |
      (event.keep_trace ? kSpanKeepTrace : 0) | (event.slow ? kSpanSlow : 0) | (event.no_slot ? kSpanNoSlot : 0) |
      (dropped ? kSpanDropped : 0));
}

}  // namespace

void TraceBlobWriter::add(const SpanEvent& event, std::uint32_t source, std::uint32_t scope, const TextIds& text) {
  const std::size_t items_max = std::min(kSpanItemsMax, event.items.size() * 3 + 64);
  const std::size_t worst = kSpanHeadMax + items_max;
  if (used_ == 0) used_ = kTraceBlobHead;
  if (buffer_.size() < used_ + worst) buffer_.resize(std::max(used_ + worst, buffer_.size() * 2));
  if (count_ == 0) base_ = t0_ = t1_ = event.start_unix_ns;
  t0_ = std::min(t0_, event.start_unix_ns);
  t1_ = std::max(t1_, event.start_unix_ns);

  std::uint8_t* const begin = buffer_.data() + used_;
  std::uint8_t* at = begin + 2;
  const bool dropped = event.dropped_attributes != 0 || event.dropped_events != 0;
  *at++ = flags_of(event, dropped);
  *at++ = static_cast<std::uint8_t>((event.kind & 7U) | (event.status & 3U) << 3 |
                                    (static_cast<unsigned>(event.kept) & 3U) << 5);
  at = put_number(at, source);
  if (event.trace.foreign) {
    at = encode_fixed(at, event.trace.hi);
    at = encode_fixed(at, event.trace.lo);
  } else {
    at = put_number(at, event.trace.lo);
  }
  at = put_number(at, event.span);
  if (event.parent.present) {
    at = event.parent.foreign ? encode_fixed(at, event.parent.value)
                              : put_number(at, zigzag(static_cast<std::int64_t>(event.span - event.parent.value)));
  }
  at = put_number(at, text(event.name));
  at = put_number(at, scope);
  at = put_number(at, zigzag(wrapping_difference(event.start_unix_ns, base_)));
  at = put_number(at, event.duration_ns < 0 ? 0 : static_cast<std::uint64_t>(event.duration_ns));
  if (dropped) {
    at = put_number(at, event.dropped_attributes);
    at = put_number(at, event.dropped_events);
  }
  ItemWriter writer{at, at + items_max, text, event.start_unix_ns};
  ItemCursor cursor(event.items);
  Item item;
  std::uint32_t items = 0;
  for (; cursor.next(item); ++items) writer.one(item);
  if (writer.left_out != 0) {  // no ring record is that large: rather the span without its items than none
    SpanEvent bare = event;
    bare.items = {};
    bare.dropped_attributes =
        static_cast<std::uint16_t>(std::min<std::uint32_t>(event.dropped_attributes + items, 0xffff));
    return add(bare, source, scope, text);
  }
  encode_fixed(begin, static_cast<std::uint16_t>(writer.at - begin - 2));
  used_ = static_cast<std::size_t>(writer.at - buffer_.data());
  ++count_;
}

std::span<const std::uint8_t> TraceBlobWriter::spans_from(std::size_t offset) const noexcept {
  const std::size_t from = kTraceBlobHead + offset;
  return from < used_ ? std::span<const std::uint8_t>(buffer_.data() + from, used_ - from)
                      : std::span<const std::uint8_t>();
}

std::span<const std::uint8_t> TraceBlobWriter::finish() noexcept {
  if (count_ == 0) return {};
  std::uint8_t* at = encode_fixed(buffer_.data(), kTraceBlobMagic);
  at += 4;
  at = encode_fixed(at, count_);
  at = encode_fixed(at, std::uint32_t{0});
  at = encode_fixed(at, base_);
  at = encode_fixed(at, t0_);
  encode_fixed(at, t1_);
  encode_fixed(buffer_.data() + 4, crc32c(buffer_.data() + 8, used_ - 8));
  return {buffer_.data(), used_};
}

}  // namespace honeylink::telemetry::store
