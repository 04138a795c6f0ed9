// Shapes: what the items of spans have in common, so that values of one kind stand in one column of a block
// (docs/formats/traces_db.md). The writer takes items apart, the reader puts them together again byte for byte; both
// number shapes and columns by this table.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/items.h"
#include "store/span_block_bytes.h"

namespace honeylink::telemetry::store {

/// One item without its value.
struct ItemToken {
  std::uint32_t type = 0;  // ItemType + 16 where it is an item of the event or link before it
  std::uint32_t key = 0, kind = 0;
  friend bool operator==(const ItemToken&, const ItemToken&) = default;
  [[nodiscard]] ItemType item() const noexcept { return static_cast<ItemType>(type & 15U); }
  [[nodiscard]] bool inner() const noexcept { return type >= kInner; }
  static constexpr std::uint32_t kInner = 16;
};

/// Its value: `number` of boolean, integer (zigzag undone), real (bits), event (time − start), link (flags); `text` of
/// all others and the 24 bytes of a link.
struct ItemValue {
  std::uint64_t number = 0;
  std::string_view text;
};

/// Takes the items of a hot span apart. False: not what TraceBlobWriter writes (they are kept raw), or more tokens than
/// a shape may have.
[[nodiscard]] bool take_apart(std::span<const std::uint8_t> items, std::vector<ItemToken>& tokens,
                              std::vector<ItemValue>& values);

/// Puts items together, token by token. Not thread-safe.
class ItemBuilder {
 public:
  void begin() noexcept { bytes_.clear(), inner_at_ = 0; }
  /// False: the span would be larger than any.
  [[nodiscard]] bool add(const ItemToken& token, const ItemValue& value);
  [[nodiscard]] std::span<const std::uint8_t> finish() noexcept;

 private:
  void close_inner() noexcept;
  ByteBuffer bytes_;
  std::size_t inner_at_ = 0;  // where the size of an open event or link stands
};

struct ItemShape {
  std::uint32_t span_class = 0, in_class = 0;  // its number among those of its class
  std::vector<ItemToken> tokens;
  std::vector<std::uint32_t> columns;  // of each token
};

/// The shapes of a block. Not thread-safe.
class ShapeTable {
 public:
  static constexpr std::uint32_t kNone = 0xffff'ffffU;
  void begin(std::size_t classes);
  /// The shape's number; kNone: the block has as many tokens or columns as it may.
  std::uint32_t find_or_add(std::uint32_t span_class, std::span<const ItemToken> tokens);
  /// As the reader meets them. False: beyond the bounds.
  [[nodiscard]] bool add(std::uint32_t span_class, std::vector<ItemToken> tokens);

  [[nodiscard]] const std::vector<ItemShape>& shapes() const noexcept { return shapes_; }
  [[nodiscard]] const std::vector<ItemType>& columns() const noexcept { return columns_; }
  /// kNone where the class has fewer.
  [[nodiscard]] std::uint32_t shape_of(std::uint32_t span_class, std::uint64_t in_class) const noexcept {
    const auto& list = of_class_[span_class];
    return in_class < list.size() ? list[static_cast<std::size_t>(in_class)] : kNone;
  }

 private:
  struct ColumnKey {
    std::uint32_t span_class, type, key, kind, outer_type, outer_key;
    friend bool operator==(const ColumnKey&, const ColumnKey&) = default;
  };
  struct ColumnHash {
    std::size_t operator()(const ColumnKey& key) const noexcept;
  };
  std::vector<ItemShape> shapes_;
  std::vector<std::vector<std::uint32_t>> of_class_;
  std::vector<std::uint32_t> last_of_class_;
  std::vector<ItemType> columns_;
  std::unordered_map<ColumnKey, std::uint32_t, ColumnHash> column_ids_;
  std::unordered_multimap<std::uint64_t, std::uint32_t> by_hash_;
  std::size_t tokens_ = 0;
};

}  // namespace honeylink::telemetry::store
