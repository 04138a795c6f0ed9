// See otlp_items.h.
#include "export/otlp_items.h"

#include <cstring>
#include <protozero/pbf_writer.hpp>

#include "base/text.h"
#include "export/otlp_fields.h"

namespace honeylink::telemetry::exporting {
namespace {

using otlp::tag_of;
using protozero::pbf_writer;

std::size_t varint_bytes(std::uint64_t value) noexcept {
  return static_cast<std::size_t>(protozero::length_of_varint(value));
}
// A field of bytes whose number is below 16.
std::size_t field_bytes(std::size_t size) noexcept { return 1 + varint_bytes(size) + size; }

std::size_t bytes_of_integer(std::int64_t value) noexcept {
  return 1 + varint_bytes(static_cast<std::uint64_t>(value));
}

// One AnyValue of a KeyValue: its size first, then its bytes.
struct Scalar {
  std::size_t bytes = 0;
  const store::StoredItem& item;
  std::string hex;  // of an id

  explicit Scalar(const store::StoredItem& from) : item(from) {
    switch (item.type) {
      case ItemType::boolean:
        bytes = 2;
        break;
      case ItemType::integer:
        bytes = bytes_of_integer(item.integer);
        break;
      case ItemType::real:
        bytes = 9;
        break;
      case ItemType::id:
        hex = telemetry::hex({reinterpret_cast<const std::uint8_t*>(item.text.data()), item.text.size()});
        bytes = field_bytes(hex.size());
        break;
      default:
        bytes = field_bytes(item.text.size());
    }
  }
  void write(pbf_writer& any) const {
    switch (item.type) {
      case ItemType::boolean:
        return any.add_bool(tag_of(otlp::AnyValue::bool_value), item.boolean);
      case ItemType::integer:
        return any.add_int64(tag_of(otlp::AnyValue::int_value), item.integer);
      case ItemType::real:
        return any.add_double(tag_of(otlp::AnyValue::double_value), item.real);
      case ItemType::id:
        return any.add_string(tag_of(otlp::AnyValue::string_value), hex);
      default:
        return any.add_string(tag_of(otlp::AnyValue::string_value), item.text.data(), item.text.size());
    }
  }
};

template <class T>
T element(std::span<const std::uint8_t> bytes, std::size_t index) noexcept {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof value, sizeof value);
  return value;
}

template <class Write>
void put_element(pbf_writer& array, Write write) {
  pbf_writer any(array, tag_of(otlp::ArrayValue::values));
  write(any);
}

void put_array(pbf_writer& array, const store::StoredItem& item) {
  const auto bytes = item.elements;
  switch (item.type) {
    case ItemType::booleans:
      for (const std::uint8_t b : bytes)
        put_element(array, [&](pbf_writer& any) { any.add_bool(tag_of(otlp::AnyValue::bool_value), b != 0); });
      return;
    case ItemType::integers:
      for (std::size_t i = 0; i < bytes.size() / 8; ++i)
        put_element(array, [&](pbf_writer& any) {
          any.add_int64(tag_of(otlp::AnyValue::int_value), element<std::int64_t>(bytes, i));
        });
      return;
    case ItemType::reals:
      for (std::size_t i = 0; i < bytes.size() / 8; ++i)
        put_element(array, [&](pbf_writer& any) {
          any.add_double(tag_of(otlp::AnyValue::double_value), element<double>(bytes, i));
        });
      return;
    default:
      for (auto rest = bytes; rest.size() >= 2;) {
        const std::size_t size = std::min<std::size_t>(element<std::uint16_t>(rest, 0), rest.size() - 2);
        put_element(array, [&](pbf_writer& any) {
          any.add_string(tag_of(otlp::AnyValue::string_value), reinterpret_cast<const char*>(rest.data()) + 2, size);
        });
        rest = rest.subspan(2 + size);
      }
  }
}

void put_list(std::string& to, std::uint32_t tag, const store::StoredItem& item, std::string_view key) {
  pbf_writer parent(to);
  pbf_writer pair(parent, tag);
  pair.add_string(tag_of(otlp::KeyValue::key), key.data(), key.size());
  pbf_writer any(pair, tag_of(otlp::KeyValue::value));
  pbf_writer array(any, tag_of(otlp::AnyValue::array_value));
  put_array(array, item);
}

}  // namespace

void put_attribute(std::string& to, std::uint32_t tag, const store::StoredItem& item, SpanNames& names) {
  if (item.type >= ItemType::event) return;
  const std::string_view key = names.text(item.key);
  if (key.empty()) return;  // OTLP: keys are not empty
  if (item.type >= ItemType::booleans) return put_list(to, tag, item, key);
  const Scalar value(item);
  pbf_writer parent(to);
  pbf_writer pair(parent, tag, field_bytes(key.size()) + field_bytes(value.bytes));
  pair.add_string(tag_of(otlp::KeyValue::key), key.data(), key.size());
  pbf_writer any(pair, tag_of(otlp::KeyValue::value), value.bytes);
  value.write(any);
}

void put_bool_attribute(std::string& to, std::uint32_t tag, std::string_view key, bool value) {
  pbf_writer parent(to);
  pbf_writer pair(parent, tag);
  pair.add_string(tag_of(otlp::KeyValue::key), key.data(), key.size());
  pbf_writer any(pair, tag_of(otlp::KeyValue::value));
  any.add_bool(tag_of(otlp::AnyValue::bool_value), value);
}

}  // namespace honeylink::telemetry::exporting
