// Colours and signs: see style.h.
#include "cli/style.h"

#include <array>
#include <cstdlib>

namespace honeylink::telemetry::cli {
namespace {

struct Escape {
  const char* true_colour;
  const char* of_256;
};
// bold, dim, then Okabe–Ito: 56B4E9, F0E442, E69F00, D55E00, and their nearest neighbours of the 256.
constexpr std::array<Escape, 7> kEscapes{{{"", ""},
                                          {"\x1b[1m", "\x1b[1m"},
                                          {"\x1b[2m", "\x1b[2m"},
                                          {"\x1b[38;2;86;180;233m", "\x1b[38;5;74m"},
                                          {"\x1b[38;2;240;228;66m", "\x1b[38;5;227m"},
                                          {"\x1b[38;2;230;159;0m", "\x1b[38;5;178m"},
                                          {"\x1b[38;2;213;94;0m", "\x1b[38;5;166m"}}};

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view(value);
}

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view value = variable(name);
    if (value.empty()) continue;
    return value.find("UTF-8") != std::string_view::npos || value.find("utf8") != std::string_view::npos ||
           value.find("UTF8") != std::string_view::npos || value.find("utf-8") != std::string_view::npos;
  }
  return false;
}

}  // namespace

Style Style::decide(ColourMode mode, bool terminal) {
  const std::string_view term = variable("TERM");
  bool colour = terminal && !term.empty() && term != "dumb" && variable("NO_COLOR").empty();
  const std::string_view force = variable("CLICOLOR_FORCE");
  if (!force.empty() && force != "0" && variable("NO_COLOR").empty()) colour = true;
  if (mode != ColourMode::automatic) colour = mode == ColourMode::always;
  const std::string_view depth = variable("COLORTERM");
  // What is no terminal is a file or a program: those take UTF-8. A terminal shows what its locale says.
  const bool utf8 = terminal ? locale_is_utf8() && term != "dumb" : true;
  return {colour, depth == "truecolor" || depth == "24bit", utf8};
}

std::string Style::paint(Colour colour, std::string_view text) const {
  if (!colour_ || colour == Colour::plain) return std::string(text);
  const Escape& escape = kEscapes[static_cast<std::size_t>(colour)];
  std::string painted = true_colour_ ? escape.true_colour : escape.of_256;
  painted += text;
  painted += "\x1b[0m";
  return painted;
}

}  // namespace honeylink::telemetry::cli
