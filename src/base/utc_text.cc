// See utc_text.h.
#include "base/utc_text.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace honeylink::telemetry {

std::string utc_text(std::int64_t unix_ns) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t ns = ((unix_ns % kSecond) + kSecond) % kSecond, seconds = (unix_ns - ns) / kSecond;
  const auto days = static_cast<int>(seconds >= 0 ? seconds / 86'400 : (seconds - 86'399) / 86'400);
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  const auto of_day = static_cast<int>(seconds - std::int64_t{days} * 86'400);
  std::array<char, 64> text{};
  const int n =
      std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%09dZ", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), of_day / 3'600,
                    of_day / 60 % 60, of_day % 60, static_cast<int>(ns));
  return {text.data(), static_cast<std::size_t>(n)};
}

}  // namespace honeylink::telemetry
