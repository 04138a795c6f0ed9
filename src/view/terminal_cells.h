// A terminal's screen as a value: cells of one or two columns, each with its ink. Every page of the terminal view is
// drawn into one of these (terminal_layout.h) and only then put on a real terminal (terminal_screen.h), so that layout
// is tested without one.
//
// Must stay true: no cell ever holds a control character, whatever text was put (F33); without UTF-8 every cell is
// ASCII. A value; one thread.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/events.h"
#include "base/messages.h"

namespace honeylink::telemetry::view {

enum class Hue : std::uint8_t { plain, blue, yellow, orange, red };  // Okabe–Ito, as the levels have them
struct Ink {
  Hue hue = Hue::plain;
  bool bold = false, dim = false, reverse = false;
  friend bool operator==(const Ink&, const Ink&) = default;
};
inline constexpr Ink kPlain{}, kBold{Hue::plain, true}, kDim{Hue::plain, false, true};
[[nodiscard]] constexpr Ink in(Hue hue, bool bold = false) noexcept { return {hue, bold}; }
[[nodiscard]] Hue hue_of(Level level) noexcept;

/// What the terminal can show.
struct Look {
  bool utf8 = true;
  Language language = Language::en;
  [[nodiscard]] std::string_view say(MessageKey key) const noexcept { return text(key, language); }
  [[nodiscard]] std::string_view sign(std::string_view with_utf8, std::string_view ascii) const noexcept {
    return utf8 ? with_utf8 : ascii;
  }
  /// A level's shape: never colour alone (UX 12).
  [[nodiscard]] std::string_view sign_of(Level level) const noexcept;
};

struct Cell {
  char32_t glyph = U' ';
  std::array<char32_t, 2> marks{};  // combining marks; more than two are left out
  Ink ink;
  std::uint8_t width = 1;  // 2: the next cell is its right half, of width 0
  friend bool operator==(const Cell&, const Cell&) = default;
};

struct Size {
  std::size_t rows = 24, columns = 80;
  friend bool operator==(const Size&, const Size&) = default;
};

class Grid {
 public:
  Grid(Size size, Look look) : size_(size), look_(look), cells_(size.rows * size.columns) {}

  [[nodiscard]] Size size() const noexcept { return size_; }
  [[nodiscard]] const Look& look() const noexcept { return look_; }
  [[nodiscard]] const Cell& at(std::size_t row, std::size_t column) const noexcept {
    return cells_[row * size_.columns + column];
  }

  /// Puts text that need not be safe; what would stand beyond `columns` of it, or beyond the edge, is cut and ends in
  /// "…". Answers the column after it.
  std::size_t put(std::size_t row, std::size_t column, std::string_view text, Ink ink = kPlain,
                  std::size_t columns = SIZE_MAX);
  /// The same, with the text's end at the column before `end`; nothing is put before `begin`.
  void put_right(std::size_t row, std::size_t begin, std::size_t end, std::string_view text, Ink ink = kPlain);
  /// One character of one column.
  void set(std::size_t row, std::size_t column, char32_t glyph, Ink ink = kPlain) noexcept;
  void fill(std::size_t row, std::size_t column, std::size_t columns, char32_t glyph, Ink ink = kPlain) noexcept;
  /// Reverse video over a part of a row: the selected line.
  void highlight(std::size_t row, std::size_t column, std::size_t columns) noexcept;

  /// A row as text without its trailing spaces, for tests.
  [[nodiscard]] std::string text(std::size_t row) const;

 private:
  void clear_halves(std::size_t row, std::size_t column) noexcept;
  Size size_;
  Look look_;
  std::vector<Cell> cells_;
};

/// A part of a grid: what a panel draws into.
struct Box {
  std::size_t row = 0, column = 0, rows = 0, columns = 0;
  [[nodiscard]] Box inside() const noexcept {
    return {row + 1, column + 1, rows < 2 ? 0 : rows - 2, columns < 2 ? 0 : columns - 2};
  }
};
/// A frame with a title in its upper edge and a note at the right of its lower one.
void draw_frame(Grid& grid, const Box& box, Ink ink);

}  // namespace honeylink::telemetry::view
