// A column of integers modulo 2^64: common divisor, the cheapest of plain, delta and delta of delta, tokens and low
// bits (docs/formats/metrics_db.md, *integers*). Used by all columns of the segments.
//
// Must stay true: any numbers come back as they were; what is broken is refused, never read past its end.
#pragma once
#include <span>

#include "base/coding.h"
#include "store/segment_format.h"
#include "store/segment_tokens.h"

namespace honeylink::telemetry::store {

constexpr std::int64_t wrapping_product(std::int64_t a, std::int64_t b) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

void put_varint(Bytes& to, std::uint64_t n);
inline void put_signed(Bytes& to, std::int64_t n) { put_varint(to, zigzag(n)); }
void put_bytes(Bytes& to, const void* from, std::size_t size);
template <class T>
void put_fixed(Bytes& to, T value) {
  put_bytes(to, &value, sizeof value);
}

/// Nothing is written for no values.
void encode_integers(std::span<const std::uint64_t> values, SegmentWorkspace& work, Bytes& to);
/// `values.size()` numbers. False where they are not there.
[[nodiscard]] bool decode_integers(Decoder& in, SegmentWorkspace& work, std::span<std::uint64_t> values);

}  // namespace honeylink::telemetry::store
