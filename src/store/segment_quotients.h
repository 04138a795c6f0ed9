// A column of doubles that are quotients of small whole numbers: shares, hit rates, means (docs/formats/metrics_db.md,
// *quotients*). Such a number fills all 52 bits and is told in a third of them. Used by segment_reals.cc.
//
// Must stay true: a number is told as p / q only where that division gives it back bit for bit.
#pragma once
#include "store/segment_integers.h"

namespace honeylink::telemetry::store {

/// The fraction in lowest terms whose quotient has these bits, where it is a small one.
struct Fraction {
  std::int64_t p = 0;
  std::uint64_t q = 0;  // 0: there is none
};
[[nodiscard]] Fraction fraction_of(std::uint64_t bits) noexcept;

/// False where too many numbers are no small fractions; `to` is then as it was.
[[nodiscard]] bool encode_quotients(std::span<const std::uint64_t> bits, SegmentWorkspace& work, Bytes& to);
[[nodiscard]] bool decode_quotients(Decoder& in, SegmentWorkspace& work, std::span<std::uint64_t> bits);

}  // namespace honeylink::telemetry::store
