// See percent.h. UTF-8 is checked as RFC 3629 has it: no surrogates, no overlong forms, nothing above U+10FFFF.
#include "record/percent.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "record/context_text.h"

namespace honeylink::telemetry::internal {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";
constexpr std::string_view kReplacementEncoded = "%EF%BF%BD";
constexpr std::string_view kHexDigits = "0123456789ABCDEF";

// Bytes of the UTF-8 character at the front; 0 where there is none.
std::size_t character_bytes(std::string_view text) noexcept {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = at(0);
  if (first < 0x80) return 1;
  const std::size_t bytes = first >= 0xc2 && first <= 0xdf   ? 2
                            : first >= 0xe0 && first <= 0xef ? 3
                            : first >= 0xf0 && first <= 0xf4 ? 4
                                                             : 0;
  if (bytes == 0 || text.size() < bytes) return 0;
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xe0 && at(1) < 0xa0) || (first == 0xf0 && at(1) < 0x90);
  const bool beyond = (first == 0xed && at(1) >= 0xa0) || (first == 0xf4 && at(1) >= 0x90);
  return overlong || beyond ? 0 : bytes;
}

int any_hex_digit(char c) noexcept { return hex_digit(lower(c)); }

// Takes one byte, plain or encoded, off the front.
char take_byte(std::string_view& encoded) noexcept {
  char byte = encoded[0];
  std::size_t taken = 1;
  if (byte == '%' && encoded.size() >= 3 && any_hex_digit(encoded[1]) >= 0 && any_hex_digit(encoded[2]) >= 0) {
    byte = static_cast<char>(any_hex_digit(encoded[1]) << 4 | any_hex_digit(encoded[2]));
    taken = 3;
  }
  encoded.remove_prefix(taken);
  return byte;
}

constexpr bool stays(char c) noexcept { return is_baggage_octet(c) && c != '%'; }

}  // namespace

std::size_t percent_encoded_bytes(std::string_view value, bool& invalid) noexcept {
  std::size_t total = 0;
  while (!value.empty()) {
    const std::size_t bytes = character_bytes(value);
    invalid |= bytes == 0;
    total += bytes == 0 ? kReplacementEncoded.size() : stays(value[0]) ? 1 : 3 * bytes;
    value.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return total;
}

char* percent_encode(std::string_view value, char* to) noexcept {
  while (!value.empty()) {
    const std::size_t bytes = character_bytes(value);
    if (bytes == 0) {
      to = std::ranges::copy(kReplacementEncoded, to).out;
    } else if (stays(value[0])) {
      *to++ = value[0];
    } else {
      for (const char c : value.substr(0, bytes)) {
        const auto byte = static_cast<std::uint8_t>(c);
        *to++ = '%';
        *to++ = kHexDigits[byte >> 4];
        *to++ = kHexDigits[byte & 15];
      }
    }
    value.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return to;
}

char* percent_decode(std::string_view encoded, char* to, bool& invalid) noexcept {
  while (!encoded.empty()) {
    std::array<char, 4> bytes;
    std::array<std::string_view, 5> rest{encoded};  // rest[i]: what follows the i-th byte
    std::size_t count = 0;
    while (count < bytes.size() && !rest[count].empty()) {
      rest[count + 1] = rest[count];
      bytes[count] = take_byte(rest[count + 1]);
      ++count;
    }
    const std::size_t length = character_bytes({bytes.data(), count});
    invalid |= length == 0;
    // An invalid byte is three characters in its encoded form, so that the replacement never needs more room than there
    // was.
    to = length == 0 ? std::ranges::copy(kReplacement, to).out : std::copy_n(bytes.begin(), length, to);
    encoded = rest[std::max<std::size_t>(length, 1)];
  }
  return to;
}

}  // namespace honeylink::telemetry::internal
