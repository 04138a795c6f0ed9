// How many log lines of each level there were over time, in columns of equal length. Reads only; one thread.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace honeylink::telemetry::query {

struct LogColumns {
  std::int64_t since_unix_ns = 0, until_unix_ns = 0;
  std::size_t columns = 1;
};
inline constexpr std::array<const char*, 4> kLogBands{"debug", "info", "warn", "error"};  // fatal counts as error

/// Whole steps: up to two columns more than were asked for.
struct LogHistogram {
  std::int64_t since_unix_ns = 0, step_ns = 1;
  std::array<std::vector<std::uint64_t>, kLogBands.size()> counts;  // by band, then column
};
[[nodiscard]] LogHistogram count_logs(const std::string& home, const LogColumns& wanted);
[[nodiscard]] std::string log_histogram_json(const LogHistogram& histogram);

}  // namespace honeylink::telemetry::query
