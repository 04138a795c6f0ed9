// Texts of numbers and lines of segments: see terminal_draw.h.
#include "view/terminal_draw.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "query/sli_text.h"
#include "query/time_text.h"
#include "query/unicode.h"

namespace honeylink::telemetry::view {
namespace {

template <class... Values>
std::string formatted(const char* form, Values... values) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), form, values...);
  return text.data();
}

}  // namespace

std::string value_text(double value, std::string_view unit) {
  if (!std::isfinite(value)) return "–";
  return value == 0 ? "0" : query::level_value(value, std::string(unit));
}

std::string age_text(std::int64_t seconds) {
  seconds = std::max<std::int64_t>(0, seconds);
  if (seconds < 100) return std::to_string(seconds) + " s";
  if (seconds < 100 * 60) return std::to_string(seconds / 60) + " min";
  return seconds < 100 * 3600 ? std::to_string(seconds / 3600) + " h" : std::to_string(seconds / 86'400) + " d";
}

std::string percent_text(double share) {
  return query::percent_text(std::isfinite(share) ? std::optional(share) : std::nullopt);
}
std::string times_text(double times) {
  return query::burn_text(std::isfinite(times) ? std::optional(times) : std::nullopt);
}

std::string rate_text(double per_second) {
  if (!std::isfinite(per_second)) return "–";
  return per_second < 10 ? formatted("%.1f/s", per_second)
                         : query::format_count(static_cast<std::uint64_t>(std::llround(per_second))) + "/s";
}

std::string date_text(const Model& model, std::int64_t unix_ns) {
  std::string text = model.state.utc ? query::format_utc(unix_ns) : query::format_local(unix_ns);
  if (text.size() > 10) text[10] = ' ';
  return text.substr(0, 23);
}

std::string clock_text(const Model& model, std::int64_t unix_ns, bool milliseconds) {
  return date_text(model, unix_ns).substr(11, milliseconds ? 12 : 8);
}

std::string moment_text(const Model& model, std::int64_t unix_ns, bool milliseconds) {
  const std::string date = date_text(model, unix_ns);
  const bool today = date.substr(0, 10) == date_text(model, model.now_unix_ns).substr(0, 10);
  return today ? date.substr(11, milliseconds ? 12 : 8) : date.substr(5, 11);
}

std::size_t put_segments(Grid& grid, std::size_t row, std::size_t column, std::size_t columns,
                         std::vector<Segment> segments, std::string_view gap) {
  const std::size_t gap_columns = query::columns_of(gap);
  const auto width = [&] {
    std::size_t sum = 0;
    for (const Segment& segment : segments) sum += query::columns_of(terminal_safe(segment.text)) + gap_columns;
    return sum < gap_columns ? 0 : sum - gap_columns;
  };
  constexpr std::size_t kPartColumnsMin = 6;
  while (segments.size() > 1 && width() > columns) {
    const auto least = std::min_element(segments.begin(), segments.end(),
                                        [](const Segment& a, const Segment& b) { return a.keep < b.keep; });
    const std::size_t others = width() - query::columns_of(terminal_safe(least->text));
    if (least->cuts && others + kPartColumnsMin <= columns) {
      least->text = query::cut_to_columns(terminal_safe(least->text), columns - others, !grid.look().utf8);
      break;
    }
    segments.erase(least);
  }
  const std::size_t end = column + columns;
  for (std::size_t i = 0; i < segments.size() && column < end; ++i) {
    if (i > 0) column = grid.put(row, column, gap, kDim, end - column);
    if (column < end) column = grid.put(row, column, segments[i].text, segments[i].ink, end - column);
  }
  return column;
}

void draw_centred(Grid& grid, const Box& box, const std::vector<std::string>& lines, Ink ink) {
  const std::size_t rows = std::min(lines.size(), box.rows);
  const std::size_t first = box.row + (box.rows - rows) / 2;
  for (std::size_t i = 0; i < rows; ++i) {
    const std::size_t width = std::min(query::columns_of(terminal_safe(lines[i])), box.columns);
    grid.put(first + i, box.column + (box.columns - width) / 2, lines[i], ink, box.columns);
  }
}

std::size_t scrolled(std::size_t top, std::size_t selected, std::size_t rows, std::size_t total) noexcept {
  if (rows == 0 || total <= rows) return 0;
  if (selected < top) top = selected;
  if (selected >= top + rows) top = selected - rows + 1;
  return std::min(top, total - rows);
}

}  // namespace honeylink::telemetry::view
