// Dots in characters: braille (2 × 4 a cell), or ASCII (1 × 2) where there is no UTF-8. For the curves of `honeytel
// metrics --plot` and of the terminal view. A value; one thread.
#pragma once
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace honeylink::telemetry::view {

class Dots {
 public:
  Dots(std::size_t columns, std::size_t rows, bool braille);
  [[nodiscard]] std::size_t width() const noexcept { return width_; }
  [[nodiscard]] std::size_t height() const noexcept { return height_; }
  void set(std::size_t x, std::size_t y) noexcept {  // y from the top
    if (x < width_ && y < height_) dots_[y * width_ + x] = 1;
  }
  void line(std::size_t x0, std::size_t y0, std::size_t x1, std::size_t y1) noexcept;
  /// The character of a cell; a space where no dot is set.
  [[nodiscard]] char32_t cell(std::size_t column, std::size_t row) const noexcept;

 private:
  [[nodiscard]] bool dot(std::size_t x, std::size_t y) const noexcept { return dots_[y * width_ + x] != 0; }
  bool braille_;
  std::size_t width_, height_;
  std::vector<std::uint8_t> dots_;
};

/// Where a value stands between low and high, 0 to 1. By halves: the distance of two doubles may not be one.
[[nodiscard]] double share_of(double value, double low, double high) noexcept;

/// One bar of a sparkline, by share: ▁ to █, or _ to #.
[[nodiscard]] std::string_view spark_sign(double share, bool utf8) noexcept;

}  // namespace honeylink::telemetry::view
