// Columns: see unicode.h. The ranges follow Unicode 15, East Asian Width W and F, with whole blocks where all that is
// assigned in them is wide.
#include "query/unicode.h"

#include <algorithm>
#include <array>

namespace honeylink::telemetry::query {
namespace {

struct Range {
  char32_t first, last;
};

constexpr std::array<Range, 30> kCombining{
    {{0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a},   {0x064b, 0x065f},   {0x06d6, 0x06dc},
     {0x0730, 0x074a}, {0x0900, 0x0902}, {0x093c, 0x093c}, {0x0941, 0x0948},   {0x094d, 0x094d},   {0x0e31, 0x0e31},
     {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x0eb1, 0x0eb1}, {0x0eb4, 0x0ebc},   {0x1160, 0x11ff},   {0x135d, 0x135f},
     {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20f0}, {0x2de0, 0x2dff},   {0x302a, 0x302d},   {0x3099, 0x309a},
     {0xa66f, 0xa672}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0x1f3fb, 0x1f3ff}, {0xe0100, 0xe01ef}, {0x101fd, 0x101fd}}};

constexpr std::array<Range, 33> kWide{
    {{0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},  {0x23e9, 0x23ec}, {0x23f0, 0x23f0}, {0x25fd, 0x25fe},
     {0x2614, 0x2615},   {0x2648, 0x2653},   {0x267f, 0x267f},  {0x2693, 0x2693}, {0x26a1, 0x26a1}, {0x26bd, 0x26be},
     {0x26ce, 0x26ce},   {0x2705, 0x2705},   {0x270a, 0x270b},  {0x2728, 0x2728}, {0x274c, 0x274c}, {0x2753, 0x2757},
     {0x2795, 0x2797},   {0x2b50, 0x2b50},   {0x2e80, 0x303e},  {0x3041, 0x4dbf}, {0x4e00, 0xa4cf}, {0xa960, 0xa97f},
     {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},  {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x17000, 0x18cff},
     {0x1b000, 0x1b2ff}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd}}};

template <std::size_t N>
bool contains(const std::array<Range, N>& ranges, char32_t value) noexcept {
  return std::any_of(ranges.begin(), ranges.end(),
                     [value](const Range& r) { return value >= r.first && value <= r.last; });
}

std::size_t columns_of(char32_t value) noexcept {
  if (value < 0x300) return 1;
  if (contains(kCombining, value)) return 0;
  return contains(kWide, value) ? 2 : 1;
}

}  // namespace

CodePoint next_code_point(std::string_view text) noexcept {
  if (text.empty()) return {};
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  constexpr CodePoint kInvalid{0xfffd, 1};
  const std::uint8_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return kInvalid;
  char32_t value = first & (0xffU >> (length + 1));
  for (std::uint8_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return kInvalid;
    value = (value << 6) | (byte(i) & 0x3fU);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (overlong || surrogate || value > 0x10ffff) return kInvalid;
  return {value, length};
}

std::size_t columns_of(std::string_view text) noexcept {
  std::size_t columns = 0;
  while (!text.empty()) {
    const CodePoint point = next_code_point(text);
    text.remove_prefix(point.bytes);
    columns += columns_of(point.value);
  }
  return columns;
}

std::string cut_to_columns(std::string_view text, std::size_t columns, bool ascii) {
  if (columns_of(text) <= columns) return std::string(text);
  const std::string_view mark = ascii ? "~" : "…";
  if (columns == 0) return {};
  std::size_t taken = 0, bytes = 0;
  while (bytes < text.size()) {
    const CodePoint point = next_code_point(text.substr(bytes));
    const std::size_t width = columns_of(point.value);
    if (taken + width > columns - 1) break;
    taken += width, bytes += point.bytes;
  }
  return std::string(text.substr(0, bytes)).append(mark);
}

}  // namespace honeylink::telemetry::query
