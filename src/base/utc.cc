// See utc.h. Calendar arithmetic is the proleptic Gregorian one of <chrono>.
#include "base/utc.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace honeylink::telemetry {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

void split(std::int64_t unix_ns, std::int64_t& seconds, std::int64_t& ns) noexcept {
  seconds = unix_ns / kSecond;
  ns = unix_ns % kSecond;
  if (ns < 0) ns += kSecond, --seconds;
}

}  // namespace

std::string format_utc(std::int64_t unix_ns) {
  std::int64_t seconds = 0, ns = 0;
  split(unix_ns, seconds, ns);
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
