// See ulid.h: the ULID specification; most significant first, no I, L, O, U.
#include "base/ulid.h"

#include <algorithm>

namespace honeylink::telemetry {

std::string ulid_of(std::int64_t unix_ns, const std::array<std::uint8_t, 10>& random) {
  constexpr char kDigits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  constexpr int kCharacters = 26, kBitsEach = 5;
  std::array<std::uint8_t, 16> bytes{};
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, unix_ns) / 1'000'000);
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  std::copy(random.begin(), random.end(), bytes.begin() + 6);
  std::string text;
  // 128 bits are 26 digits of five, with two zero bits in front.
  for (int digit = kCharacters - 1; digit >= 0; --digit) {
    unsigned value = 0;
    for (int bit = kBitsEach - 1; bit >= 0; --bit) {
      const int at = digit * kBitsEach + bit;  // from the least significant
      const unsigned set = at < 128 ? (bytes[static_cast<std::size_t>(15 - at / 8)] >> (at % 8)) & 1U : 0U;
      value = value << 1 | set;
    }
    text += kDigits[value];
  }
  return text;
}

}  // namespace honeylink::telemetry
