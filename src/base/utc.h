// A moment as machine output and files write it. Pure; any thread.
#pragma once
#include <cstdint>
#include <string>

namespace honeylink::telemetry {

/// "2026-11-23T21:00:00.123456789Z", always nine digits.
[[nodiscard]] std::string format_utc(std::int64_t unix_ns);

}  // namespace honeylink::telemetry
