// A chunk's bytes split into records, each checked to its last item: what comes out of here is sound, so that nobody
// behind it checks again. Used through reader.h by whoever reads records; inline, because a drain does little else.
//
// Must stay true: nothing beyond the bytes that were given is read, whatever they say of themselves.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/items.h"
#include "base/limits.h"
#include "ring/layout.h"

namespace honeylink::telemetry::ring {

/// A record inside a ChunkCopy: header (size, type, flags, item bytes) and items are checked.
struct RawRecord {
  RecordClass record_class = RecordClass::log;
  std::span<const std::uint8_t> bytes;
  std::span<const std::uint8_t> items;  // the part of `bytes` that is items, without the padding behind them
};

/// Whether an item that has an inside, or no one fixed size, is sound. `type_size` as in ItemHeader; the payload is
/// whole.
[[nodiscard]] bool is_sound_inside(const std::uint8_t* item, unsigned type_size, bool nested) noexcept;

// By type: which bits of type_size must be what; nothing ever equals kLookInside, for which is_sound_inside() speaks.
// One look-up settles nearly every item.
struct ItemRule {
  std::uint16_t mask, value;
};
inline constexpr ItemRule kOneByte{0xfff0, 1U << 4U}, kEightBytes{0xfff0, 8U << 4U}, kAnySize{0, 0},
    kLookInside{0, 0xffff};
inline constexpr ItemRule kItemRules[16] = {kOneByte,    kEightBytes, kEightBytes, kAnySize,    kLookInside, kAnySize,
                                            kLookInside, kLookInside, kLookInside, kLookInside, kLookInside, kAnySize,
                                            kAnySize,    kAnySize,    kAnySize,    kLookInside};
static_assert(kItemTypes == 15 && static_cast<int>(ItemType::boolean) == 0 && static_cast<int>(ItemType::id) == 4 &&
              static_cast<int>(ItemType::booleans) == 5 && static_cast<int>(ItemType::link) == 10 &&
              static_cast<int>(ItemType::keep_reason) == 14);

/// The end of the item at `at`, or nullptr where it is not sound. Both pointers are 4-byte steps of one record.
[[nodiscard]] inline const std::uint8_t* end_of_item(const std::uint8_t* at, const std::uint8_t* end,
                                                     bool nested) noexcept {
  const auto left = static_cast<std::size_t>(end - at);
  if (left < sizeof(ItemHeader)) return nullptr;
  std::uint16_t type_size;
  std::memcpy(&type_size, at + offsetof(ItemHeader, type_size), sizeof type_size);
  const std::size_t whole = sizeof(ItemHeader) + padded4(type_size >> 4U);
  if (whole > left) return nullptr;
  const ItemRule rule = kItemRules[type_size & 15U];
  if ((type_size & rule.mask) == rule.value) [[likely]]
    return at + whole;
  return rule.value == kLookInside.value && is_sound_inside(at, type_size, nested) ? at + whole : nullptr;
}

/// Splits a chunk's bytes into records. Stops at the first that is not sound; `damaged()` says so. A value; the bytes
/// must outlive it.
class RecordCursor {
 public:
  explicit RecordCursor(std::span<const std::uint8_t> bytes) noexcept
      : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool next(RawRecord& record) noexcept {
    const auto left = static_cast<std::size_t>(end_ - at_);
    if (left < sizeof(RecordHeader)) return left != 0 && fail();
    RecordHeader header;
    std::memcpy(&header, at_, sizeof header);
    const bool is_span = header.type == RecordType::span;
    if (!is_span && header.type != RecordType::log) return fail();
    const std::size_t fixed = is_span ? sizeof(SpanRecord) : sizeof(LogRecord);
    if (header.bytes < fixed || header.bytes % 8 != 0 || header.bytes > std::min(left, kRecordBytesMax)) return fail();
    static_assert(sizeof(SpanRecord) - offsetof(SpanRecord, items) == sizeof(LogRecord) - offsetof(LogRecord, items));
    std::uint16_t items;
    std::memcpy(&items, at_ + fixed - (sizeof(LogRecord) - offsetof(LogRecord, items)), sizeof items);
    const std::uint8_t *item = at_ + fixed, *const end = at_ + header.bytes;
    for (; items > 0; --items) {
      if ((item = end_of_item(item, end, false)) == nullptr) return fail();
    }
    if (end - item >= 8) return fail();  // only padding may follow the items
    record.bytes = {at_, header.bytes};
    record.items = {at_ + fixed, item};
    record.record_class = !is_span                          ? RecordClass::log
                          : (header.flags & kFlagKept) != 0 ? RecordClass::kept_span
                                                            : RecordClass::unsampled_span;
    at_ = end;
    return true;
  }
  [[nodiscard]] bool damaged() const noexcept { return damaged_; }

 private:
  bool fail() noexcept {
    damaged_ = true;
    at_ = end_;
    return false;
  }
  const std::uint8_t *at_, *end_;
  bool damaged_ = false;
};

}  // namespace honeylink::telemetry::ring
