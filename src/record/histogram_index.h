// Which bucket a value falls into at scale 6, for those who have a number at hand and not a histogram.
#pragma once
#include <bit>
#include <cstdint>

#include "honeylink/internal/histogram.h"

namespace honeylink::telemetry::internal {

/// Positive, finite and not subnormal: one comparison of its bits.
inline constexpr std::uint64_t kSmallestNormalBits = std::uint64_t{1} << 52, kInfinityBits = std::uint64_t{0x7ff} << 52;
[[nodiscard]] inline bool is_normal(double value) noexcept {
  return std::bit_cast<std::uint64_t>(value) - kSmallestNormalBits < kInfinityBits - kSmallestNormalBits;
}

/// `value` > 0 and finite. Values below the smallest normal number count as that number.
[[nodiscard]] inline std::int32_t bucket_index(double value) noexcept {
  const std::uint64_t bits = is_normal(value) ? std::bit_cast<std::uint64_t>(value) : kSmallestNormalBits;
  return static_cast<std::int32_t>(biased_bucket_index(bits)) - static_cast<std::int32_t>(kIndexBias);
}

}  // namespace honeylink::telemetry::internal
