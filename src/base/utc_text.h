// A moment as machines read it: ISO 8601, UTC, always nine digits. Pure; any thread.
#pragma once
#include <cstdint>
#include <string>

namespace honeylink::telemetry {

/// "2026-11-23T21:00:00.123456789Z"
[[nodiscard]] std::string utc_text(std::int64_t unix_ns);

}  // namespace honeylink::telemetry
