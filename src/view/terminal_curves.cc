// Curves over thresholds: see terminal_draw.h. A threshold is a line of its own with its level's shape and value at the
// left; a curve has, cell by cell, the hue of the level that it has reached there.
#include <algorithm>
#include <array>
#include <cmath>

#include "query/unicode.h"
#include "view/dots.h"
#include "view/terminal_draw.h"

namespace honeylink::telemetry::view {
namespace {

/// Thresholds farther above the curve than this would press it flat; they are named at the upper edge instead.
constexpr double kThresholdReach = 4;

constexpr std::size_t kThresholdRowsMin = 4;  // in fewer rows the lines would be all there is
constexpr std::size_t kNameColumns = 4;

struct Scale {
  double low = 0, high = 1;
};

Scale scale_of(const std::vector<Curve>& curves, const Limits& limits) {
  Scale scale{0, 0};
  for (const Curve& curve : curves) {
    for (const double value : *curve.values) {
      if (!std::isfinite(value)) continue;
      scale.low = std::min(scale.low, value), scale.high = std::max(scale.high, value);
    }
  }
  const double of_values = scale.high;
  for (const double threshold : {limits.yellow, limits.orange, limits.red}) {
    if (threshold > 0 && (threshold <= of_values * kThresholdReach || of_values <= 0))
      scale.high = std::max(scale.high, threshold);
  }
  if (scale.high <= scale.low) scale.high = scale.low + 1;
  scale.high += (scale.high - scale.low) * 0.05;
  return scale;
}

std::size_t row_of(double value, const Scale& scale, std::size_t rows) noexcept {
  const double from_top = 1 - share_of(value, scale.low, scale.high);
  return std::min(rows - 1, static_cast<std::size_t>(from_top * static_cast<double>(rows)));
}

struct Line {
  double value;
  Level level;
};

std::array<Line, 3> lines_of(const Limits& limits) {
  return {{{limits.yellow, Level::yellow}, {limits.orange, Level::orange}, {limits.red, Level::red}}};
}

std::string label_of(const Line& line, const Limits& limits, const Look& look) {
  return value_text(line.value, limits.unit) + " " + std::string(look.sign_of(line.level));
}

/// Threshold lines, and their values left of `plot`. Of two on one row the worse is shown.
void draw_thresholds(Grid& grid, const Box& box, const Box& plot, const Scale& scale, const Limits& limits) {
  const Look& look = grid.look();
  const std::size_t label_end = plot.column == box.column ? box.column : plot.column - 1;
  bool named_above = false;
  for (const Line& line : lines_of(limits)) {
    if (line.value <= 0) continue;
    const Ink ink = in(hue_of(line.level));
    if (line.value > scale.high) {
      if (!named_above)
        grid.put_right(box.row, box.column, label_end, label_of(line, limits, look) + std::string(look.sign("↑", "^")),
                       ink);
      named_above = true;
      continue;
    }
    const std::size_t row = plot.row + row_of(line.value, scale, plot.rows);
    grid.fill(row, plot.column, plot.columns, look.utf8 ? U'╌' : U'-', ink);
    if (label_end > box.column) {
      grid.fill(row, box.column, label_end - box.column, U' ');
      grid.put_right(row, box.column, label_end, label_of(line, limits, look), ink);
    }
  }
}

void draw_dots(Grid& grid, const Box& plot, const std::vector<double>& values, const Scale& scale,
               const Limits& limits) {
  Dots dots(plot.columns, plot.rows, grid.look().utf8);
  const auto height = static_cast<double>(dots.height());
  bool joined = false;
  std::size_t before_x = 0, before_y = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      joined = false;
      continue;
    }
    const std::size_t x = values.size() < 2 ? dots.width() - 1 : i * (dots.width() - 1) / (values.size() - 1);
    const double from_top = 1 - share_of(values[i], scale.low, scale.high);
    const auto y = std::min(dots.height() - 1, static_cast<std::size_t>(from_top * height));
    if (joined) dots.line(before_x, before_y, x, y);
    else dots.set(x, y);
    joined = true, before_x = x, before_y = y;
  }
  const double a_row = (scale.high - scale.low) / static_cast<double>(plot.rows);
  for (std::size_t row = 0; row < plot.rows; ++row) {
    const double middle = scale.high - (static_cast<double>(row) + 0.5) * a_row;
    const Ink ink = in(hue_of(level_at(middle, limits)));
    for (std::size_t column = 0; column < plot.columns; ++column) {
      const char32_t glyph = dots.cell(column, row);
      if (glyph != U' ') grid.set(plot.row + row, plot.column + column, glyph, ink);
    }
  }
}

/// Each curve's name beside its newest value; where two would share a row, the later one goes below.
void draw_names(Grid& grid, const Box& plot, const std::vector<Curve>& curves, const Scale& scale) {
  std::vector<bool> taken(plot.rows);
  for (auto curve = curves.rbegin(); curve != curves.rend(); ++curve) {
    const auto newest =
        std::find_if(curve->values->rbegin(), curve->values->rend(), [](double v) { return std::isfinite(v); });
    if (newest == curve->values->rend()) continue;
    std::size_t row = row_of(*newest, scale, plot.rows);
    while (row < plot.rows && taken[row]) ++row;
    if (row == plot.rows) continue;
    taken[row] = true;
    grid.put(plot.row + row, plot.column + plot.columns, " " + std::string(curve->name), kDim, kNameColumns);
  }
}

}  // namespace

Level level_at(double value, const Limits& limits) noexcept {
  for (const Level level : {Level::red, Level::orange, Level::yellow}) {
    const double threshold = level == Level::red ? limits.red : level == Level::orange ? limits.orange : limits.yellow;
    if (threshold > 0 && value > threshold) return level;
  }
  return Level::ok;
}

Box draw_curves(Grid& grid, const Box& box, const std::vector<Curve>& curves, const Limits& limits, bool axis) {
  if (box.rows == 0 || box.columns < 2) return box;
  const Scale scale = scale_of(curves, limits);
  Box plot = box;
  if (axis) {
    std::size_t widest = 0;
    for (const Line& line : lines_of(limits))
      widest = std::max(widest, query::columns_of(label_of(line, limits, grid.look())) + 1);
    widest = std::min(widest, box.columns / 3);
    plot.column += widest + 1, plot.columns -= widest + 1;
    grid.put_right(box.row + box.rows - 1, box.column, plot.column - 1, value_text(scale.low, limits.unit), kDim);
  }
  const bool named =
      plot.columns > 20 && std::any_of(curves.begin(), curves.end(), [](const Curve& c) { return !c.name.empty(); });
  if (named) plot.columns -= kNameColumns;
  if (plot.rows >= kThresholdRowsMin) draw_thresholds(grid, box, plot, scale, limits);
  for (const Curve& curve : curves) draw_dots(grid, plot, *curve.values, scale, limits);
  if (named) draw_names(grid, plot, curves, scale);
  return plot;
}

void draw_spark(Grid& grid, std::size_t row, std::size_t column, std::size_t columns, const std::vector<double>& values,
                const Limits& limits) {
  const std::size_t shown = std::min(columns, values.size()), from = values.size() - shown;
  double low = INFINITY, high = -INFINITY;
  for (std::size_t i = from; i < values.size(); ++i) {
    if (std::isfinite(values[i])) low = std::min(low, values[i]), high = std::max(high, values[i]);
  }
  for (std::size_t i = from; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    grid.put(row, column + i - from, spark_sign(share_of(values[i], low, high), grid.look().utf8),
             in(hue_of(level_at(values[i], limits))));
  }
}

}  // namespace honeylink::telemetry::view
