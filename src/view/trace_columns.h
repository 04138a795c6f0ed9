// A trace as columns of bytes, for a canvas that draws a hundred thousand spans (docs/formats/view_api.md, "A trace in
// columns"). Pure; any thread.
#pragma once
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "query/trace_tree.h"

namespace honeylink::telemetry::view {

// Flags of a span.
inline constexpr std::uint8_t kSpanError = 1, kSpanCritical = 2, kSpanUnfinished = 4, kSpanEvents = 8, kSpanLogs = 16,
                              kSpanOrphan = 32;

/// Spans in the order of the tree. `logged`: ids, as hexadecimal digits, of spans in which lines were written.
[[nodiscard]] std::string encode_columns(const std::vector<query::SpanView>& spans, const query::TraceTree& tree,
                                         const std::unordered_set<std::string>& logged);

}  // namespace honeylink::telemetry::view
