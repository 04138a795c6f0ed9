// Traces as JSON: the shapes of `honeytel traces --json` and `honeytel traces ID --json`, which the page is told too.
// Pure; any thread.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "query/json.h"
#include "query/trace_reader.h"
#include "query/trace_tree.h"

namespace honeylink::telemetry::query {

void append_summary(JsonWriter& json, const TraceSummary& trace);
[[nodiscard]] std::string trace_list_json(const TraceList& list);

void append_span(JsonWriter& json, const SpanView& span, const TreeNode& node);
/// The same without the brackets, for an object that has more to say.
void append_span_members(JsonWriter& json, const SpanView& span, const TreeNode& node);
/// The first `shown` spans in the order of the tree.
[[nodiscard]] std::string trace_json(const std::vector<SpanView>& spans, const TraceTree& tree, std::size_t shown);

}  // namespace honeylink::telemetry::query
