// GET /api/traces, /api/traces/ID and /api/traces/ID/spans/SPAN_ID.
#include <algorithm>

#include "base/text.h"
#include "query/log_search.h"
#include "query/trace_json.h"
#include "view/api.h"

namespace honeylink::telemetry::view {
namespace {

constexpr std::uint64_t kTraces = 50, kSpans = 1'000, kLinesOfSpan = 100;

/// Lines of the log that were written in this span.
query::LogPage lines_of(const Api& api, const query::SpanView& span) {
  constexpr std::int64_t kSlackNs = 1'000'000'000;
  query::LogFilter filter;
  filter.trace_prefix = hex(span.trace_id);
  filter.since_unix_ns = span.start_unix_ns - kSlackNs;
  query::LogPage page = query::find_logs(api.home, filter, 0);
  const std::string id = hex(span.span_id);
  std::erase_if(page.lines, [&](const std::string& raw) { return query::parse_log_line(raw).span_id != id; });
  page.total = page.lines.size();
  if (page.lines.size() > kLinesOfSpan) page.lines.resize(kLinesOfSpan);
  return page;
}

}  // namespace

query::Answer<std::vector<query::SpanView>> spans_of(const Api& api, const Request& request) {
  std::string prefix;
  if (!query::normalize_trace_prefix(request.segments[2], prefix))
    return query::Problem{query::ProblemKind::usage, "'" + request.segments[2] + "' is no trace id",
                          "that is 32 hexadecimal digits, or the first 4 or more of them",
                          "/api/traces lists what there is"};
  auto reader = query::TraceReader::open(api.home);
  if (!reader.ok()) return reader.problem();
  return reader.value()->trace(prefix);
}

Response api_traces(const Api& api, const Request& request) {
  query::Problem problem;
  query::TraceFilter filter;
  const auto range = range_of(request, INT64_MIN, INT64_MAX, problem);
  const auto least = request.duration("min_duration", 0, problem);
  const auto limit = request.count("limit", kTraces, problem);
  if (!range || !least || !limit) return problem_response(problem);
  filter.since_unix_ns = range->since_unix_ns, filter.until_unix_ns = range->until_unix_ns;
  filter.duration_ns_min = *least, filter.name = request.text("name");
  filter.errors = request.has("errors"), filter.slow = request.has("slow");
  auto reader = query::TraceReader::open(api.home);
  if (!reader.ok() && reader.problem().kind == query::ProblemKind::not_found)
    return json_response(query::trace_list_json({}));
  if (!reader.ok()) return problem_response(reader.problem());
  const auto list = reader.value()->list(filter, static_cast<std::size_t>(*limit));
  return list.ok() ? json_response(query::trace_list_json(list.value())) : problem_response(list.problem());
}

Response api_trace(const Api& api, const Request& request) {
  query::Problem problem;
  const auto limit = request.count("limit", kSpans, problem);
  if (!limit) return problem_response(problem);
  const auto spans = spans_of(api, request);
  if (!spans.ok()) return problem_response(spans.problem());
  const query::TraceTree tree = query::build_trace_tree(spans.value());
  const std::size_t all = tree.nodes.size();
  const std::size_t shown = *limit == 0 ? all : std::min<std::size_t>(all, *limit);
  return json_response(query::trace_json(spans.value(), tree, shown));
}

Response api_trace_span(const Api& api, const Request& request) {
  query::SpanIdBytes wanted{};
  if (!unhex(request.segments[4], wanted))
    return error_response(400, "'" + request.segments[4] + "' is no span id", "that is 16 hexadecimal digits");
  const auto spans = spans_of(api, request);
  if (!spans.ok()) return problem_response(spans.problem());
  const query::TraceTree tree = query::build_trace_tree(spans.value());
  for (const query::TreeNode& node : tree.nodes) {
    const query::SpanView& span = spans.value()[node.span];
    if (span.span_id != wanted) continue;
    query::JsonWriter json;
    json.begin_object().key("schema").integer(1);
    query::append_span_members(json, span, node);
    const query::LogPage page = lines_of(api, span);
    json.key("logs").begin_array();
    for (const std::string& raw : page.lines) json.raw(query::log_line_json(query::parse_log_line(raw)));
    json.end_array().key("truncated").boolean(page.total > page.lines.size()).key("total").count(page.total);
    return json_response(json.end_object().str());
  }
  return error_response(404, "no span " + request.segments[4] + " in this trace");
}

}  // namespace honeylink::telemetry::view
