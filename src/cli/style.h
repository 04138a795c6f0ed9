// Colours and signs: Okabe–Ito, never colour alone (UX 12, 14). Decided once at start; a value, any thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace honeylink::telemetry::cli {

enum class Colour : std::uint8_t { plain, bold, dim, blue, yellow, orange, red };
enum class ColourMode : std::uint8_t { automatic, always, never };

class Style {
 public:
  Style() = default;
  Style(bool colour, bool true_colour, bool utf8) : colour_(colour), true_colour_(true_colour), utf8_(utf8) {}
  /// From --color, NO_COLOR, CLICOLOR_FORCE, TERM, COLORTERM and the locale's character set.
  [[nodiscard]] static Style decide(ColourMode mode, bool terminal);

  /// The text, between escapes where there are colours. The text must be safe already.
  [[nodiscard]] std::string paint(Colour colour, std::string_view text) const;
  [[nodiscard]] bool colour() const noexcept { return colour_; }
  [[nodiscard]] bool utf8() const noexcept { return utf8_; }
  /// One of two forms, by what the terminal can show.
  [[nodiscard]] std::string_view sign(std::string_view utf8, std::string_view ascii) const noexcept {
    return utf8_ ? utf8 : ascii;
  }

 private:
  bool colour_ = false, true_colour_ = false, utf8_ = false;
};

}  // namespace honeylink::telemetry::cli
