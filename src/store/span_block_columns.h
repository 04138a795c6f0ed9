// Columns of items in a block: which form the values of a type take, written and read (docs/formats/traces_db.md).
// Called by span_block_write.cc and span_block_read.cc.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/items.h"
#include "store/span_block_bytes.h"
#include "store/span_block_ints.h"
#include "store/span_block_texts.h"

namespace honeylink::telemetry::store {

constexpr bool column_has_numbers(ItemType type) noexcept {
  return type == ItemType::boolean || type == ItemType::integer || type == ItemType::real || type == ItemType::event ||
         type == ItemType::link;
}
constexpr bool column_has_texts(ItemType type) noexcept { return type == ItemType::link || !column_has_numbers(type); }
inline constexpr std::size_t kLinkIdBytes = 24;

/// Values of a column, as they are gathered.
struct ItemColumn {
  Integers numbers;
  std::vector<std::string_view> texts;
};

/// Not thread-safe; one owner; its memory is kept.
class ColumnWriter {
 public:
  void integers(std::span<const std::uint64_t> values, ByteBuffer& to) { write_integers(values, ints_, frames_, to); }
  void bytes(std::span<const std::uint8_t> values, ByteBuffer& to) { write_bytes(values, frames_, to); }
  void items(ItemType type, const ItemColumn& column, SpanValues& values, ByteBuffer& to);

 private:
  void reals(const Integers& bits, ByteBuffer& to);
  IntegerScratch ints_;
  TextScratch texts_;
  FrameWriter frames_;
};

/// A decoded column.
struct ReadColumn {
  bool loaded = false;
  std::size_t next = 0, count = 0;  // value that the next span takes; how many there are
  Integers numbers;
  TextColumn texts;
  ByteBuffer links;
};

/// Not thread-safe; one owner; its memory is kept.
class ColumnReader {
 public:
  void begin_block() noexcept { frames_.begin_block(); }
  [[nodiscard]] bool integers(std::span<const std::uint8_t> stream, std::size_t count, Integers& to) {
    return read_integers(stream, count, frames_, ints_, to);
  }
  [[nodiscard]] bool bytes(std::span<const std::uint8_t> stream, ByteBuffer& to) {
    return read_bytes(stream, frames_, to);
  }
  /// `to.count` values. False: damaged.
  [[nodiscard]] bool items(ItemType type, std::span<const std::uint8_t> stream, const ValueLookup& lookup,
                           ReadColumn& to);
  [[nodiscard]] bool allow(std::size_t bytes) noexcept { return frames_.allow(bytes); }

 private:
  [[nodiscard]] bool reals(std::span<const std::uint8_t> stream, std::size_t count, Integers& to);
  IntegerScratch ints_;
  FrameReader frames_;
};

}  // namespace honeylink::telemetry::store
