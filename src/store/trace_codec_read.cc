// Reads the blob of docs/formats/traces_db.md, whoever wrote it.
#include <cstring>

#include "base/crc32c.h"
#include "store/bytes.h"
#include "store/trace_codec.h"
#include "store/trace_format.h"

namespace honeylink::telemetry::store {
namespace {

void read_item(Decoder& in, std::int64_t start, StoredItem& item) noexcept {
  switch (item.type) {
    case ItemType::boolean:
      item.key = varint32(in);
      item.boolean = in.fixed<std::uint8_t>() != 0;
      return;
    case ItemType::integer:
      item.key = varint32(in);
      item.integer = in.signed_varint();
      return;
    case ItemType::real:
      item.key = varint32(in);
      item.real = in.fixed<double>();
      return;
    case ItemType::text:
      item.key = varint32(in);
      item.text = in.text();
      return;
    case ItemType::id:
      item.key = varint32(in);
      item.kind = varint32(in);
      item.text = in.text();
      return;
    case ItemType::booleans:
    case ItemType::integers:
    case ItemType::reals:
    case ItemType::texts:
      item.key = varint32(in);
      item.elements = as_bytes(in.text());
      return;
    case ItemType::event:
      item.key = varint32(in);
      item.time_unix_ns = wrapping_sum(start, in.signed_varint());
      item.items = as_bytes(in.bytes(in.fixed<std::uint16_t>()));
      return;
    case ItemType::link:
      item.trace_id = in.fixed<std::array<std::uint8_t, 16>>();
      item.span_id = in.fixed<std::array<std::uint8_t, 8>>();
      item.flags = varint32(in);
      item.items = as_bytes(in.bytes(in.fixed<std::uint16_t>()));
      return;
    case ItemType::status_text:
    case ItemType::trace_state:
    case ItemType::message:
    case ItemType::keep_reason:
      item.text = in.text();
      return;
  }
}

}  // namespace

bool StoredItems::next(StoredItem& item) noexcept {
  if (rest_.empty()) return false;
  Decoder in(as_text(rest_));
  const auto type = in.fixed<std::uint8_t>();
  item = {};
  if (type < kItemTypes) {
    item.type = static_cast<ItemType>(type);
    read_item(in, start_, item);
  }
  if (type >= kItemTypes || !in.ok()) {
    damaged_ = true;
    rest_ = {};
    return false;
  }
  rest_ = as_bytes(in.rest());
  return true;
}

TraceBlob::TraceBlob(std::span<const std::uint8_t> bytes) noexcept {
  if (bytes.size() < kTraceBlobHead) return;
  Decoder in(as_text(bytes));
  if (in.fixed<std::uint32_t>() != kTraceBlobMagic) return;
  if (in.fixed<std::uint32_t>() != crc32c(bytes.data() + 8, bytes.size() - 8)) return;
  count_ = in.fixed<std::uint32_t>();
  in.fixed<std::uint32_t>();
  base_ = in.fixed<std::int64_t>();
  t0_ = in.fixed<std::int64_t>();
  t1_ = in.fixed<std::int64_t>();
  rest_ = as_bytes(in.rest());
  sound_ = true;
}

bool TraceBlob::next(StoredSpan& span) noexcept {
  if (rest_.empty() || read_ == count_) {
    damaged_ = damaged_ || (sound_ && (!rest_.empty() || read_ != count_));
    rest_ = {};
    read_ = count_;
    return false;
  }
  Decoder whole(as_text(rest_));
  Decoder in(whole.bytes(whole.fixed<std::uint16_t>()));
  const unsigned flags = in.fixed<std::uint8_t>();
  const unsigned kinds = in.fixed<std::uint8_t>();
  span = {};
  span.kind = kinds & 7U;
  span.status = (kinds >> 3) & 3U;
  span.kept = static_cast<Kept>((kinds >> 5) & 3U);
  span.unfinished = (flags & kSpanUnfinished) != 0;
  span.keep_trace = (flags & kSpanKeepTrace) != 0;
  span.slow = (flags & kSpanSlow) != 0;
  span.no_slot = (flags & kSpanNoSlot) != 0;
  span.source = varint32(in);
  span.trace.foreign = (flags & kSpanTraceForeign) != 0;
  if (span.trace.foreign) {
    span.trace.hi = in.fixed<std::uint64_t>();
    span.trace.lo = in.fixed<std::uint64_t>();
  } else {
    span.trace.lo = in.varint();
  }
  span.span = in.varint();
  span.parent.present = (flags & kSpanHasParent) != 0;
  span.parent.foreign = span.parent.present && (flags & kSpanParentForeign) != 0;
  if (span.parent.present) {
    span.parent.value =
        span.parent.foreign ? in.fixed<std::uint64_t>() : span.span - static_cast<std::uint64_t>(in.signed_varint());
  }
  span.name = varint32(in);
  span.scope = varint32(in);
  span.start_unix_ns = wrapping_sum(base_, in.signed_varint());
  span.duration_ns = static_cast<std::int64_t>(in.varint() & 0x7fff'ffff'ffff'ffffULL);
  if ((flags & kSpanDropped) != 0) {
    span.dropped_attributes = varint32(in);
    span.dropped_events = varint32(in);
  }
  if (!whole.ok() || !in.ok()) {
    damaged_ = true;
    rest_ = {};
    read_ = count_;
    return false;
  }
  span.items = as_bytes(in.rest());
  rest_ = as_bytes(whole.rest());
  ++read_;
  return true;
}

}  // namespace honeylink::telemetry::store
