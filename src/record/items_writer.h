// Attributes to items (base/items.h). Names are interned on the way; nothing allocates after a key's first use. The
// common types are inlined here, the others are in items_writer.cc.
#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/items.h"
#include "base/limits.h"
#include "honeylink/attribute.h"
#include "record/names.h"

namespace honeylink::telemetry::internal {

/// Upper bound of what write_item() writes for this value, header and padding included.
[[nodiscard]] std::uint32_t item_bytes_slow(const Value& value) noexcept;
[[nodiscard]] inline std::uint32_t item_bytes(const Value& value) noexcept {
  if (value.type() == Value::Type::text && value.size() <= kTextBytesMax)
    return static_cast<std::uint32_t>(sizeof(ItemHeader) + padded4(value.size()));
  if ((value.type() == Value::Type::integer && value.size() == 0) || value.type() == Value::Type::real)
    return sizeof(ItemHeader) + 8;
  return item_bytes_slow(value);
}
[[nodiscard]] inline std::uint32_t items_bytes(const Attribute* attributes, std::size_t count) noexcept {
  std::uint32_t bytes = 0;
  for (std::size_t i = 0; i < count && i < kItemsPerRecordMax; ++i) bytes += item_bytes(attributes[i].value);
  return bytes;
}

/// Writes one item that ends at `limit` at the latest; answers its end. `at` unchanged: the key was refused. nullptr:
/// no room, nothing that counts was written.
std::uint8_t* write_item(std::uint8_t* at, const std::uint8_t* limit, const Key& key, const Value& value) noexcept;

struct WrittenItems {
  std::uint8_t* end;
  std::uint32_t items;     // written
  std::uint32_t rest;      // attributes at the end for which there was no room
  std::uint32_t left_out;  // refused keys, and what is over kItemsPerRecordMax
};
/// Writes items until the room or the attributes end.
WrittenItems write_items(std::uint8_t* at, const std::uint8_t* limit, const Attribute* attributes,
                         std::size_t count) noexcept;
/// Counts what write_items() left out; answers it as a record holds it.
std::uint8_t count_left_out(std::size_t n) noexcept;

/// An item of text without a key: status_text, message, trace_state, keep_reason. Cut at `bytes_max`, counted.
std::uint8_t* write_text(std::uint8_t* at, ItemType type, std::uint16_t key, std::string_view text,
                         std::size_t bytes_max) noexcept;
[[nodiscard]] constexpr std::uint32_t text_bytes(std::string_view text, std::size_t bytes_max) noexcept {
  return static_cast<std::uint32_t>(sizeof(ItemHeader) + padded4(text.size() < bytes_max ? text.size() : bytes_max));
}

inline void saturate_add(std::uint8_t& to, std::size_t n) noexcept {
  to = static_cast<std::uint8_t>(to + n > 255 ? 255 : to + n);
}

}  // namespace honeylink::telemetry::internal
