// See text.h. One decoder serves all; plain ASCII is skipped eight bytes at a time before it is asked.
#include "base/text.h"

#include <array>
#include <cstring>

namespace honeylink::telemetry {
namespace {

struct Decoded {
  char32_t value;
  std::size_t bytes;  // taken: of an invalid part, its maximal subpart
  bool valid;
};

bool is_tail(char c) noexcept { return (static_cast<std::uint8_t>(c) & 0xc0U) == 0x80U; }

// Table 3-7 of Unicode: what may stand second depends on the first byte.
bool second_fits(std::uint8_t first, std::uint8_t second) noexcept {
  switch (first) {
    case 0xe0:
      return second >= 0xa0 && second <= 0xbf;
    case 0xed:
      return second >= 0x80 && second <= 0x9f;
    case 0xf0:
      return second >= 0x90 && second <= 0xbf;
    case 0xf4:
      return second >= 0x80 && second <= 0x8f;
    default:
      return second >= 0x80 && second <= 0xbf;
  }
}

Decoded decode(std::string_view text) noexcept {
  const auto first = static_cast<std::uint8_t>(text[0]);
  if (first < 0x80) return {first, 1, true};
  const std::size_t whole = first >= 0xc2 && first <= 0xdf   ? 2
                            : first >= 0xe0 && first <= 0xef ? 3
                            : first >= 0xf0 && first <= 0xf4 ? 4
                                                             : 0;
  if (whole == 0 || text.size() < 2 || !second_fits(first, static_cast<std::uint8_t>(text[1])))
    return {0xfffd, 1, false};
  char32_t value = first & (0x7fU >> whole);
  value = (value << 6) | (static_cast<std::uint8_t>(text[1]) & 0x3fU);
  for (std::size_t i = 2; i < whole; ++i) {
    if (i >= text.size() || !is_tail(text[i])) return {0xfffd, i, false};
    value = (value << 6) | (static_cast<std::uint8_t>(text[i]) & 0x3fU);
  }
  return {value, whole, true};
}

std::uint64_t load64(const char* at) noexcept {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}
constexpr std::uint64_t kOnes = 0x0101010101010101ULL, kTops = 0x8080808080808080ULL;

std::size_t ascii_prefix(std::string_view text) noexcept {
  std::size_t n = 0;
  for (; n + 8 <= text.size() && (load64(text.data() + n) & kTops) == 0; n += 8) {}
  while (n < text.size() && static_cast<std::uint8_t>(text[n]) < 0x80) ++n;
  return n;
}

constexpr std::array<bool, 256> make_plain() noexcept {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7f; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}
constexpr std::array<bool, 256> kPlain = make_plain();

// 0x80 in every byte that may not stand in JSON as it is; exact where the lowest such byte is concerned, which is all
// that is used.
std::uint64_t not_plain(std::uint64_t w) noexcept {
  const auto zero_byte = [](std::uint64_t v) { return (v - kOnes) & ~v & kTops; };
  const std::uint64_t below_space = (w - kOnes * 0x20) & ~w & kTops;
  return (w & kTops) | below_space | zero_byte(w ^ kOnes * '"') | zero_byte(w ^ kOnes * '\\') |
         zero_byte(w ^ kOnes * 0x7f);
}

std::size_t plain_prefix(std::string_view text) noexcept {
  std::size_t n = 0;
  for (; n + 8 <= text.size() && not_plain(load64(text.data() + n)) == 0; n += 8) {}
  while (n < text.size() && kPlain[static_cast<std::uint8_t>(text[n])]) ++n;
  return n;
}

constexpr char kDigits[] = "0123456789abcdef";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

void append_u(std::string& to, char32_t c) {  // all controls are below U+10000
  const char escaped[] = {
      '\\', 'u', kDigits[(c >> 12) & 15U], kDigits[(c >> 8) & 15U], kDigits[(c >> 4) & 15U], kDigits[c & 15U]};
  to.append(escaped, sizeof escaped);
}

bool append_short_escape(std::string& to, char32_t c) {
  switch (c) {
    case '\n':
      to += "\\n";
      return true;
    case '\r':
      to += "\\r";
      return true;
    case '\t':
      to += "\\t";
      return true;
    default:
      return false;
  }
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  for (;;) {
    text.remove_prefix(ascii_prefix(text));
    if (text.empty()) return true;
    const Decoded c = decode(text);
    if (!c.valid) return false;
    text.remove_prefix(c.bytes);
  }
}

void append_utf8(std::string& to, char32_t value) {
  const auto put = [&to](char32_t bits) { to += static_cast<char>(static_cast<unsigned char>(bits)); };
  if (value < 0x80) {
    put(value);
  } else if (value < 0x800) {
    put(0xc0 | (value >> 6)), put(0x80 | (value & 0x3f));
  } else if (value < 0x10000) {
    put(0xe0 | (value >> 12)), put(0x80 | ((value >> 6) & 0x3f)), put(0x80 | (value & 0x3f));
  } else {
    put(0xf0 | (value >> 18)), put(0x80 | ((value >> 12) & 0x3f)), put(0x80 | ((value >> 6) & 0x3f)),
        put(0x80 | (value & 0x3f));
  }
}

std::size_t utf8_cut(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max) return text.size();
  std::size_t end = bytes_max;
  // At most three bytes of a character stand before the cut; more tail bytes than that are not UTF-8.
  for (int back = 0; back < 3 && end > 0 && is_tail(text[end]); ++back) --end;
  return is_tail(text[end]) ? bytes_max : end;
}

std::size_t append_valid_utf8(std::string& to, std::string_view text) {
  std::size_t replaced = 0;
  while (!text.empty()) {
    const std::size_t plain = ascii_prefix(text);
    to.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    const Decoded c = decode(text);
    to.append(c.valid ? text.substr(0, c.bytes) : kReplacement);
    replaced += c.valid ? 0 : 1;
    text.remove_prefix(c.bytes);
  }
  return replaced;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  append_valid_utf8(valid, text);
  return valid;
}

bool is_control(char32_t c) noexcept {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x61c || c == 0x200e || c == 0x200f ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

void append_json_escaped(std::string& to, std::string_view text) {
  while (!text.empty()) {
    const std::size_t plain = plain_prefix(text);
    to.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    const Decoded c = decode(text);
    if (c.value == '"' || c.value == '\\') {
      to += '\\';
      to += static_cast<char>(c.value);
    } else if (!c.valid) {
      to += kReplacement;
    } else if (!is_control(c.value)) {
      to.append(text.substr(0, c.bytes));
    } else if (!append_short_escape(to, c.value)) {
      append_u(to, c.value);
    }
    text.remove_prefix(c.bytes);
  }
}

void append_json_string(std::string& to, std::string_view text) {
  to += '"';
  append_json_escaped(to, text);
  to += '"';
}

std::string terminal_safe(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const Decoded c = decode(text);
    if (!c.valid) {
      safe += kReplacement;
    } else if (!is_control(c.value)) {
      safe.append(text.substr(0, c.bytes));
    } else if (!append_short_escape(safe, c.value)) {
      if (c.value > 0xff) append_u(safe, c.value);
      else (safe += "\\x") += {kDigits[c.value >> 4], kDigits[c.value & 15U]};
    }
    text.remove_prefix(c.bytes);
  }
  return safe;
}

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t b : bytes) text += {kDigits[b >> 4], kDigits[b & 15U]};
  return text;
}

bool unhex(std::string_view text, std::span<std::uint8_t> to) noexcept {
  if (text.size() != to.size() * 2) return false;
  const auto digit = [](char c) noexcept -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  for (std::size_t i = 0; i < to.size(); ++i) {
    const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    to[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

}  // namespace honeylink::telemetry
