// Numbers as bytes in files: little-endian fixed width, variable length (7 bits a byte, least significant first),
// zigzag for signed. Used by the stores' codecs. A Decoder trusts nothing: after the first thing that does not fit it
// stays failed and gives zeros.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace honeylink::telemetry {

static_assert(std::endian::native == std::endian::little, "files are little-endian and written as they lie in memory");

inline constexpr std::size_t kVarintBytesMax = 10;

constexpr std::uint64_t zigzag(std::int64_t n) noexcept {
  return (static_cast<std::uint64_t>(n) << 1) ^ static_cast<std::uint64_t>(n >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t n) noexcept {
  return static_cast<std::int64_t>(n >> 1) ^ -static_cast<std::int64_t>(n & 1U);
}

/// Writes up to kVarintBytesMax bytes; returns the end.
inline std::uint8_t* encode_varint(std::uint8_t* to, std::uint64_t n) noexcept {
  for (; n >= 0x80U; n >>= 7) *to++ = static_cast<std::uint8_t>(n | 0x80U);
  *to++ = static_cast<std::uint8_t>(n);
  return to;
}
constexpr std::size_t varint_bytes(std::uint64_t n) noexcept {
  return n == 0 ? 1 : (static_cast<std::size_t>(std::bit_width(n)) + 6) / 7;
}

inline void put_varint(std::string& to, std::uint64_t n) {
  std::uint8_t bytes[kVarintBytesMax];
  const std::uint8_t* end = encode_varint(bytes, n);
  to.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(end - bytes));
}
inline void put_signed(std::string& to, std::int64_t n) { put_varint(to, zigzag(n)); }
/// T: an unsigned or signed integer, float or double.
template <class T>
inline void put_fixed(std::string& to, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  to.append(bytes, sizeof bytes);
}
/// Length, then the bytes.
inline void put_text(std::string& to, std::string_view text) {
  put_varint(to, text.size());
  to.append(text);
}

/// Reads what the functions above wrote. Not thread-safe; a value; does not own the bytes.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) noexcept : rest_(bytes) {}

  std::uint64_t varint() noexcept {
    std::uint64_t n = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      if (shift == 63 && byte > 1) break;  // more than 64 bits
      n |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80U) return n;
    }
    return fail();
  }
  std::int64_t signed_varint() noexcept { return unzigzag(varint()); }
  template <class T>
  T fixed() noexcept {
    T value{};
    if (rest_.size() < sizeof value) return fail(), value;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  std::string_view bytes(std::uint64_t count) noexcept {
    if (count > rest_.size()) return fail(), std::string_view{};
    const std::string_view taken = rest_.substr(0, static_cast<std::size_t>(count));
    rest_.remove_prefix(static_cast<std::size_t>(count));
    return taken;
  }
  std::string_view text() noexcept { return bytes(varint()); }

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const noexcept { return rest_; }

 private:
  std::uint64_t fail() noexcept {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace honeylink::telemetry
