// Curves in characters: see plot.h.
#include "cli/plot.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "query/time_text.h"
#include "query/unicode.h"
#include "view/dots.h"

namespace honeylink::telemetry::cli {
namespace {

struct Scale {
  double low = 0, high = 1;
};

std::string row_of(const view::Dots& dots, std::size_t columns, std::size_t row) {
  std::string text;
  for (std::size_t c = 0; c < columns; ++c) query::append_utf8(text, dots.cell(c, row));
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

/// From zero where the values are near it, so that small changes do not look large.
Scale scale_of(const std::vector<PlotPoint>& points) {
  Scale scale{INFINITY, -INFINITY};
  for (const PlotPoint& p : points) {
    if (!std::isfinite(p.value)) continue;
    scale.low = std::min(scale.low, p.value), scale.high = std::max(scale.high, p.value);
  }
  if (scale.low > 0 && scale.low < 0.6 * scale.high) scale.low = 0;
  if (scale.high < 0 && scale.high > 0.6 * scale.low) scale.high = 0;
  if (scale.high == scale.low) {
    const double around = scale.high == 0 ? 1 : std::fabs(scale.high) * 0.1;
    scale.low = std::max(-DBL_MAX, scale.low - (scale.low == 0 ? 0 : around));
    scale.high = std::min(DBL_MAX, scale.high + around);
  }
  return scale;
}

void draw_curve(const std::vector<PlotPoint>& points, const Scale& scale, std::int64_t step_ns, view::Dots& canvas) {
  const std::int64_t t0 = points.front().time_unix_ns, t1 = points.back().time_unix_ns;
  const double span = std::max<double>(1, static_cast<double>(t1 - t0));
  bool joined = false;
  std::size_t before_x = 0, before_y = 0;
  std::int64_t before_time = 0;
  for (const PlotPoint& p : points) {
    if (!std::isfinite(p.value)) {
      joined = false;
      continue;
    }
    const double share = view::share_of(p.value, scale.low, scale.high);
    const auto x = static_cast<std::size_t>(
        std::lround(static_cast<double>(p.time_unix_ns - t0) / span * static_cast<double>(canvas.width() - 1)));
    const auto y = static_cast<std::size_t>(std::lround((1 - share) * static_cast<double>(canvas.height() - 1)));
    if (joined && (step_ns == 0 || p.time_unix_ns - before_time <= 2 * step_ns)) canvas.line(before_x, before_y, x, y);
    else canvas.set(x, y);
    joined = true, before_x = x, before_y = y, before_time = p.time_unix_ns;
  }
}

std::string clock_of(std::int64_t unix_ns, bool with_date) {
  const std::string local = query::format_local(unix_ns);
  return with_date ? local.substr(5, 11) : local.substr(11, 8);
}

}  // namespace

std::string draw_plot(const std::vector<PlotPoint>& points, const Style& style, const PlotOptions& options,
                      const std::function<std::string(double)>& format_value) {
  const bool any = std::any_of(points.begin(), points.end(), [](const PlotPoint& p) { return std::isfinite(p.value); });
  if (!any) return "  (no data)\n";
  const Scale scale = scale_of(points);
  view::Dots canvas(options.columns, options.rows, style.utf8());
  draw_curve(points, scale, options.step_ns, canvas);
  const std::string high = format_value(scale.high), low = format_value(scale.low),
                    middle = format_value(scale.high / 2 + scale.low / 2);
  const std::size_t label_columns =
      std::max({query::columns_of(high), query::columns_of(low), query::columns_of(middle)});
  std::string out;
  const auto line_in = [&](std::size_t r) -> const PlotLine* {
    for (const PlotLine& line : options.lines) {
      if (line.value < scale.low || line.value > scale.high) continue;
      const double from_top = (1 - view::share_of(line.value, scale.low, scale.high)) * static_cast<double>(options.rows - 1);
      if (static_cast<std::size_t>(std::lround(from_top)) == r) return &line;
    }
    return nullptr;
  };
  for (std::size_t r = 0; r < options.rows; ++r) {
    const std::string label = r == 0                  ? high
                              : r + 1 == options.rows ? low
                              : r == options.rows / 2 ? middle
                                                      : std::string();
    out += "  " + std::string(label_columns - query::columns_of(label), ' ') + label + " " +
           std::string(style.sign("┤", "|"));
    std::string curve = row_of(canvas, options.columns, r);
    out += style.paint(Colour::blue, curve);
    if (const PlotLine* line = line_in(r)) {
      const std::size_t used = query::columns_of(curve), left = options.columns > used ? options.columns - used : 0;
      std::string dashes;
      for (std::size_t i = 0; i < left; ++i) dashes += style.sign("┄", "-");
      out += style.paint(line->colour, dashes + " " + format_value(line->value));
    }
    out += "\n";
  }
  const bool dated = points.back().time_unix_ns - points.front().time_unix_ns > 86'400'000'000'000;
  const std::string from = clock_of(points.front().time_unix_ns, dated),
                    to = clock_of(points.back().time_unix_ns, dated);
  const std::size_t used = from.size() + to.size();
  out += "  " + std::string(label_columns + 2, ' ') + from +
         std::string(options.columns > used ? options.columns - used : 1, ' ') + to + "\n";
  return out;
}

std::string sparkline(const std::vector<double>& values, const Style& style) {
  double low = INFINITY, high = -INFINITY;
  for (const double v : values) {
    if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
  }
  std::string line;
  for (const double v : values) {
    if (!std::isfinite(v)) {
      line += ' ';
      continue;
    }
    line += view::spark_sign(view::share_of(v, low, high), style.utf8());
  }
  return line;
}

}  // namespace honeylink::telemetry::cli
