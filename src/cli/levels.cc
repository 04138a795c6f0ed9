// See levels.h.
#include "cli/levels.h"

#include <algorithm>
#include <array>

#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::array<std::string_view, 4> kWords{"OK", "YELLOW", "ORANGE", "RED"};

}  // namespace

Colour colour_of(Level level) noexcept {
  constexpr std::array<Colour, 4> kColours{Colour::blue, Colour::yellow, Colour::orange, Colour::red};
  return kColours[static_cast<std::size_t>(level) % kColours.size()];
}

std::string_view sign_of(Level level, const Style& style) noexcept {
  constexpr std::array<std::string_view, 4> kSigns{"●", "▲", "◆", "■"}, kAscii{"o", "^", "*", "#"};
  const std::size_t i = static_cast<std::size_t>(level) % kSigns.size();
  return style.sign(kSigns[i], kAscii[i]);
}

std::string level_text(Level level, const Style& style) {
  return std::string(sign_of(level, style)) + " " +
         std::string(kWords[static_cast<std::size_t>(level) % kWords.size()]);
}

std::string state_text(const query::SliView& sli, const Style& style) {
  if (sli.state() == "no_data") return std::string(style.sign("○", "-")) + " no data";
  return level_text(sli.level, style);
}

Colour state_colour(const query::SliView& sli) noexcept {
  return sli.state() == "no_data" ? Colour::dim : colour_of(sli.level);
}

std::string traces_command(const Call& call, const std::string& trace_id) {
  return "honeytel traces " + trace_id + (call.has("home") ? " --home '" + call.text("home") + "'" : "");
}

std::string age_text(std::int64_t ns) {
  const std::int64_t s = std::max<std::int64_t>(0, ns) / 1'000'000'000;
  return s < 120 ? std::to_string(s) + " s" : query::format_duration((s - s % 60) * 1'000'000'000);
}

}  // namespace honeylink::telemetry::cli
