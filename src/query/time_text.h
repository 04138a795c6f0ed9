// Times and durations as people write and read them. Nanoseconds are never lost: machine output carries all nine digits
// (UX 11). Pure functions; any thread (format_local reads the process's time zone).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/utc.h"

namespace honeylink::telemetry::query {

/// "250ms", "1.5s", "10m", "2h", "7d", "1w", also joined: "1h30m". Not negative; at most 100 years.
[[nodiscard]] std::optional<std::int64_t> parse_duration(std::string_view text);

/// A moment: a duration ago ("1h"), "now", a UTC date ("2026-11-23"), a date and time
/// ("2026-11-23T21:00[:00[.5]][Z|+01:00]"; UTC where no zone is given), or Unix time in seconds ("@1790000000.25").
[[nodiscard]] std::optional<std::int64_t> parse_moment(std::string_view text, std::int64_t now_unix_ns);
inline constexpr std::string_view kMomentForms = "1h, 30m, 7d, now, 2026-11-23, 2026-11-23T21:00:00Z or @1790000000";

/// Unix seconds as nanoseconds; what does not fit, of a damaged file, becomes the end of the range.
constexpr std::int64_t seconds_as_ns(std::int64_t unix_s) noexcept {
  constexpr std::int64_t kMax = INT64_MAX / 1'000'000'000;
  return unix_s > kMax ? INT64_MAX : unix_s < -kMax ? INT64_MIN : unix_s * 1'000'000'000;
}

using telemetry::format_utc;
/// "2026-11-23 22:00:00.123 +01:00", for people.
[[nodiscard]] std::string format_local(std::int64_t unix_ns);
/// Three to four significant digits and a unit: "650.5 ms", "1.20 s", "12 µs", "3 h 20 min".
[[nodiscard]] std::string format_duration(std::int64_t ns);
/// "512 B", "9.8 MB" (10^6).
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);
/// "1,204".
[[nodiscard]] std::string format_count(std::uint64_t n);

}  // namespace honeylink::telemetry::query
