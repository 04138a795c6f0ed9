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

/// 1 to kTextBytesMax bytes, and zeros up to `end`, the next multiple of 4 (the padding never shows old bytes). Reads
/// nothing outside of the text.
[[gnu::always_inline]] inline void copy_text(std::uint8_t* to, std::uint8_t* end, const char* from,
                                             std::size_t size) noexcept {
  const std::uint32_t zero = 0;
  std::memcpy(end - 4, &zero, 4);
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

// A value that is not plain claims more room than there is.
inline constexpr std::size_t kPlainRoomMax = 4 * Value::kNotPlain - 1;

/// What write_plain_items() may write behind the end of the last item.
inline constexpr std::size_t kPlainItemSlack = 4;

/// Writes one item; answers its end, which is `limit` at most: kPlainRoomMax bytes behind `at` or less. nullptr: it is
/// not plain, or there is no room.
[[gnu::always_inline]] inline std::uint8_t* write_plain_item(std::uint8_t* at, const std::uint8_t* limit,
                                                             const Key& key, const Value& value) noexcept {
  const NameEntry& named = home_of_name(key.word());
  const std::uint32_t form = value.form();
  std::uint8_t* const next = at + std::uint64_t{static_cast<std::uint8_t>(form >> 8U)} * 4;
  if (named.word.load(std::memory_order_acquire) != key.word() || next > limit) [[unlikely]]
    return nullptr;
  const std::uint32_t head = (form & 0xffff0000U) | named.id;
  std::memcpy(at, &head, sizeof head);
  if ((form & 0xffU) == static_cast<std::uint32_t>(ItemType::text)) {
    copy_text(at + sizeof(ItemHeader), next, value.text().data(), form >> 20U);
  } else {
    const std::int64_t bits = value.integer();  // of any of the three; a boolean's is cut by the next item
    std::memcpy(at + sizeof(ItemHeader), &bits, 8);
  }
  return next;
}

/// Writes all items or answers nullptr.
[[gnu::always_inline]] inline std::uint8_t* write_plain_items(std::uint8_t* at, const std::uint8_t* limit,
                                                              const Attribute* attributes, std::size_t count) noexcept {
  if (count > kItemsPerRecordMax) [[unlikely]]
    return nullptr;
  for (const Attribute *a = attributes, *stop = attributes + count; a != stop; ++a) {
    at = write_plain_item(at, limit, a->key, a->value);
    if (at == nullptr) [[unlikely]]
      return nullptr;
  }
  return at;
}

}  // namespace honeylink::telemetry::internal
