// The overlay of "?": every key, in one column or two. See terminal_draw.h.
#include <algorithm>
#include <array>

#include "query/unicode.h"
#include "view/terminal_draw.h"

namespace honeylink::telemetry::view {
namespace {

struct KeyLine {
  std::string_view keys, keys_ascii;
  MessageKey what;
};
constexpr std::array<KeyLine, 16> kLines{{
    {"1–5", "1-5", "top.help_levels"},
    {"j k ↓ ↑", "j k", "top.help_move"},
    {"Enter →", "Enter", "top.help_open"},
    {"Esc", "Esc", "top.help_back"},
    {"g G", "g G", "top.help_ends"},
    {"PgDn PgUp", "PgDn PgUp", "top.help_pages"},
    {"t", "t", "top.help_traces"},
    {"l", "l", "top.help_logs"},
    {"a", "a", "top.help_alerts"},
    {"space", "space", "top.help_pause"},
    {"/", "/", "top.help_filter"},
    {"n N", "n N", "top.help_next"},
    {"w s a d + -", "w s a d + -", "top.help_zoom"},
    {"c", "c", "top.help_copy"},
    {"u", "u", "top.help_utc"},
    {"q", "q", "top.help_quit"},
}};
constexpr std::size_t kKeyColumns = 12;

}  // namespace

void draw_help(const Model& model, Grid& grid) {
  const Look& look = grid.look();
  std::size_t widest = 0;
  for (const KeyLine& line : kLines) widest = std::max(widest, query::columns_of(look.say(line.what)));
  const Size size = grid.size();
  Box box{0, 0, std::min(size.rows, kLines.size() + 3), std::min(size.columns, widest + kKeyColumns + 4)};
  box.row = (size.rows - box.rows) / 2, box.column = (size.columns - box.columns) / 2;
  for (std::size_t row = 0; row < box.rows; ++row) grid.fill(box.row + row, box.column, box.columns, U' ');
  const bool framed = box.rows >= 6 && box.columns >= 24;
  if (framed) {
    draw_frame(grid, box, kBold);
    grid.put(box.row, box.column + 2, " " + std::string(look.say("top.help_title")) + " ", kBold, box.columns - 4);
  }
  const Box inside = framed ? Box{box.row + 1, box.column + 2, box.rows - 2, box.columns - 4} : box;
  const std::size_t top = std::min(model.state.help_top, kLines.size() - std::min(kLines.size(), inside.rows));
  const std::size_t keys = std::min(kKeyColumns, inside.columns / 2);
  for (std::size_t i = 0; i < inside.rows && top + i < kLines.size(); ++i) {
    const KeyLine& line = kLines[top + i];
    grid.put(inside.row + i, inside.column, look.sign(line.keys, line.keys_ascii), kBold, keys);
    grid.put(inside.row + i, inside.column + keys, look.say(line.what), kPlain, inside.columns - keys);
  }
}

}  // namespace honeylink::telemetry::view
