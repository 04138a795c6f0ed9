// The words of a toast: see toast_text.h.
#include "alert/toast_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

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

struct Words {
  std::string_view language;
  std::array<std::string_view, 4> levels;
  std::string_view since, ended, show_trace;  // {} is filled in
};
constexpr std::array<Words, 4> kWords{{
    {"en", {"OK", "Yellow", "Orange", "Red"}, "since {}", "over after {}", "Show trace"},
    {"ja", {"正常", "黄", "橙", "赤"}, "{} から", "{} で収束", "トレースを表示"},
    {"es", {"Correcto", "Amarillo", "Naranja", "Rojo"}, "desde {}", "terminó tras {}", "Ver traza"},
    {"zh", {"正常", "黄色", "橙色", "红色"}, "自 {} 起", "持续 {} 后恢复", "查看追踪"},
}};

const Words& words_in(std::string_view language) {
  const auto found =
      std::find_if(kWords.begin(), kWords.end(), [language](const Words& words) { return words.language == language; });
  return found == kWords.end() ? kWords[0] : *found;
}

std::string filled(std::string_view pattern, const std::string& with) {
  std::string text(pattern);
  if (const std::size_t at = text.find("{}"); at != std::string::npos) text.replace(at, 2, with);
  return text;
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
std::string lasting(std::int64_t ns) {
  const std::int64_t s = std::max<std::int64_t>(0, ns / 1'000'000'000);
  if (s < 60) return std::to_string(s) + " s";
  if (s < 3600) return std::to_string(s / 60) + " min " + std::to_string(s % 60) + " s";
  return std::to_string(s / 3600) + " h " + std::to_string(s / 60 % 60) + " min";
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

Toast make_toast(const AlertEvent& event, bool firing, std::string_view language, const Capabilities& capabilities,
                 bool offers_trace) {
  const bool markup = capabilities.body_markup;
  const Words& words = words_in(language);
  const LevelLook& look = look_of(firing ? event.severity : Level::ok);
  Toast toast;
  toast.icon = look.icon;
  toast.category = "x-honeylink." + std::string(look.name);
  toast.urgency = look.urgency;
  toast.expire_ms = firing ? (event.severity == Level::red ? 0 : -1) : kEndShownMs;
  toast.transient = !firing;
  // A summary is plain text whatever the daemon can.
  toast.summary = std::string(look.sign) + " " +
                  std::string(words.levels[index_of(firing ? event.severity : Level::ok)]) + ": " +
                  shown(event.sli_name, false);
  std::string& body = toast.body;
  const char* sign = event.threshold_type == "lower" ? "<" : ">";
  const std::string broken =
      quantity(event.current_value, event.unit) + " " + sign + " " + quantity(event.threshold, event.unit);
  if (firing) {
    body = shown(broken, markup) + "\n" + filled(words.since, local_time(event.timestamp_unix_ns));
  } else {
    body = filled(words.ended, lasting(event.cleared_at_unix_ns - event.timestamp_unix_ns));
  }
  for (const std::string* part : {&event.module, &event.environment}) {
    if (!part->empty()) body += " · " + shown(*part, markup);
  }
  if (!firing || event.trace_id.empty()) return toast;
  body += "\n" + shown("honeytel traces " + event.trace_id, markup);
  if (capabilities.actions && offers_trace)
    toast.actions = {std::string(kActionDefault), std::string(words.show_trace), std::string(kActionTrace),
                     std::string(words.show_trace)};
  return toast;
}

}  // namespace honeylink::telemetry::alert
