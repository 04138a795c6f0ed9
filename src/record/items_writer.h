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

// n ≤ 16 without a call; reads nothing outside [from, from + n).
inline void copy_short(std::uint8_t* to, const char* from, std::size_t n) noexcept {
  if (n > 16) [[unlikely]] {
    std::memcpy(to, from, n);
  } else if (n >= 8) {
    std::uint64_t a, b;
    std::memcpy(&a, from, 8);
    std::memcpy(&b, from + n - 8, 8);
    std::memcpy(to, &a, 8);
    std::memcpy(to + n - 8, &b, 8);
  } else if (n >= 4) {
    std::uint32_t a, b;
    std::memcpy(&a, from, 4);
    std::memcpy(&b, from + n - 4, 4);
    std::memcpy(to, &a, 4);
    std::memcpy(to + n - 4, &b, 4);
  } else if (n != 0) {
    to[0] = static_cast<std::uint8_t>(from[0]);
    to[n / 2] = static_cast<std::uint8_t>(from[n / 2]);
    to[n - 1] = static_cast<std::uint8_t>(from[n - 1]);
  }
}

/// Writes one item; answers its end. `at` unchanged: the key was refused.
std::uint8_t* write_item_slow(std::uint8_t* at, const Key& key, const Value& value) noexcept;
inline std::uint8_t* write_item(std::uint8_t* at, const Key& key, const Value& value) noexcept {
  const std::uint32_t id = find_name(key.word());
  if (id >= kUnknownName) [[unlikely]]
    return write_item_slow(at, key, value);
  if (value.type() == Value::Type::text && value.size() <= kTextBytesMax) {
    const std::size_t size = value.size();
    const ItemHeader header{static_cast<std::uint16_t>(id), item_type_size(ItemType::text, size)};
    std::memcpy(at, &header, sizeof header);
    if (size == 0) return at + sizeof header;
    const std::uint32_t zero = 0;
    std::memcpy(at + padded4(size), &zero, 4);  // the padding never shows old bytes
    copy_short(at + sizeof header, value.text().data(), size);
    return at + sizeof header + padded4(size);
  }
  if (value.type() == Value::Type::integer ? value.size() == 0 : value.type() == Value::Type::real) {
    const ItemType type = value.type() == Value::Type::integer ? ItemType::integer : ItemType::real;
    const ItemHeader header{static_cast<std::uint16_t>(id), item_type_size(type, 8)};
    const std::int64_t bits = value.integer();  // of either
    std::memcpy(at, &header, sizeof header);
    std::memcpy(at + sizeof header, &bits, 8);
    return at + sizeof header + 8;
  }
  return write_item_slow(at, key, value);
}

/// Writes at most kItemsPerRecordMax; the rest is counted. `written` grows by the items, `dropped` by what was left
/// out.
void count_left_out(std::uint8_t& dropped, std::size_t n) noexcept;
inline std::uint8_t* write_items(std::uint8_t* at, const Attribute* attributes, std::size_t count,
                                 std::uint16_t& written, std::uint8_t& dropped) noexcept {
  std::size_t left_out = count > kItemsPerRecordMax ? count - kItemsPerRecordMax : 0;
  const std::size_t taken = count - left_out;
  for (std::size_t i = 0; i < taken; ++i) {
    std::uint8_t* end = write_item(at, attributes[i].key, attributes[i].value);
    left_out += end == at ? 1U : 0U;
    at = end;
  }
  written = static_cast<std::uint16_t>(written + (count - left_out));
  if (left_out != 0) [[unlikely]]
    count_left_out(dropped, left_out);
  return at;
}

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
