// Dots in characters: see dots.h.
#include "view/dots.h"

#include <algorithm>

namespace honeylink::telemetry::view {

Dots::Dots(std::size_t columns, std::size_t rows, bool braille)
    : braille_(braille),
      width_(columns * (braille ? 2 : 1)),
      height_(rows * (braille ? 4 : 2)),
      dots_(width_ * height_, 0) {}

void Dots::line(std::size_t x0, std::size_t y0, std::size_t x1, std::size_t y1) noexcept {
  const auto dx = static_cast<double>(x1) - static_cast<double>(x0),
             dy = static_cast<double>(y1) - static_cast<double>(y0);
  const auto steps = std::max<std::size_t>(1, static_cast<std::size_t>(std::max(std::fabs(dx), std::fabs(dy))));
  for (std::size_t i = 0; i <= steps; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(steps);
    set(static_cast<std::size_t>(std::lround(static_cast<double>(x0) + share * dx)),
        static_cast<std::size_t>(std::lround(static_cast<double>(y0) + share * dy)));
  }
}

char32_t Dots::cell(std::size_t column, std::size_t row) const noexcept {
  if (!braille_) {
    const bool upper = dot(column, row * 2), lower = dot(column, row * 2 + 1);
    return upper && lower ? U'|' : upper ? U'\'' : lower ? U'.' : U' ';
  }
  constexpr std::array<std::array<std::uint8_t, 2>, 4> kBits{{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}};
  char32_t bits = 0;
  for (std::size_t y = 0; y < 4; ++y) {
    for (std::size_t x = 0; x < 2; ++x) bits |= dot(column * 2 + x, row * 4 + y) ? kBits[y][x] : 0U;
  }
  return bits == 0 ? U' ' : 0x2800 + bits;
}

double share_of(double value, double low, double high) noexcept {
  const double range = high / 2 - low / 2;
  return range > 0 ? std::clamp((value / 2 - low / 2) / range, 0.0, 1.0) : 0;
}

std::string_view spark_sign(double share, bool utf8) noexcept {
  constexpr std::array<std::string_view, 8> kBlocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr std::string_view kAscii = "_.:-=+*#";
  const auto level = std::min<std::size_t>(7, static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * 8));
  return utf8 ? kBlocks[level] : kAscii.substr(level, 1);
}

}  // namespace honeylink::telemetry::view
