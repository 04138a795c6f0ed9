// What the stores' blobs need beside base/coding.h: writing through a pointer into room that was reserved for the worst
// case, and times that may come from a hostile ring.
#pragma once
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "base/coding.h"

namespace honeylink::telemetry::store {

inline std::uint8_t* encode_bytes(std::uint8_t* to, const void* from, std::size_t size) noexcept {
  if (size != 0) std::memcpy(to, from, size);
  return to + size;
}
template <class T>
std::uint8_t* encode_fixed(std::uint8_t* to, T value) noexcept {
  return encode_bytes(to, &value, sizeof value);
}

constexpr std::int64_t wrapping_difference(std::int64_t a, std::int64_t b) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
constexpr std::int64_t wrapping_sum(std::int64_t a, std::int64_t b) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

inline std::string_view as_text(std::span<const std::uint8_t> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline std::span<const std::uint8_t> as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// A number that is a count of 32 bits; a larger one fails the decoder.
inline std::uint32_t varint32(Decoder& in) noexcept {
  const std::uint64_t value = in.varint();
  if (value <= 0xffff'ffffU) return static_cast<std::uint32_t>(value);
  in.bytes(~std::uint64_t{0});
  return 0;
}

}  // namespace honeylink::telemetry::store
