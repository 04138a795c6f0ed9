// Curves in characters: see plot.h.
#include "cli/plot.h"

#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>

#include "query/time_text.h"
#include "query/unicode.h"

namespace honeylink::telemetry::cli {
namespace {

/// Dots, dot by dot; printed as braille cells or as one character for two rows of ASCII.
class Canvas {
 public:
  Canvas(std::size_t columns, std::size_t rows, bool braille)
      : braille_(braille),
        width_(columns * (braille ? 2 : 1)),
        height_(rows * (braille ? 4 : 2)),
        columns_(columns),
        dots_(width_ * height_, 0) {}
  [[nodiscard]] std::size_t width() const noexcept { return width_; }
  [[nodiscard]] std::size_t height() const noexcept { return height_; }

  void set(std::size_t x, std::size_t y) noexcept {  // y from the top
    if (x < width_ && y < height_) dots_[y * width_ + x] = 1;
  }
  void line(std::size_t x0, std::size_t y0, std::size_t x1, std::size_t y1) noexcept {
    const auto dx = static_cast<double>(x1) - static_cast<double>(x0),
               dy = static_cast<double>(y1) - static_cast<double>(y0);
    const auto steps = std::max<std::size_t>(1, static_cast<std::size_t>(std::max(std::fabs(dx), std::fabs(dy))));
    for (std::size_t i = 0; i <= steps; ++i) {
      const double share = static_cast<double>(i) / static_cast<double>(steps);
      set(static_cast<std::size_t>(std::lround(static_cast<double>(x0) + share * dx)),
          static_cast<std::size_t>(std::lround(static_cast<double>(y0) + share * dy)));
    }
  }
  [[nodiscard]] std::string row(std::size_t r) const {
    std::string text;
    for (std::size_t c = 0; c < columns_; ++c) {
      if (braille_) query::append_utf8(text, braille_cell(c, r));
      else text += ascii_cell(c, r);
    }
    while (text.ends_with(' ') || text.ends_with(kBlank))
      text.resize(text.size() - (text.ends_with(' ') ? 1 : kBlank.size()));
    return text;
  }

 private:
  static constexpr std::string_view kBlank = "\u2800";
  [[nodiscard]] bool dot(std::size_t x, std::size_t y) const noexcept { return dots_[y * width_ + x] != 0; }
  [[nodiscard]] char32_t braille_cell(std::size_t c, std::size_t r) const noexcept {
    constexpr std::array<std::array<std::uint8_t, 2>, 4> kBits{
        {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}};
    char32_t cell = 0x2800;
    for (std::size_t y = 0; y < 4; ++y) {
      for (std::size_t x = 0; x < 2; ++x) cell |= dot(c * 2 + x, r * 4 + y) ? kBits[y][x] : 0U;
    }
    return cell;
  }
  [[nodiscard]] char ascii_cell(std::size_t c, std::size_t r) const noexcept {
    const bool upper = dot(c, r * 2), lower = dot(c, r * 2 + 1);
    return upper && lower ? '|' : upper ? '\'' : lower ? '.' : ' ';
  }
  bool braille_;
  std::size_t width_, height_, columns_;
  std::vector<std::uint8_t> dots_;
};

struct Scale {
  double low = 0, high = 1;
};

/// Where a value stands between low and high, 0 to 1. By halves: the distance of two doubles may not be one.
double share_of(double value, double low, double high) noexcept {
  const double range = high / 2 - low / 2;
  return range > 0 ? std::clamp((value / 2 - low / 2) / range, 0.0, 1.0) : 0;
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

void draw_curve(const std::vector<PlotPoint>& points, const Scale& scale, std::int64_t step_ns, Canvas& canvas) {
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
    const double share = share_of(p.value, scale.low, scale.high);
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
  Canvas canvas(options.columns, options.rows, style.utf8());
  draw_curve(points, scale, options.step_ns, canvas);
  const std::string high = format_value(scale.high), low = format_value(scale.low),
                    middle = format_value(scale.high / 2 + scale.low / 2);
  const std::size_t label_columns =
      std::max({query::columns_of(high), query::columns_of(low), query::columns_of(middle)});
  std::string out;
  for (std::size_t r = 0; r < options.rows; ++r) {
    const std::string label = r == 0                  ? high
                              : r + 1 == options.rows ? low
                              : r == options.rows / 2 ? middle
                                                      : std::string();
    out += "  " + std::string(label_columns - query::columns_of(label), ' ') + label + " " +
           std::string(style.sign("┤", "|"));
    out += style.paint(Colour::blue, canvas.row(r)) + "\n";
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
  constexpr std::array<std::string_view, 8> kBlocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr std::string_view kAscii = "_.:-=+*#";
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
    const double share = share_of(v, low, high);
    const auto level = std::min<std::size_t>(7, static_cast<std::size_t>(share * 8));
    line += style.utf8() ? kBlocks[level] : kAscii.substr(level, 1);
  }
  return line;
}

}  // namespace honeylink::telemetry::cli
