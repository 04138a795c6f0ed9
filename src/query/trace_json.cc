// See trace_json.h.
#include "query/trace_json.h"

#include "base/text.h"
#include "query/time_text.h"

namespace honeylink::telemetry::query {
namespace {

void append_attributes(JsonWriter& json, const std::vector<NamedJson>& attributes) {
  json.begin_object();
  for (const auto& [name, value] : attributes) json.key(name).raw(value);
  json.end_object();
}

}  // namespace

void append_summary(JsonWriter& json, const TraceSummary& trace) {
  json.begin_object().key("trace_id").text(hex(trace.trace_id)).key("root").text(trace.root);
  json.key("service").text(trace.service).key("start").text(format_utc(trace.start_unix_ns));
  json.key("start_unix_nano").text(std::to_string(trace.start_unix_ns)).key("duration_ns").integer(trace.duration_ns());
  json.key("spans").count(trace.spans).key("errors").count(trace.errors).key("kept").text(kept_name(trace.kept));
  json.key("slow").boolean(trace.slow).end_object();
}

std::string trace_list_json(const TraceList& list) {
  JsonWriter json;
  json.begin_object().key("schema").integer(1).key("traces").begin_array();
  for (const TraceSummary& trace : list.traces) append_summary(json, trace);
  json.end_array().key("truncated").boolean(list.total > list.traces.size()).key("total").count(list.total);
  return json.end_object().str();
}

void append_span(JsonWriter& json, const SpanView& span, const TreeNode& node) {
  json.begin_object();
  append_span_members(json, span, node);
  json.end_object();
}

void append_span_members(JsonWriter& json, const SpanView& span, const TreeNode& node) {
  json.key("span_id").text(hex(span.span_id)).key("parent_span_id");
  if (span.has_parent) json.text(hex(span.parent_span_id));
  else json.null();
  json.key("name").text(span.name).key("service").text(span.service).key("module").text(span.module);
  json.key("kind").text(kind_name(span.kind)).key("start").text(format_utc(span.start_unix_ns));
  json.key("start_unix_nano").text(std::to_string(span.start_unix_ns)).key("duration_ns").integer(span.duration_ns);
  json.key("status").text(status_name(span.status));
  if (!span.status_text.empty()) json.key("status_message").text(span.status_text);
  json.key("kept").text(kept_name(span.kept)).key("unfinished").boolean(span.unfinished).key("slow").boolean(span.slow);
  json.key("self_ns").integer(node.self_ns).key("critical_ns").integer(node.critical_ns).key("depth").count(node.depth);
  if (!span.scope.empty()) json.key("scope").text(span.scope);
  if (!span.trace_state.empty()) json.key("trace_state").text(span.trace_state);
  if (!span.keep_reason.empty()) json.key("keep_reason").text(span.keep_reason);
  if (span.dropped_attributes != 0) json.key("dropped_attributes").count(span.dropped_attributes);
  if (span.dropped_events != 0) json.key("dropped_events").count(span.dropped_events);
  json.key("attributes");
  append_attributes(json, span.attributes);
  json.key("events").begin_array();
  for (const auto& event : span.events) {
    json.begin_object().key("name").text(event.name).key("time").text(format_utc(event.time_unix_ns));
    json.key("time_unix_nano").text(std::to_string(event.time_unix_ns)).key("attributes");
    append_attributes(json, event.attributes);
    json.end_object();
  }
  json.end_array().key("links").begin_array();
  for (const auto& link : span.links) {
    json.begin_object()
        .key("trace_id")
        .text(hex(link.trace_id))
        .key("span_id")
        .text(hex(link.span_id))
        .key("attributes");
    append_attributes(json, link.attributes);
    json.end_object();
  }
  json.end_array();
}

std::string trace_json(const std::vector<SpanView>& spans, const TraceTree& tree, std::size_t shown) {
  JsonWriter json;
  json.begin_object().key("schema").integer(1).key("trace_id").text(hex(spans.front().trace_id));
  json.key("start").text(format_utc(tree.start_unix_ns)).key("duration_ns").integer(tree.duration_ns());
  json.key("spans").begin_array();
  for (std::size_t n = 0; n < shown; ++n) append_span(json, spans[tree.nodes[n].span], tree.nodes[n]);
  json.end_array().key("truncated").boolean(shown < tree.nodes.size()).key("total").count(tree.nodes.size());
  return json.end_object().str();
}

}  // namespace honeylink::telemetry::query
