// Which bucket a value falls into at scale 6: OpenTelemetry's base-2 exponential mapping, (2^(i/64), 2^((i+1)/64)] is
// bucket i, by table: no logarithm on the recording path.
#pragma once
#include <array>
#include <bit>
#include <cstdint>

namespace honeylink::telemetry::internal {

inline constexpr std::uint64_t kMantissaMask = (std::uint64_t{1} << 52) - 1;

struct IndexTable {
  std::array<std::uint64_t, 65>
      bound;  // mantissa bits of 2^(i/64), rounded down, as is what is compared; the last one is past the end
  std::array<std::uint8_t, 256> guess;  // by the mantissa's first 8 bits: the bucket or the one before
};
extern const IndexTable kIndexTable;  // constant-initialised

/// Positive, finite and not subnormal: one comparison of its bits.
[[nodiscard]] inline bool is_normal(double value) noexcept {
  constexpr std::uint64_t kSmallest = std::uint64_t{1} << 52, kInfinity = std::uint64_t{0x7ff} << 52;
  return std::bit_cast<std::uint64_t>(value) - kSmallest < kInfinity - kSmallest;
}

/// `value` is_normal().
[[nodiscard]] inline std::int32_t bucket_index_of_normal(double value) noexcept {
  // One less: the upper bound belongs to the bucket, so an exact power of two falls into the one below.
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(value) - 1;
  const std::uint64_t mantissa = bits & kMantissaMask;
  const auto exponent = static_cast<std::int32_t>(bits >> 52) - 1023;
  std::uint32_t k = kIndexTable.guess[mantissa >> 44];
  k += mantissa >= kIndexTable.bound[k + 1] ? 1U : 0U;
  return exponent * 64 + static_cast<std::int32_t>(k);
}

/// `value` > 0 and finite. Values below the smallest normal number count as that number.
[[nodiscard]] inline std::int32_t bucket_index(double value) noexcept {
  return bucket_index_of_normal(is_normal(value) ? value : 2.2250738585072014e-308);
}

}  // namespace honeylink::telemetry::internal
