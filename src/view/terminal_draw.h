// What the pages of the terminal view share when they draw: texts of numbers, lines of segments that give way where
// there is no room, curves over thresholds. Pure; one thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "view/terminal_cells.h"
#include "view/terminal_model.h"

namespace honeylink::telemetry::view {

/// A value in its unit: "650.5 ms", "0.052", "9.8 MB".
[[nodiscard]] std::string value_text(double value, std::string_view unit);
/// "4 s", "3 min", "2 h", "5 d".
[[nodiscard]] std::string age_text(std::int64_t seconds);
/// "-12.4 %", of a share; "–" where there is none.
[[nodiscard]] std::string percent_text(double share);
/// "3.1x".
[[nodiscard]] std::string times_text(double times);
/// "12/s", "0.3/s".
[[nodiscard]] std::string rate_text(double per_second);
/// "2026-11-27 14:03:22.123", in the zone of the reader or in UTC, as asked.
[[nodiscard]] std::string date_text(const Model& model, std::int64_t unix_ns);
/// "14:03:22", or "14:03:22.123".
[[nodiscard]] std::string clock_text(const Model& model, std::int64_t unix_ns, bool milliseconds = false);
/// The same; with the date instead of the seconds where it is not of today.
[[nodiscard]] std::string moment_text(const Model& model, std::int64_t unix_ns, bool milliseconds = false);

struct Segment {
  std::string text;
  Ink ink;
  int keep = 0;       // those with the least go first where there is no room
  bool cuts = false;  // is shown in part rather than not at all
};
/// The segments with `gap` between them, from `column`, in at most `columns`. Answers the column after them.
std::size_t put_segments(Grid& grid, std::size_t row, std::size_t column, std::size_t columns,
                         std::vector<Segment> segments, std::string_view gap);

/// A curve's scale and the lines across it.
struct Limits {
  double yellow = 0, orange = 0, red = 0, objective = 0;
  std::string unit;
};
/// The level whose threshold the value is over.
[[nodiscard]] Level level_at(double value, const Limits& limits) noexcept;

struct Curve {
  const std::vector<double>* values = nullptr;
  std::string_view name = {};  // stands at its end
};
/// One or more curves of equally many values over the box, from its left edge to its right; NaN is a gap. With `axis`,
/// the values of the thresholds stand at the left. Answers the part that the curves have.
Box draw_curves(Grid& grid, const Box& box, const std::vector<Curve>& curves, const Limits& limits, bool axis);
/// The newest `columns` values as ▁▂▃, each in the ink of its level.
void draw_spark(Grid& grid, std::size_t row, std::size_t column, std::size_t columns, const std::vector<double>& values,
                const Limits& limits);
/// A text in the middle of the box.
void draw_centred(Grid& grid, const Box& box, const std::vector<std::string>& lines, Ink ink);

/// The first row to show, so that `selected` stands among `rows` of them.
[[nodiscard]] std::size_t scrolled(std::size_t top, std::size_t selected, std::size_t rows, std::size_t total) noexcept;

/// Smaller screens show a line for each level instead of a panel (UX "The terminal view").
inline constexpr std::size_t kPanels = 5;
[[nodiscard]] constexpr bool has_panels(Size size) noexcept { return size.columns >= 80 && size.rows >= 24; }

// The pages, each in a file of its own.
void draw_levels(const Model& model, Grid& grid, const Box& box);  // terminal_levels.cc
void draw_level(const Model& model, Grid& grid, const Box& box);   // terminal_level.cc
void draw_traces(const Model& model, Grid& grid, const Box& box);  // terminal_tables.cc
void draw_logs(const Model& model, Grid& grid, const Box& box);
void draw_alerts(const Model& model, Grid& grid, const Box& box);
void draw_trace(const Model& model, Grid& grid, const Box& box);  // terminal_waterfall.cc
void draw_help(const Model& model, Grid& grid);                   // terminal_help.cc

}  // namespace honeylink::telemetry::view
