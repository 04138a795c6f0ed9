// The words of a toast: see toast_text.h.
#include "alert/toast_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "alert/outbox.h"
#include "base/messages.h"
#include "base/text.h"

namespace honeylink::telemetry::alert {
namespace {

constexpr std::size_t kNameBytesMax = 128;  // a summary is one line on any screen

struct LevelLook {
  std::string_view sign, name, icon;
  std::uint8_t urgency;
};
constexpr std::array<LevelLook, 4> kLooks{{
    {"●", "ok", "dialog-information", 0},
    {"▲", "yellow", "dialog-warning", 1},
    {"◆", "orange", "dialog-warning", 1},
    {"■", "red", "dialog-error", 2},
}};
constexpr std::int32_t kEndShownMs = 5000;

std::string_view level_word(Level level, Language language) {
  switch (level) {
    case Level::yellow:
      return text("alert.yellow", language);
    case Level::orange:
      return text("alert.orange", language);
    case Level::red:
      return text("alert.red", language);
    default:
      return text("alert.ok", language);
  }
}

std::size_t index_of(Level level) { return std::min<std::size_t>(static_cast<std::size_t>(level), 3); }
const LevelLook& look_of(Level level) { return kLooks[index_of(level)]; }

std::string number(const char* format, double value) {
  char text[64];
  const int n = std::snprintf(text, sizeof text, format, value);
  return {text, static_cast<std::size_t>(std::max(n, 0))};
}

/// A text of somebody's choice: one line, no controls, not longer than a screen's, no markup where that is read.
std::string shown(std::string_view text, bool markup) {
  std::string safe = terminal_safe(text);
  if (const std::size_t keep = utf8_cut(safe, kNameBytesMax); keep < safe.size()) safe = safe.substr(0, keep) + "…";
  if (!markup) return safe;
  std::string escaped;
  for (const char c : safe) {
    if (c == '&') escaped += "&amp;";
    else if (c == '<') escaped += "&lt;";
    else if (c == '>') escaped += "&gt;";
    else escaped += c;
  }
  return escaped;
}

/// With the date where it was not today.
std::string local_time(std::int64_t unix_ns) {
  const std::time_t then = unix_ns / 1'000'000'000, now = std::time(nullptr);
  std::tm at{}, today{};
  ::localtime_r(&then, &at);
  ::localtime_r(&now, &today);
  char text[32];
  const bool same_day = at.tm_yday == today.tm_yday && at.tm_year == today.tm_year;
  return {text, std::strftime(text, sizeof text, same_day ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &at)};
}

/// "42 s", "3 min 20 s", "2 h 5 min"
std::string lasting(std::int64_t ns, Language language) {
  const std::int64_t s = std::max<std::int64_t>(0, ns / 1'000'000'000);
  const auto part = [](std::int64_t value) { return std::to_string(value); };
  if (s < 60) return fill("alert.seconds", language, {part(s)});
  if (s < 3600) return fill("alert.minutes", language, {part(s / 60), part(s % 60)});
  return fill("alert.hours", language, {part(s / 3600), part(s / 60 % 60)});
}

}  // namespace

std::string quantity(double value, std::string_view unit) {
  if (!std::isfinite(value)) return "?";
  if (unit == "s") {
    const double size = std::fabs(value);
    if (size == 0 || size >= 1) return number("%.4g s", value);
    if (size >= 1e-3) return number("%.4g ms", value * 1e3);
    return number("%.4g µs", value * 1e6);
  }
  if (unit == "ms") return number("%.4g ms", value);
  if (unit == "By") {
    if (std::fabs(value) >= 1e6) return number("%.4g MB", value / 1e6);
    if (std::fabs(value) >= 1e3) return number("%.4g kB", value / 1e3);
    return number("%.4g B", value);
  }
  const std::string plain = number("%.4g", value);
  return unit.empty() || unit == "1" ? plain : plain + " " + std::string(unit);
}

bool is_burn(const AlertEvent& event) noexcept { return event.threshold_type == "burn_rate"; }

std::string current_text(const AlertEvent& event) {
  return is_burn(event) ? number("%.4gx", event.current_value) : quantity(event.current_value, event.unit);
}
std::string threshold_text(const AlertEvent& event) {
  return is_burn(event) ? number("%.4gx", event.threshold) : quantity(event.threshold, event.unit);
}

Toast make_toast(const AlertEvent& event, bool firing, Language language, const Capabilities& capabilities,
                 bool offers_trace) {
  const bool markup = capabilities.body_markup;
  const Level level = firing ? event.severity : Level::ok;
  const LevelLook& look = look_of(level);
  Toast toast;
  toast.icon = look.icon;
  toast.category = "x-honeylink." + std::string(look.name);
  toast.urgency = look.urgency;
  toast.expire_ms = firing ? (event.severity == Level::red ? 0 : -1) : kEndShownMs;
  toast.transient = !firing;
  // A summary is plain text whatever the daemon can.
  toast.summary.append(look.sign).append(" ").append(level_word(level, language)).append(": ");
  toast.summary += shown(event.sli_name, false);
  if (event.sli_name == kTestSli) toast.summary.append(" ").append(text("alert.test", language));
  std::string& body = toast.body;
  if (firing) {
    std::string broken = current_text(event) + " > " + threshold_text(event);
    if (is_burn(event)) broken = fill("alert.burn", language, {broken});
    body = shown(broken, markup) + "\n" + fill("alert.since", language, {local_time(event.timestamp_unix_ns)});
  } else {
    body = fill("alert.over", language, {lasting(event.cleared_at_unix_ns - event.timestamp_unix_ns, language)});
  }
  for (const std::string* part : {&event.module, &event.environment}) {
    if (!part->empty()) body += " · " + shown(*part, markup);
  }
  if (!firing || event.trace_id.empty()) return toast;
  body += "\n" + shown("honeytel traces " + event.trace_id, markup);
  if (!capabilities.actions || !offers_trace) return toast;
  const std::string label(text("alert.show_trace", language));
  toast.actions = {std::string(kActionDefault), label, std::string(kActionTrace), label};
  return toast;
}

}  // namespace honeylink::telemetry::alert
