// A screen as a value: see terminal_cells.h.
#include "view/terminal_cells.h"

#include <algorithm>

#include "base/text.h"
#include "query/unicode.h"

namespace honeylink::telemetry::view {

Hue hue_of(Level level) noexcept {
  constexpr std::array kHues{Hue::blue, Hue::yellow, Hue::orange, Hue::red};
  return kHues[static_cast<std::size_t>(level)];
}

std::string_view Look::sign_of(Level level) const noexcept {
  constexpr std::array<std::string_view, 4> kSigns{"●", "▲", "◆", "■"}, kAscii{"o", "^", "*", "#"};
  return utf8 ? kSigns[static_cast<std::size_t>(level)] : kAscii[static_cast<std::size_t>(level)];
}

namespace {

/// Of what our own texts use; what is recorded may be anything.
char32_t ascii_of(char32_t glyph) noexcept {
  if (glyph < 0x80) return glyph;
  return glyph == U'µ' ? U'u' : glyph == U'–' ? U'-' : U'?';
}

}  // namespace

/// What stood in this cell and in the other half of it goes as a whole.
void Grid::clear_halves(std::size_t row, std::size_t column) noexcept {
  Cell* cells = &cells_[row * size_.columns];
  if (cells[column].width == 2 && column + 1 < size_.columns) cells[column + 1] = Cell{};
  if (cells[column].width == 0 && column > 0) cells[column - 1] = Cell{};
}

void Grid::set(std::size_t row, std::size_t column, char32_t glyph, Ink ink) noexcept {
  if (row >= size_.rows || column >= size_.columns) return;
  clear_halves(row, column);
  if (!look_.utf8) glyph = ascii_of(glyph);
  cells_[row * size_.columns + column] = Cell{is_control(glyph) ? U'?' : glyph, {}, ink, 1};
}

void Grid::fill(std::size_t row, std::size_t column, std::size_t columns, char32_t glyph, Ink ink) noexcept {
  for (std::size_t i = 0; i < columns && column + i < size_.columns; ++i) set(row, column + i, glyph, ink);
}

std::size_t Grid::put(std::size_t row, std::size_t column, std::string_view text, Ink ink, std::size_t columns) {
  if (row >= size_.rows || column >= size_.columns) return column;
  const std::size_t room = std::min(columns, size_.columns - column);
  std::string safe = terminal_safe(text);
  if (query::columns_of(safe) > room) safe = query::cut_to_columns(safe, room, !look_.utf8);
  std::string_view left = safe;
  std::size_t last = SIZE_MAX;  // the cell that a mark belongs to
  while (!left.empty()) {
    const query::CodePoint point = query::next_code_point(left);
    const std::size_t width = query::columns_of(left.substr(0, point.bytes));
    left.remove_prefix(point.bytes);
    if (width == 0) {
      if (last == SIZE_MAX || !look_.utf8) continue;
      for (char32_t& mark : cells_[row * size_.columns + last].marks) {
        if (mark == 0) {
          mark = point.value;
          break;
        }
      }
      continue;
    }
    if (column + width > size_.columns) break;
    last = column;
    if (width == 2 && look_.utf8) {
      clear_halves(row, column + 1);
      set(row, column, point.value, ink);
      cells_[row * size_.columns + column].width = 2;
      cells_[row * size_.columns + column + 1] = Cell{U' ', {}, ink, 0};
    } else {
      for (std::size_t i = 0; i < width; ++i) set(row, column + i, point.value, ink);
    }
    column += width;
  }
  return column;
}

void Grid::put_right(std::size_t row, std::size_t begin, std::size_t end, std::string_view text, Ink ink) {
  if (end <= begin) return;
  const std::size_t width = query::columns_of(terminal_safe(text));
  put(row, width < end - begin ? end - width : begin, text, ink, end - begin);
}

void Grid::highlight(std::size_t row, std::size_t column, std::size_t columns) noexcept {
  if (row >= size_.rows) return;
  for (std::size_t i = 0; i < columns && column + i < size_.columns; ++i)
    cells_[row * size_.columns + column + i].ink.reverse = true;
}

std::string Grid::text(std::size_t row) const {
  std::string line;
  for (std::size_t column = 0; column < size_.columns; ++column) {
    const Cell& cell = at(row, column);
    if (cell.width == 0) continue;
    query::append_utf8(line, cell.glyph);
    for (const char32_t mark : cell.marks) {
      if (mark != 0) query::append_utf8(line, mark);
    }
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

void draw_frame(Grid& grid, const Box& box, Ink ink) {
  if (box.rows < 2 || box.columns < 2) return;
  const bool utf8 = grid.look().utf8;
  const std::size_t right = box.column + box.columns - 1, bottom = box.row + box.rows - 1;
  for (const std::size_t row : {box.row, bottom})
    grid.fill(row, box.column + 1, box.columns - 2, utf8 ? U'─' : U'-', ink);
  for (std::size_t row = box.row + 1; row < bottom; ++row) {
    grid.set(row, box.column, utf8 ? U'│' : U'|', ink);
    grid.set(row, right, utf8 ? U'│' : U'|', ink);
  }
  grid.set(box.row, box.column, utf8 ? U'╭' : U'+', ink);
  grid.set(box.row, right, utf8 ? U'╮' : U'+', ink);
  grid.set(bottom, box.column, utf8 ? U'╰' : U'+', ink);
  grid.set(bottom, right, utf8 ? U'╯' : U'+', ink);
}

}  // namespace honeylink::telemetry::view
