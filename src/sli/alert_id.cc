// See alert_id.h. The form is that of the ULID specification: most significant first, no I, L, O, U.
#include "sli/alert_id.h"

#include <sys/random.h>

#include <algorithm>
#include <atomic>

namespace honeylink::telemetry::sli {

std::string alert_id_of(std::int64_t unix_ns, const std::array<std::uint8_t, 10>& random) {
  constexpr char kDigits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::array<std::uint8_t, 16> bytes{};
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, unix_ns) / 1'000'000);
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  std::copy(random.begin(), random.end(), bytes.begin() + 6);
  std::string text = "alert_";
  // 128 bits are 26 digits of five with two zero bits in front.
  for (int digit = 25; digit >= 0; --digit) {
    unsigned value = 0;
    for (int bit = 4; bit >= 0; --bit) {
      const int at = digit * 5 + bit;  // from the least significant
      const unsigned set = at < 128 ? (bytes[static_cast<std::size_t>(15 - at / 8)] >> (at % 8)) & 1U : 0U;
      value = value << 1 | set;
    }
    text += kDigits[value];
  }
  return text;
}

std::string new_alert_id(std::int64_t unix_ns) {
  static std::atomic<std::uint64_t> count{0};
  std::array<std::uint8_t, 10> random{};
  const std::uint64_t n = count.fetch_add(1, std::memory_order_relaxed);
  // No randomness to be had: still another id than the one before.
  if (::getrandom(random.data(), random.size(), GRND_NONBLOCK) != static_cast<ssize_t>(random.size()))
    for (std::size_t i = 0; i < 8; ++i) random[i + 2] = static_cast<std::uint8_t>(n >> (56 - 8 * i));
  return alert_id_of(unix_ns, random);
}

}  // namespace honeylink::telemetry::sli
