// A curve in characters: braille dots (2 × 4 a cell), or ASCII where the terminal has no UTF-8. Gaps stay gaps. Pure;
// one thread.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/style.h"

namespace honeylink::telemetry::cli {

struct PlotPoint {
  std::int64_t time_unix_ns = 0;
  double value = 0;  // NaN: no data
};
/// A value across the whole plot, where it lies within it.
struct PlotLine {
  double value = 0;
  Colour colour = Colour::plain;
};
struct PlotOptions {
  std::size_t columns = 72, rows = 10;  // of the curve itself
  std::int64_t step_ns = 0;             // points farther apart than twice this are not joined
  std::vector<PlotLine> lines = {};
};
/// Curve, axis of values on the left, times below. "(no data)" where there is none.
[[nodiscard]] std::string draw_plot(const std::vector<PlotPoint>& points, const Style& style,
                                    const PlotOptions& options, const std::function<std::string(double)>& format_value);
/// ▁▂▃▄▅▆▇█, one character a point; " " for a gap. In ASCII: " .:-=+*#".
[[nodiscard]] std::string sparkline(const std::vector<double>& values, const Style& style);

}  // namespace honeylink::telemetry::cli
