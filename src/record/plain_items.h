// The items of the usual call: booleans, signed numbers and text that need not be cut, under keys that are known, and
// room for them. No call is made here, so that the recorder's hot functions keep everything in registers. What is not
// plain is the business of write_items(), which begins again.
#pragma once
#include <cstdint>
#include <cstring>

#include "base/items.h"
#include "base/limits.h"
#include "honeylink/attribute.h"
#include "record/names.h"

namespace honeylink::telemetry::internal {

static_assert(static_cast<int>(Value::Type::boolean) == static_cast<int>(ItemType::boolean) &&
              static_cast<int>(Value::Type::integer) == static_cast<int>(ItemType::integer) &&
              static_cast<int>(Value::Type::real) == static_cast<int>(ItemType::real) &&
              static_cast<int>(Value::Type::text) == static_cast<int>(ItemType::text) &&
              kValueBytesMax == kTextBytesMax);

// The first and the last bytes, which may overlap: two loads and two stores for any size between.
template <std::size_t kWide>
[[gnu::always_inline]] inline void copy_ends(std::uint8_t* to, const char* from, std::size_t size) noexcept {
  char first[kWide], last[kWide];
  std::memcpy(first, from, kWide);
  std::memcpy(last, from + size - kWide, kWide);
  std::memcpy(to, first, kWide);
  std::memcpy(to + size - kWide, last, kWide);
}

/// 1 to kTextBytesMax bytes, and zeros up to the next multiple of 4 (the padding never shows old bytes). Reads nothing
/// outside of the text.
[[gnu::always_inline]] inline void copy_text(std::uint8_t* to, const char* from, std::size_t size) noexcept {
  const std::uint32_t zero = 0;
  std::memcpy(to + padded4(size) - 4, &zero, 4);
  if (size >= 8) {
    if (size <= 16) return copy_ends<8>(to, from, size);
    for (std::size_t i = 16; i < size; i += 16) std::memcpy(to + i - 16, from + i - 16, 16);
    std::memcpy(to + size - 16, from + size - 16, 16);
  } else if (size >= 4) {
    copy_ends<4>(to, from, size);
  } else {
    to[0] = static_cast<std::uint8_t>(from[0]);
    to[size / 2] = static_cast<std::uint8_t>(from[size / 2]);
    to[size - 1] = static_cast<std::uint8_t>(from[size - 1]);
  }
}

/// Writes all items; answers their end. nullptr: not all are plain, or there is no room.
[[gnu::always_inline]] inline std::uint8_t* write_plain_items(std::uint8_t* at, const std::uint8_t* limit,
                                                              const Attribute* attributes, std::size_t count) noexcept {
  if (count > kItemsPerRecordMax) [[unlikely]]
    return nullptr;
  for (const Attribute *a = attributes, *stop = attributes + count; a != stop; ++a) {
    const std::uint32_t key = find_name_at_home(a->key.word());
    const std::uint32_t type_size = a->value.plain_type_size();
    if (key >= kUnusualName || type_size == 0 || limit - at < 20) [[unlikely]]
      return nullptr;
    const std::uint32_t head = key | type_size << 16U;
    std::memcpy(at, &head, sizeof head);
    if ((type_size & 15U) == static_cast<std::uint32_t>(ItemType::text)) {
      const std::size_t size = type_size >> 4U;
      if (size > 16 && static_cast<std::size_t>(limit - at) < sizeof(ItemHeader) + padded4(size)) [[unlikely]]
        return nullptr;
      copy_text(at + sizeof(ItemHeader), a->value.text().data(), size);
      at += sizeof(ItemHeader) + padded4(size);
    } else {
      const std::int64_t bits = a->value.integer();  // of any of the three
      std::memcpy(at + sizeof(ItemHeader), &bits, 8);
      at += sizeof(ItemHeader) + padded4(type_size >> 4U);
    }
  }
  return at;
}

}  // namespace honeylink::telemetry::internal
