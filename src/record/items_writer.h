// Attributes to items (base/items.h). Two passes: how many bytes at most, then the bytes. Names are interned on the way; nothing
// allocates after a key's first use.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/items.h"
#include "honeylink/attribute.h"

namespace honeylink::telemetry::internal {

/// Upper bound of what write_item() writes for this value, header and padding included.
[[nodiscard]] std::uint32_t item_bytes(const Value& value) noexcept;
[[nodiscard]] std::uint32_t items_bytes(const Attribute* attributes, std::size_t count) noexcept;

/// Writes one item; answers its end. `at` unchanged: the key was refused.
std::uint8_t* write_item(std::uint8_t* at, const Key& key, const Value& value) noexcept;
/// Writes at most kItemsPerRecordMax; the rest is counted. `written` grows by the items, `dropped` by what was left out.
std::uint8_t* write_items(std::uint8_t* at, const Attribute* attributes, std::size_t count, std::uint16_t& written, std::uint8_t& dropped) noexcept;

/// An item of text without a key: status_text, message, trace_state, keep_reason. Cut at `bytes_max`, counted.
std::uint8_t* write_text(std::uint8_t* at, ItemType type, std::uint16_t key, std::string_view text, std::size_t bytes_max) noexcept;
[[nodiscard]] constexpr std::uint32_t text_bytes(std::string_view text, std::size_t bytes_max) noexcept {
  return static_cast<std::uint32_t>(sizeof(ItemHeader) + padded4(text.size() < bytes_max ? text.size() : bytes_max));
}

inline void saturate_add(std::uint8_t& to, std::size_t n) noexcept { to = static_cast<std::uint8_t>(to + n > 255 ? 255 : to + n); }

}  // namespace honeylink::telemetry::internal
