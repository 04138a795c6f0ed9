// Attributes, events, links and labels as bytes: one form from the recorder's memory to the stores. An item is a key
// (an id in some table of texts: the ring's, or a store's), a type and a payload of at most 4,095 bytes, padded to 4.
//
// Written by record, checked and read by ring's reader, rewritten by scrub, read by the stores. ItemCursor trusts
// nothing: it stops at the first item that does not fit into the bytes it was given.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace honeylink::telemetry {

enum class ItemType : std::uint8_t {
  boolean = 0,
  integer = 1,
  real = 2,
  text = 3,
  id = 4,
  booleans = 5,
  integers = 6,
  reals = 7,
  texts = 8,
  event = 9,
  link = 10,
  status_text = 11,
  trace_state = 12,
  message = 13,
  keep_reason = 14,
};
inline constexpr std::uint8_t kItemTypes = 15;

struct ItemHeader {
  std::uint16_t key;        // text id of the key; 0 where the type needs none
  std::uint16_t type_size;  // type:4 (low) | payload bytes:12
};
static_assert(sizeof(ItemHeader) == 4);
// Payloads: boolean u8 · integer i64 · real f64 · text bytes · id {u16 text id of the kind, raw bytes} · booleans u8… ·
// integers i64… · reals f64… · texts {u16 size, bytes}… · event {u32 name, u64 time in Unix ns, items} · link {u8[16]
// trace, u8[8] span, u32 flags, items} · status_text, trace_state, message, keep_reason: bytes. Multi-byte payloads are
// not aligned: copy them out.
inline constexpr std::size_t kItemPayloadMax = 4095;
inline constexpr std::size_t kEventHeadBytes = 12;
inline constexpr std::size_t kLinkHeadBytes = 28;

constexpr std::size_t padded4(std::size_t n) noexcept { return (n + 3U) & ~std::size_t{3}; }
constexpr std::uint16_t item_type_size(ItemType type, std::size_t size) noexcept {
  return static_cast<std::uint16_t>(static_cast<unsigned>(type) | (static_cast<unsigned>(size) << 4));
}

struct Item {
  std::uint16_t key = 0;
  ItemType type = ItemType::boolean;
  std::span<const std::uint8_t> payload;

  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(payload.data()), payload.size()};
  }
  template <class T>
  [[nodiscard]] T as(
      std::size_t offset = 0) const noexcept {  // the payload is checked to be large enough by ItemCursor
    T value;
    std::memcpy(&value, payload.data() + offset, sizeof value);
    return value;
  }
};

/// Walks over items. Not thread-safe; a value. `damaged()` after the walk says whether it stopped before the end.
class ItemCursor {
 public:
  explicit ItemCursor(std::span<const std::uint8_t> bytes) noexcept : rest_(bytes) {}
  /// False at the end, or at the first item that is not whole or whose payload is too small for its type.
  bool next(Item& item) noexcept {
    if (rest_.empty()) return false;
    ItemHeader header;
    if (rest_.size() < sizeof header) return fail();
    std::memcpy(&header, rest_.data(), sizeof header);
    const std::size_t size = header.type_size >> 4;
    const auto type = static_cast<std::uint8_t>(header.type_size & 15U);
    const std::size_t whole = sizeof header + padded4(size);
    if (type >= kItemTypes || whole > rest_.size() || !fits(static_cast<ItemType>(type), size)) return fail();
    item = {header.key, static_cast<ItemType>(type), rest_.subspan(sizeof header, size)};
    rest_ = rest_.subspan(whole);
    return true;
  }
  [[nodiscard]] bool damaged() const noexcept { return damaged_; }

 private:
  static constexpr bool fits(ItemType type, std::size_t size) noexcept {
    switch (type) {
      case ItemType::boolean:
        return size == 1;
      case ItemType::integer:
      case ItemType::real:
        return size == 8;
      case ItemType::id:
        return size >= 2;
      case ItemType::integers:
      case ItemType::reals:
        return size % 8 == 0;
      case ItemType::event:
        return size >= kEventHeadBytes;
      case ItemType::link:
        return size >= kLinkHeadBytes;
      default:
        return true;
    }
  }
  bool fail() noexcept {
    damaged_ = true;
    rest_ = {};
    return false;
  }
  std::span<const std::uint8_t> rest_;
  bool damaged_ = false;
};

}  // namespace honeylink::telemetry
