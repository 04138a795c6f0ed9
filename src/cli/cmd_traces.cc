// honeytel traces: the newest traces; one of them as a waterfall, by its id or the first digits of it.
#include <algorithm>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/id_option.h"
#include "cli/levels.h"
#include "cli/listing.h"
#include "cli/waterfall.h"
#include "query/log_reader.h"
#include "query/sli_reader.h"
#include "query/time_text.h"
#include "query/trace_json.h"
#include "query/trace_reader.h"
#include "query/trace_tree.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::uint64_t kListLimit = 50, kSpanLimit = 200;

std::size_t shown_of(std::size_t all, std::uint64_t limit) {
  return limit == 0 ? all : std::min<std::size_t>(all, limit);
}

void print_json(const Call& call, const std::vector<query::SpanView>& spans, const query::TraceTree& tree,
                std::uint64_t limit) {
  const std::size_t shown = shown_of(tree.nodes.size(), limit);
  if (call.format() == Format::json) {
    call.terminal.print(query::trace_json(spans, tree, shown) + "\n");
    return;
  }
  for (std::size_t n = 0; n < shown; ++n) {
    query::JsonWriter line;
    query::append_span(line, spans[tree.nodes[n].span], tree.nodes[n]);
    call.terminal.print(line.str() + "\n");
  }
  say_truncation(call, shown, tree.nodes.size());
}

void print_csv(const Call& call, const std::vector<query::SpanView>& spans, const query::TraceTree& tree,
               std::uint64_t limit) {
  Listing listing({{"span_id", ""},
                   {"parent_span_id", ""},
                   {"name", ""},
                   {"service", ""},
                   {"start", ""},
                   {"duration_ns", ""},
                   {"status", ""},
                   {"self_ns", ""},
                   {"critical_ns", ""}});
  for (std::size_t n = 0; n < shown_of(tree.nodes.size(), limit); ++n) {
    const query::SpanView& span = spans[tree.nodes[n].span];
    listing.add({text_cell(hex(span.span_id)), text_cell(span.has_parent ? hex(span.parent_span_id) : ""),
                 text_cell(span.name), text_cell(span.service), time_cell(span.start_unix_ns),
                 duration_cell(span.duration_ns), text_cell(query::status_name(span.status)),
                 duration_cell(tree.nodes[n].self_ns), duration_cell(tree.nodes[n].critical_ns)});
  }
  listing.print(call, "spans", tree.nodes.size());
}

std::uint64_t count_logs(const std::string& home, const std::string& trace_id, std::int64_t since) {
  query::LogFilter filter;
  filter.trace_prefix = trace_id;
  std::uint64_t count = 0;
  for (const query::LogFile& file : query::list_log_files(home)) {
    if (file.modified_unix_ns < since) continue;
    query::LogLine line;
    static_cast<void>(query::read_log_file(
        file, [&](std::string_view raw) { return count += query::passes(raw, filter, line) ? 1U : 0U, true; }));
  }
  return count;
}

/// "1 alert: alert_01J… ◆"
std::string alerts_of(const std::string& home, const std::string& trace_id, const Style& style) {
  auto reader = query::SliReader::open(home, 0);
  if (!reader.ok()) return {};
  query::AlertFilter filter;
  filter.trace_id = trace_id;
  const auto list = reader.value()->alerts(filter);
  if (!list.ok() || list.value().alerts.empty()) return {};
  const AlertEvent& newest = list.value().alerts.front().event;
  return query::format_count(list.value().total) + (list.value().total == 1 ? " alert: " : " alerts, the newest: ") +
         terminal_safe(newest.alert_id) + " " +
         style.paint(colour_of(newest.severity), std::string(sign_of(newest.severity, style)));
}

void print_details(const Call& call, const query::SpanView& span) {
  std::string text;
  for (const auto& [name, value] : span.attributes)
    text += "      " + terminal_safe(name) + " = " + terminal_safe(value) + "\n";
  for (const auto& event : span.events) {
    text += "      " + std::string(call.terminal.style.sign("·", "*")) + " " +
            query::format_duration(event.time_unix_ns - span.start_unix_ns) + "  " + terminal_safe(event.name);
    for (const auto& [name, value] : event.attributes) text += "  " + terminal_safe(name) + "=" + terminal_safe(value);
    text += "\n";
  }
  for (const auto& link : span.links)
    text += "      links to trace " + hex(link.trace_id) + " span " + hex(link.span_id) + "\n";
  call.terminal.print(text);
}

void print_waterfall(const Call& call, const std::string& home, const std::vector<query::SpanView>& spans,
                     const query::TraceTree& tree, std::uint64_t limit) {
  const std::string id = hex(spans.front().trace_id);
  const Style& style = call.terminal.style;
  call.terminal.print("  " + style.paint(Colour::bold, id) + "  " + query::format_local(tree.start_unix_ns) + "\n");
  WaterfallOptions options{call.terminal.columns, static_cast<std::size_t>(limit), true};
  call.terminal.print(draw_waterfall(spans, tree, style, options));
  if (call.has("verbose")) {
    for (std::size_t n = 0; n < shown_of(tree.nodes.size(), limit); ++n) {
      const query::SpanView& span = spans[tree.nodes[n].span];
      call.terminal.print("    " + style.paint(Colour::bold, terminal_safe(span.name)) + "  span " + hex(span.span_id) +
                          "  " + std::string(query::kind_name(span.kind)) + "\n");
      print_details(call, span);
    }
  }
  const std::uint64_t logs = count_logs(home, id, tree.start_unix_ns - 1'000'000'000);
  std::string beside = logs == 0 ? ""
                                 : query::format_count(logs) + (logs == 1 ? " log" : " logs") +
                                       " (honeytel logs --trace " + id.substr(0, 8) + ")";
  if (const std::string alerts = alerts_of(home, id, style); !alerts.empty())
    beside += (beside.empty() ? "" : std::string(style.sign(" · ", ", "))) + alerts;
  if (!beside.empty()) call.terminal.print("  " + beside + "\n");
  say_truncation(call, shown_of(tree.nodes.size(), limit), tree.nodes.size());
}

int show_one(Call& call, const std::string& home) {
  std::string prefix;
  query::Problem problem;
  if (!query::normalize_trace_prefix(call.argument(0), prefix)) {
    return report(call.terminal, usage_problem("'" + call.argument(0) + "' is no trace id",
                                               "that is 32 hexadecimal digits, or the first 4 or more of them",
                                               "honeytel traces lists what there is"));
  }
  const auto limit = call.count("limit", kSpanLimit, problem);
  if (!limit) return report(call.terminal, problem);
  auto reader = query::TraceReader::open(home);
  if (!reader.ok()) return report(call.terminal, reader.problem());
  const auto spans = reader.value()->trace(prefix);
  if (!spans.ok()) return report(call.terminal, spans.problem());
  const query::TraceTree tree = query::build_trace_tree(spans.value());
  switch (call.format()) {
    case Format::table:
      print_waterfall(call, home, spans.value(), tree, *limit);
      break;
    case Format::csv:
      print_csv(call, spans.value(), tree, *limit);
      break;
    default:
      print_json(call, spans.value(), tree,
                 call.has("limit") ? *limit : 0);  // a program asks for a trace, not for a page of it
  }
  return kOk;
}

void print_list_json(const Call& call, const query::TraceList& list) {
  if (call.format() == Format::json) return call.terminal.print(query::trace_list_json(list) + "\n");
  for (const query::TraceSummary& trace : list.traces) {
    query::JsonWriter line;
    query::append_summary(line, trace);
    call.terminal.print(line.str() + "\n");
  }
  say_truncation(call, list.traces.size(), list.total);
}

void print_rows(const Call& call, const query::TraceList& list) {
  Listing listing({{"trace_id", "trace"},
                   {"root", "root", false, true},
                   {"service", "service", false, true},
                   {"start", "start"},
                   {"start_unix_nano", ""},
                   {"duration_ns", "duration", true},
                   {"spans", "spans", true},
                   {"errors", "errors", true},
                   {"kept", "kept"},
                   {"slow", ""}});
  for (const query::TraceSummary& trace : list.traces) {
    Cell errors = count_cell(trace.errors);
    if (trace.errors > 0)
      errors.colour = Colour::red, errors.shown = std::string(call.terminal.style.sign("■ ", "! ")) + errors.shown;
    Cell duration = duration_cell(trace.duration_ns());
    if (trace.slow)
      duration.colour = Colour::orange,
      duration.shown = std::string(call.terminal.style.sign("◆ ", "* ")) + duration.shown;
    listing.add({text_cell(hex(trace.trace_id)), text_cell(trace.root), text_cell(trace.service),
                 time_cell(trace.start_unix_ns), nano_cell(trace.start_unix_ns), duration, count_cell(trace.spans),
                 errors, text_cell(query::kept_name(trace.kept)), bool_cell(trace.slow)});
  }
  listing.print(call, "traces", list.total);
}

void print_list(const Call& call, const query::TraceList& list) {
  if (call.format() == Format::json || call.format() == Format::jsonl) print_list_json(call, list);
  else print_rows(call, list);
  if (list.damaged_blobs > 0)
    call.terminal.say(query::format_count(list.damaged_blobs) + " damaged blocks were left out");
  if (list.total == 0) call.terminal.say("no traces in this range; honeytel demo makes some");
}

int run(Call& call) {
  const auto home = call.home();
  if (!home.ok()) return report(call.terminal, home.problem());
  if (!call.argument(0).empty()) return show_one(call, home.value());
  query::Problem problem;
  query::TraceFilter filter;
  const auto since = call.moment("since", INT64_MIN, problem), until = call.moment("until", INT64_MAX, problem);
  const auto least = call.duration("min-duration", 0, problem);
  const auto limit = call.count("limit", kListLimit, problem);
  if (!since || !until || !least || !limit) return report(call.terminal, problem);
  filter.since_unix_ns = *since, filter.until_unix_ns = *until, filter.duration_ns_min = *least;
  const auto pseudonym = pseudonym_of(call, home.value(), problem);
  if (!pseudonym) return report(call.terminal, problem);
  filter.pseudonym = *pseudonym;
  filter.name = call.text("name"), filter.errors = call.has("errors"), filter.slow = call.has("slow");
  auto reader = query::TraceReader::open(home.value());
  if (!reader.ok() && reader.problem().kind == query::ProblemKind::not_found)
    return print_list(call, {}), static_cast<int>(kOk);
  if (!reader.ok()) return report(call.terminal, reader.problem());
  const auto list = reader.value()->list(filter, static_cast<std::size_t>(*limit));
  if (!list.ok()) return report(call.terminal, list.problem());
  print_list(call, list.value());
  return kOk;
}

constexpr Option kOptions[] = {
    kSince,
    kUntil,
    kLimit,
    {"name", "NAME", "Traces with a span of this name"},
    kId,
    {"min-duration", "TIME", "Traces that took at least this: 100ms, 2s"},
    {"errors", "", "Traces with an error"},
    {"slow", "", "Traces in which a value was over its service level's limit"},
    {"verbose", "", "One trace: attributes, events and links too", {}, 'v'},
};

}  // namespace

extern const Command kTraces{.name = "traces",
                             .summary = "The newest traces, or one as a waterfall",
                             .usage = "[TRACE_ID|PREFIX] [--errors] [--slow] [--since TIME] …",
                             .about =
                                 "A prefix of a trace id needs four digits. The waterfall shows each span's place in "
                                 "time, its own\ntime (self), and where the whole waited longest (critical path).",
                             .example =
                                 "honeytel traces --errors --since 1h\nhoneytel traces 0af76519\nhoneytel traces "
                                 "--json --limit 0 | jq '.traces[].duration_ns'",
                             .options = kOptions,
                             .arguments_max = 1,
                             .reads = true,
                             .run = run};

}  // namespace honeylink::telemetry::cli
