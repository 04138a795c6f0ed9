// See span_block_columns.h.
#include "store/span_block_columns.h"

#include <array>
#include <bit>
#include <cmath>

#include "store/bytes.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::array<double, 7> kTens = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
constexpr std::uint8_t kPlanes = 255;
constexpr double kExactMax = 9'007'199'254'740'992.0;  // 2^53

/// The integer that stands for the value at so many decimal places, if it comes back bit for bit.
bool as_decimal(std::uint64_t bits, double ten, std::uint64_t& integer) noexcept {
  const auto value = std::bit_cast<double>(bits);
  const double scaled = value * ten;
  if (!(std::fabs(scaled) < kExactMax)) return false;
  const long long nearest = std::llround(scaled);
  integer = static_cast<std::uint64_t>(nearest);
  return std::bit_cast<std::uint64_t>(static_cast<double>(nearest) / ten) == bits;
}

}  // namespace

void ColumnWriter::reals(const Integers& bits, ByteBuffer& to) {
  Integers decimals(bits.size());
  for (std::size_t places = 0; places < kTens.size(); ++places) {
    std::size_t i = 0;
    while (i < bits.size() && as_decimal(bits[i], kTens[places], decimals[i])) ++i;
    if (i < bits.size()) continue;
    to.push_back(static_cast<std::uint8_t>(places));
    return integers(decimals, to);
  }
  ByteBuffer planes(bits.size() * 8);
  for (std::size_t i = 0; i < bits.size(); ++i) {
    for (std::size_t plane = 0; plane < 8; ++plane)
      planes[plane * bits.size() + i] = static_cast<std::uint8_t>(bits[i] >> (56 - 8 * plane));
  }
  to.push_back(kPlanes);
  bytes(planes, to);
}

bool ColumnReader::reals(std::span<const std::uint8_t> stream, std::size_t count, Integers& to) {
  if (stream.empty()) return false;
  const std::uint8_t places = stream[0];
  if (places != kPlanes) {
    if (places >= kTens.size() || !integers(stream.subspan(1), count, to)) return false;
    for (std::uint64_t& v : to)
      v = std::bit_cast<std::uint64_t>(static_cast<double>(static_cast<std::int64_t>(v)) / kTens[places]);
    return true;
  }
  ByteBuffer planes;
  if (!bytes(stream.subspan(1), planes) || planes.size() != count * 8 || !allow(count * 8)) return false;
  to.assign(count, 0);
  for (std::size_t plane = 0; plane < 8; ++plane) {
    for (std::size_t i = 0; i < count; ++i) to[i] = to[i] << 8 | planes[plane * count + i];
  }
  return true;
}

void ColumnWriter::items(ItemType type, const ItemColumn& column, SpanValues& values, ByteBuffer& to) {
  if (type == ItemType::real) return reals(column.numbers, to);
  if (type != ItemType::link) {
    if (column_has_numbers(type)) return integers(column.numbers, to);
    return write_texts(column.texts, values, texts_, ints_, frames_, to);
  }
  ByteBuffer ids, part;
  for (const std::string_view id : column.texts) append(ids, as_bytes(id));
  bytes(ids, part);
  append_varint(to, part.size());
  append(to, part);
  integers(column.numbers, to);
}

bool ColumnReader::items(ItemType type, std::span<const std::uint8_t> stream, const ValueLookup& lookup,
                         ReadColumn& to) {
  to.loaded = true;
  if (to.count == 0) return true;  // no span has the shape that names it
  if (type == ItemType::real) return reals(stream, to.count, to.numbers);
  if (type != ItemType::link) {
    if (column_has_numbers(type)) return integers(stream, to.count, to.numbers);
    return read_texts(stream, to.count, lookup, frames_, ints_, to.texts);
  }
  Decoder in(as_text(stream));
  const auto ids = as_bytes(in.text());
  return in.ok() && bytes(ids, to.links) && to.links.size() == to.count * kLinkIdBytes &&
         integers(as_bytes(in.rest()), to.count, to.numbers);
}

}  // namespace honeylink::telemetry::store
