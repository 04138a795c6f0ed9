// See foreign_filter.h.
#include "store/foreign_filter.h"

#include <algorithm>
#include <cstddef>

#include "base/crc32c.h"
#include "store/bytes.h"
#include "store/span_block_format.h"

namespace honeylink::telemetry::store {
namespace {
// Ten bits and seven probes an id: 0.8 % look in vain.
constexpr std::size_t kBitsPerId = 10;
constexpr std::uint8_t kProbes = 7;
constexpr std::size_t kHead = 6;
constexpr std::uint8_t kProbesMax = 32;

// Ids of other products may count up in one half: mixed, every bit depends on all (the finalizer of MurmurHash3).
std::uint64_t mixed(std::uint64_t h) noexcept {
  h = (h ^ (h >> 33)) * 0xff51'afd7'ed55'8ccdULL;
  h = (h ^ (h >> 33)) * 0xc4ce'b9fe'1a85'ec53ULL;
  return h ^ (h >> 33);
}

std::size_t bit_of(const ForeignId& id, unsigned probe, std::size_t bits) noexcept {
  const std::uint64_t a = mixed(id.first ^ mixed(id.second)), b = mixed(a ^ id.second) | 1U;
  return static_cast<std::size_t>((a + probe * b) % bits);
}

std::uint32_t checksum(std::uint8_t probes, std::span<const std::uint8_t> bits) noexcept {
  return crc32c(bits, crc32c({&probes, 1}));
}
}  // namespace

std::vector<std::uint8_t> make_foreign_filter(std::span<const ForeignId> ids) {
  if (ids.empty()) return {};
  const std::size_t bytes = (ids.size() * kBitsPerId + 7) / 8;
  std::vector<std::uint8_t> filter(kHead + bytes);
  for (const ForeignId& id : ids) {
    for (unsigned probe = 0; probe < kProbes; ++probe) {
      const std::size_t bit = bit_of(id, probe, bytes * 8);
      filter[kHead + bit / 8] |= static_cast<std::uint8_t>(1U << (bit % 8));
    }
  }
  filter[0] = kForeignFilterVersion, filter[1] = kProbes;
  encode_fixed(filter.data() + 2, checksum(kProbes, {filter.data() + kHead, bytes}));
  return filter;
}

bool may_hold(std::span<const std::uint8_t> filter, const ForeignId& id) noexcept {
  Decoder in(as_text(filter));
  const auto version = in.fixed<std::uint8_t>(), probes = in.fixed<std::uint8_t>();
  const auto crc = in.fixed<std::uint32_t>();
  const auto bits = as_bytes(in.rest());
  if (!in.ok() || version != kForeignFilterVersion || probes > kProbesMax || bits.empty() ||
      crc != checksum(probes, bits))
    return true;
  for (unsigned probe = 0; probe < probes; ++probe) {
    const std::size_t bit = bit_of(id, probe, bits.size() * 8);
    if ((bits[bit / 8] >> (bit % 8) & 1U) == 0) return false;
  }
  return true;
}

}  // namespace honeylink::telemetry::store
