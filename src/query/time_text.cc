// Times and durations as text: see time_text.h. Calendar arithmetic is the proleptic Gregorian one of <chrono>.
#include "query/time_text.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace honeylink::telemetry::query {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kDay = 86'400 * kSecond;

struct DurationUnit {
  std::string_view text;
  std::int64_t ns;
};
constexpr std::array<DurationUnit, 13> kUnits{{{"ns", 1},
                                               {"us", 1'000},
                                               {"µs", 1'000},
                                               {"ms", 1'000'000},
                                               {"s", kSecond},
                                               {"sec", kSecond},
                                               {"m", 60 * kSecond},
                                               {"min", 60 * kSecond},
                                               {"h", 3'600 * kSecond},
                                               {"d", kDay},
                                               {"w", 7 * kDay},
                                               {"mo", 365 * kDay / 12},
                                               {"y", 365 * kDay}}};
constexpr double kDurationNsMax = 100.0 * 365 * 86'400e9;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Exactly `digits` decimal digits, which are taken from the front.
bool take_number(std::string_view& text, std::size_t digits, int& value) noexcept {
  if (text.size() < digits) return false;
  value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (!is_digit(text[i])) return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, char c) noexcept {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

/// ".123456789", of which nine digits count. False where the dot has no digit.
bool take_fraction(std::string_view& text, std::int64_t& ns) noexcept {
  ns = 0;
  if (!take(text, '.')) return true;
  std::int64_t scale = kSecond / 10;
  std::size_t digits = 0;
  for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1), ++digits) {
    ns += scale * (text.front() - '0');
    scale /= 10;
  }
  return digits > 0;
}

bool take_zone(std::string_view& text, std::int64_t& offset_ns) noexcept {
  offset_ns = 0;
  if (text.empty() || take(text, 'Z') || take(text, 'z')) return true;
  const bool east = text.front() == '+';
  if (!take(text, '+') && !take(text, '-')) return false;
  int hours = 0, minutes = 0;
  if (!take_number(text, 2, hours)) return false;
  static_cast<void>(take(text, ':'));
  if (!text.empty() && !take_number(text, 2, minutes)) return false;
  if (hours > 14 || minutes > 59) return false;
  offset_ns = (hours * 3'600 + minutes * 60) * kSecond * (east ? 1 : -1);
  return true;
}

std::optional<std::int64_t> parse_date_time(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  std::int64_t fraction = 0, offset = 0;
  if (!take_number(text, 4, year) || !take(text, '-') || !take_number(text, 2, month) || !take(text, '-') ||
      !take_number(text, 2, day)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || year < 1970 || year > 2261) return std::nullopt;  // what 64 bits of nanoseconds hold
  if (take(text, 'T') || take(text, 't') || take(text, ' ')) {
    if (!take_number(text, 2, hour) || !take(text, ':') || !take_number(text, 2, minute)) return std::nullopt;
    if (take(text, ':') && !take_number(text, 2, second)) return std::nullopt;
    if (!take_fraction(text, fraction) || !take_zone(text, offset)) return std::nullopt;
  }
  if (!text.empty() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  return days * kDay + (hour * 3'600 + minute * 60 + second) * kSecond + fraction - offset;
}

}  // namespace

std::optional<std::int64_t> parse_duration(std::string_view text) {
  double total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    double number = 0;
    if (!is_digit(text.front()) && text.front() != '.') return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    std::size_t letters = 0;
    while (letters < text.size() && !is_digit(text[letters]) && text[letters] != '.') ++letters;
    const std::string_view unit = text.substr(0, letters);
    const DurationUnit* found = nullptr;
    for (const DurationUnit& known : kUnits) {
      if (known.text == unit) found = &known;
    }
    if (found == nullptr) return std::nullopt;
    total += number * static_cast<double>(found->ns);
    text.remove_prefix(letters);
  }
  if (!(total <= kDurationNsMax)) return std::nullopt;
  return std::llround(total);
}

std::optional<std::int64_t> parse_moment(std::string_view text, std::int64_t now_unix_ns) {
  if (text == "now") return now_unix_ns;
  if (!text.empty() && text.front() == '@') {
    text.remove_prefix(1);
    std::int64_t seconds = 0, fraction = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc{} || seconds < 0 || seconds > 9'200'000'000) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (!take_fraction(text, fraction) || !text.empty()) return std::nullopt;
    return seconds * kSecond + fraction;
  }
  if (const auto ago = parse_duration(text)) return now_unix_ns - *ago;
  return parse_date_time(text);
}

namespace {
void split(std::int64_t unix_ns, std::int64_t& seconds, std::int64_t& ns) noexcept {
  seconds = unix_ns / kSecond;
  ns = unix_ns % kSecond;
  if (ns < 0) ns += kSecond, --seconds;
}
}  // namespace

std::string format_local(std::int64_t unix_ns) {
  std::int64_t seconds = 0, ns = 0;
  split(unix_ns, seconds, ns);
  const auto time = static_cast<std::time_t>(seconds);
  std::tm local{};
  if (::localtime_r(&time, &local) == nullptr) return format_utc(unix_ns);
  const long minutes = local.tm_gmtoff / 60;
  const auto east = static_cast<int>(minutes < 0 ? -minutes : minutes);
  std::array<char, 96> text{};
  const int n =
      std::snprintf(text.data(), text.size(), "%04d-%02d-%02d %02d:%02d:%02d.%03d %c%02d:%02d", local.tm_year + 1900,
                    local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec,
                    static_cast<int>(ns / 1'000'000), minutes < 0 ? '-' : '+', east / 60, east % 60);
  return {text.data(), static_cast<std::size_t>(n)};
}

std::string format_duration(std::int64_t ns) {
  std::array<char, 48> text{};
  const auto value = static_cast<double>(ns);
  int n = 0;
  if (ns < 0) return "-" + format_duration(ns == INT64_MIN ? INT64_MAX : -ns);
  if (ns < 1'000) n = std::snprintf(text.data(), text.size(), "%d ns", static_cast<int>(ns));
  else if (ns < 1'000'000) n = std::snprintf(text.data(), text.size(), "%.1f µs", value / 1e3);
  else if (ns < kSecond) n = std::snprintf(text.data(), text.size(), "%.1f ms", value / 1e6);
  else if (ns < 60 * kSecond && ns % kSecond != 0) n = std::snprintf(text.data(), text.size(), "%.2f s", value / 1e9);
  if (n > 0) return {text.data(), static_cast<std::size_t>(n)};
  // Two neighbouring units, the smaller one where there is any of it: "5 min", "5 min 12 s".
  constexpr std::array<std::pair<std::int64_t, const char*>, 4> kUnits{
      {{kDay, " d"}, {3'600 * kSecond, " h"}, {60 * kSecond, " min"}, {kSecond, " s"}}};
  std::size_t unit = 0;
  while (unit + 1 < kUnits.size() && ns < kUnits[unit].first) ++unit;
  std::string whole = std::to_string(ns / kUnits[unit].first) + kUnits[unit].second;
  if (unit + 1 == kUnits.size()) return whole;
  const std::int64_t rest = ns % kUnits[unit].first / kUnits[unit + 1].first;
  return rest == 0 ? whole : whole + " " + std::to_string(rest) + kUnits[unit + 1].second;
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 6> kNames{"B", "kB", "MB", "GB", "TB", "PB"};
  if (bytes < 1'000) return std::to_string(bytes) + " B";
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < kNames.size()) value /= 1'000, ++unit;
  std::array<char, 32> text{};
  const int n = std::snprintf(text.data(), text.size(), "%.1f %s", value, kNames[unit]);
  return {text.data(), static_cast<std::size_t>(n)};
}

std::string format_count(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

}  // namespace honeylink::telemetry::query
