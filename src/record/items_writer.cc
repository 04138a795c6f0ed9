// See items_writer.h.
#include "record/items_writer.h"

#include <cstdio>
#include <cstring>

#include "base/limits.h"
#include "base/text.h"
#include "record/count.h"
#include "record/names.h"

namespace honeylink::telemetry::internal {
namespace {

constexpr std::size_t kBigIntegerDigits = 20;

std::uint8_t* put(std::uint8_t* at, ItemType type, std::uint16_t key, const void* bytes, std::size_t size) noexcept {
  const ItemHeader header{key, item_type_size(type, size)};
  std::memcpy(at, &header, sizeof header);
  std::uint32_t zero = 0;
  if (size != 0) {
    std::memcpy(at + sizeof header + (padded4(size) - 4), &zero, 4);  // the padding never shows old bytes
    std::memcpy(at + sizeof header, bytes, size);
  }
  return at + sizeof header + padded4(size);
}

std::string_view cut_text(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max) [[likely]]
    return text;
  count(ProcessCounter::value_cut);
  return text.substr(0, utf8_cut(text, bytes_max));
}

std::uint8_t* put_id(std::uint8_t* at, std::uint16_t key, const HashedId& id) noexcept {
  std::uint32_t kind = intern(id.kind(), NameKind::key);
  if (kind >= kUnknownName) kind = kOtherName;
  const std::string_view raw = cut_text(id.raw(), kTextBytesMax - 2);
  std::uint8_t payload[kTextBytesMax];
  const auto kind16 = static_cast<std::uint16_t>(kind);
  std::memcpy(payload, &kind16, sizeof kind16);
  std::memcpy(payload + sizeof kind16, raw.data(), raw.size());
  return put(at, ItemType::id, key, payload, sizeof kind16 + raw.size());
}

std::size_t elements_that_fit(const Value& value, std::size_t each) noexcept {
  const std::size_t fit = kTextBytesMax / each;
  if (value.size() <= fit) return value.size();
  count(ProcessCounter::value_cut);
  return fit;
}

std::uint8_t* put_texts(std::uint8_t* at, std::uint16_t key, const Value& value) noexcept {
  const auto* texts = static_cast<const std::string_view*>(value.array());
  std::uint8_t payload[kTextBytesMax];
  std::size_t size = 0;
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    if (size + 2 > sizeof payload) {
      count(ProcessCounter::value_cut);
      break;
    }
    const std::string_view text = cut_text(texts[i], sizeof payload - size - 2);
    const auto text_size = static_cast<std::uint16_t>(text.size());
    std::memcpy(payload + size, &text_size, 2);
    std::memcpy(payload + size + 2, text.data(), text.size());
    size += 2 + text.size();
  }
  return put(at, ItemType::texts, key, payload, size);
}

// Unsigned values above INT64_MAX travel as decimal text (OpenTelemetry, "Mapping to AnyValue, integers").
std::uint8_t* put_integer(std::uint8_t* at, std::uint16_t key, const Value& value) noexcept {
  const std::int64_t n = value.integer();
  if (value.size() == 0) [[likely]]
    return put(at, ItemType::integer, key, &n, sizeof n);
  char digits[kBigIntegerDigits + 1];
  const int size = std::snprintf(digits, sizeof digits, "%llu", static_cast<unsigned long long>(n));
  return put(at, ItemType::text, key, digits, static_cast<std::size_t>(size));
}

}  // namespace

std::uint32_t item_bytes_slow(const Value& value) noexcept {
  std::size_t payload = 8;
  switch (value.type()) {
    case Value::Type::boolean:
    case Value::Type::real:
      break;
    case Value::Type::integer:
      payload = value.size() == 0 ? 8 : kBigIntegerDigits;
      break;
    case Value::Type::text:
      payload = value.size() < kTextBytesMax ? value.size() : kTextBytesMax;
      break;
    case Value::Type::id:
      payload = value.id().raw().size() + 2 < kTextBytesMax ? value.id().raw().size() + 2 : kTextBytesMax;
      break;
    default:
      payload = kTextBytesMax;
  }
  return static_cast<std::uint32_t>(sizeof(ItemHeader) + padded4(payload));
}

std::uint8_t* write_item(std::uint8_t* at, const std::uint8_t* limit, const Key& key, const Value& value) noexcept {
  const std::uint32_t id = intern(key, NameKind::key);
  if (id >= kUnknownName) return at;
  if (limit - at < static_cast<std::ptrdiff_t>(item_bytes(value))) return nullptr;
  const auto key16 = static_cast<std::uint16_t>(id);
  switch (value.type()) {
    case Value::Type::boolean: {
      const std::uint8_t b = value.integer() != 0;
      return put(at, ItemType::boolean, key16, &b, 1);
    }
    case Value::Type::integer:
      return put_integer(at, key16, value);
    case Value::Type::real: {
      const double d = value.real();
      return put(at, ItemType::real, key16, &d, sizeof d);
    }
    case Value::Type::text:
      return write_text(at, ItemType::text, key16, value.text(), kTextBytesMax);
    case Value::Type::id:
      return put_id(at, key16, value.id());
    case Value::Type::booleans:
      return put(at, ItemType::booleans, key16, value.array(), elements_that_fit(value, 1));
    case Value::Type::integers:
      return put(at, ItemType::integers, key16, value.array(), 8 * elements_that_fit(value, 8));
    case Value::Type::reals:
      return put(at, ItemType::reals, key16, value.array(), 8 * elements_that_fit(value, 8));
    case Value::Type::texts:
      return put_texts(at, key16, value);
  }
  return at;
}

WrittenItems write_items(std::uint8_t* at, const std::uint8_t* limit, const Attribute* attributes,
                         std::size_t count) noexcept {
  const auto wanted = static_cast<std::uint32_t>(count < kItemsPerRecordMax ? count : kItemsPerRecordMax);
  std::uint32_t refused = static_cast<std::uint32_t>(count) - wanted, items = 0;
  for (std::uint32_t i = 0; i < wanted; ++i) {
    std::uint8_t* end = write_item(at, limit, attributes[i].key, attributes[i].value);
    if (end == nullptr) return {at, items, wanted - i, refused};
    ++(end == at ? refused : items);
    at = end;
  }
  return {at, items, 0, refused};
}

std::uint8_t count_left_out(std::size_t n) noexcept {
  count(ProcessCounter::attribute_dropped, n);
  return static_cast<std::uint8_t>(n < 255 ? n : 255);
}

std::uint8_t* write_text(std::uint8_t* at, ItemType type, std::uint16_t key, std::string_view text,
                         std::size_t bytes_max) noexcept {
  text = cut_text(text, bytes_max);
  return put(at, type, key, text.data(), text.size());
}

}  // namespace honeylink::telemetry::internal
