// ULIDs: 48 bits of Unix milliseconds and 80 random ones, as 26 characters of Crockford's base 32. Unique without
// asking anybody; they sort by time. Pure; any thread.
#pragma once
#include <array>
#include <cstdint>
#include <string>

namespace honeylink::telemetry {

[[nodiscard]] std::string ulid_of(std::int64_t unix_ns, const std::array<std::uint8_t, 10>& random);

}  // namespace honeylink::telemetry
