// Columns of texts in a block: attribute values, ids, messages, arrays (docs/formats/traces_db.md). In place where each
// is another, as a dictionary where they recur. Called by the block's writer and reader.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/span_block_bytes.h"
#include "store/span_block_ints.h"
#include "store/span_block_values.h"

namespace honeylink::telemetry::store {

/// Memory that is kept from one column to the next. Not thread-safe.
struct TextScratch {
  Integers sizes, codes, references;
  ByteBuffer bytes, part;
  std::vector<std::string_view> entries;
  std::vector<std::uint32_t> uses, code_of, ids;
  std::unordered_map<std::string_view, std::uint32_t> distinct;
};

/// Appends the column: nothing for no values.
void write_texts(std::span<const std::string_view> values, SpanValues& known, TextScratch& texts,
                 IntegerScratch& integers, FrameWriter& frames, ByteBuffer& to);

/// A decoded column. Its texts point into itself and into what `lookup` gave.
struct TextColumn {
  ByteBuffer bytes;
  std::vector<std::string_view> entries;
  Integers codes;  // empty: value i is entry i
  [[nodiscard]] std::string_view at(std::size_t i) const noexcept {
    return codes.empty() ? entries[i] : entries[static_cast<std::size_t>(codes[i])];
  }
};
/// A whole column of exactly `count` values. False: damaged.
[[nodiscard]] bool read_texts(std::span<const std::uint8_t> stream, std::size_t count, const ValueLookup& lookup,
                              FrameReader& frames, IntegerScratch& integers, TextColumn& to);

}  // namespace honeylink::telemetry::store
