// The zone map of a block (docs/formats/traces_db.md): see span_block.h.
#include <algorithm>

#include "base/crc32c.h"
#include "store/bytes.h"
#include "store/span_block.h"
#include "store/span_block_format.h"

namespace honeylink::telemetry::store {
namespace {
constexpr std::size_t kHead = 5;  // version, crc32c
enum Flag : unsigned { kUnfinished = 1, kSlow = 2 };
}  // namespace

std::int64_t SpanZone::longest_ns() const noexcept {
  std::int64_t longest = 0;
  for (const ZoneName& name : names) longest = std::max(longest, name.longest_ns);
  return longest;
}

ByteBuffer write_zone(const SpanZone& zone) {
  ByteBuffer to(kHead);
  append_varint(to, zone.errors);
  append_varint(to, zone.kept);
  append_varint(to, (zone.unfinished ? kUnfinished : 0U) | (zone.slow ? kSlow : 0U));
  append_varint(to, zigzag(zone.end_after_t0_ns));
  append_varint(to, zone.value_epoch);
  append_varint(to, zone.names.size());
  std::uint32_t before = 0;
  for (const ZoneName& name : zone.names) {
    append_varint(to, name.name - before);
    append_varint(to, name.spans);
    append_varint(to, name.errors);
    append_varint(to, static_cast<std::uint64_t>(name.longest_ns));
    before = name.name;
  }
  to[0] = kSpanZoneVersion;
  encode_fixed(to.data() + 1, crc32c(to.data() + kHead, to.size() - kHead));
  return to;
}

bool read_zone(std::span<const std::uint8_t> bytes, SpanZone& zone) {
  Decoder in(as_text(bytes));
  const auto version = in.fixed<std::uint8_t>();
  const auto crc = in.fixed<std::uint32_t>();
  if (!in.ok() || version != kSpanZoneVersion || crc != crc32c(bytes.data() + kHead, bytes.size() - kHead))
    return false;
  zone = {};
  zone.errors = in.varint(), zone.kept = in.varint();
  const std::uint64_t flags = in.varint();
  zone.unfinished = (flags & kUnfinished) != 0, zone.slow = (flags & kSlow) != 0;
  zone.end_after_t0_ns = in.signed_varint();
  zone.value_epoch = varint32(in);
  const std::uint64_t names = in.varint();
  if (!in.ok() || names > kBlockSpansMax) return false;
  std::uint32_t before = 0;
  for (std::uint64_t i = 0; i < names && in.ok(); ++i) {
    ZoneName name;
    name.name = before += varint32(in);
    name.spans = in.varint(), name.errors = in.varint();
    name.longest_ns = static_cast<std::int64_t>(in.varint());
    zone.names.push_back(name);
  }
  return in.ok();
}

}  // namespace honeylink::telemetry::store
