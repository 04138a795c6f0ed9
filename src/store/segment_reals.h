// A column of doubles, bit for bit: decimal where that holds, else the best of three ways for full doubles
// (docs/formats/metrics_db.md, *reals*). Values are given as bit patterns. Used by the point and sketch codecs.
#pragma once
#include <span>

#include "store/segment_integers.h"

namespace honeylink::telemetry::store {

/// The fewest decimal places at which all of the numbers are m / 10^e, bit for bit; −1: none. `whole` gets the m.
[[nodiscard]] int decimal_places(std::span<const std::uint64_t> bits, std::vector<std::uint64_t>& whole);
/// The number m / 10^places as a bit pattern.
[[nodiscard]] std::uint64_t decimal_bits(std::int64_t whole, int places) noexcept;

void encode_reals(std::span<const std::uint64_t> bits, SegmentWorkspace& work, Bytes& to);
[[nodiscard]] bool decode_reals(Decoder& in, SegmentWorkspace& work, std::span<std::uint64_t> bits);

}  // namespace honeylink::telemetry::store
