// See alert_id.h.
#include "sli/alert_id.h"

#include <sys/random.h>

#include <atomic>

#include "base/ulid.h"

namespace honeylink::telemetry::sli {

std::string alert_id_of(std::int64_t unix_ns, const std::array<std::uint8_t, 10>& random) {
  return "alert_" + ulid_of(unix_ns, random);
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
