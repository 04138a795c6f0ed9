// Streams of integers in a block (docs/formats/traces_db.md): 64-bit numbers of any kind, exact, as small as their
// differences allow. Called by the block's writer and reader; how many there are is known from other columns.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "store/span_block_bytes.h"

namespace honeylink::telemetry::store {

using Integers = std::vector<std::uint64_t>;  // two's complement where signed

/// Memory that is kept from one stream to the next. Not thread-safe.
struct IntegerScratch {
  Integers quotients, candidate, best;
  ByteBuffer tokens, low_bits;
};

/// Appends the stream of `values`: nothing for none.
void write_integers(std::span<const std::uint64_t> values, IntegerScratch& scratch, FrameWriter& frames,
                    ByteBuffer& to);
/// A whole stream of exactly `count` values. False: damaged. `count` is bounded by the caller.
[[nodiscard]] bool read_integers(std::span<const std::uint8_t> stream, std::size_t count, FrameReader& frames,
                                 IntegerScratch& scratch, Integers& to);

}  // namespace honeylink::telemetry::store
