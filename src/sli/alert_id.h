// "alert_" and a ULID: 48 bits of Unix milliseconds, 80 random ones, as 26 characters of Crockford's base 32. Unique
// without asking anybody; sorts by time. Any thread.
#pragma once
#include <array>
#include <cstdint>
#include <string>

namespace honeylink::telemetry::sli {

[[nodiscard]] std::string new_alert_id(std::int64_t unix_ns);
/// The same of given randomness.
[[nodiscard]] std::string alert_id_of(std::int64_t unix_ns, const std::array<std::uint8_t, 10>& random);

}  // namespace honeylink::telemetry::sli
