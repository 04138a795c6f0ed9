// GET /api/traces/ID/columns.
#include <unordered_set>

#include "query/log_search.h"
#include "view/api.h"
#include "view/gzip.h"
#include "view/trace_columns.h"

namespace honeylink::telemetry::view {
namespace {

constexpr std::int64_t kSlackNs = 1'000'000'000;
constexpr std::size_t kGzipFrom = 16 << 10;

/// Spans of the trace in which lines were written.
std::unordered_set<std::string> logged_spans(const Api& api, const std::string& trace_id,
                                             const query::TraceTree& tree) {
  query::LogFilter filter;
  filter.trace_prefix = trace_id;
  filter.since_unix_ns = tree.start_unix_ns - kSlackNs, filter.until_unix_ns = tree.end_unix_ns + kSlackNs;
  std::unordered_set<std::string> spans;
  for (const std::string& raw : query::find_logs(api.home, filter, 0).lines)
    spans.insert(query::parse_log_line(raw).span_id);
  return spans;
}

}  // namespace

Response api_trace_columns(const Api& api, const Request& request) {
  const auto spans = spans_of(api, request);
  if (!spans.ok()) return problem_response(spans.problem());
  const query::TraceTree tree = query::build_trace_tree(spans.value());
  Response response;
  response.type = "application/vnd.honeytel.trace";
  response.body = encode_columns(spans.value(), tree, logged_spans(api, hex(spans.value().front().trace_id), tree));
  if (request.accepts_gzip && response.body.size() >= kGzipFrom) {
    std::string small = gzip(response.body);
    if (!small.empty()) response.body = std::move(small), response.gzipped = true;
  }
  return response;
}

}  // namespace honeylink::telemetry::view
