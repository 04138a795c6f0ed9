// A trace as lines: tree, duration, bar, service, what went wrong, and where the time went (UX "What it prints"). Pure;
// one thread.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "cli/style.h"
#include "query/trace_tree.h"

namespace honeylink::telemetry::cli {

struct WaterfallOptions {
  std::size_t columns = 0;   // of the terminal; 0: nothing is cut
  std::size_t rows_max = 0;  // 0: all
  bool self_times = true;
};
/// One line per span, without a header. Everything printed is safe for a terminal.
[[nodiscard]] std::string draw_waterfall(const std::vector<query::SpanView>& spans, const query::TraceTree& tree,
                                         const Style& style, const WaterfallOptions& options);

}  // namespace honeylink::telemetry::cli
