// Status, traces and logs of a home, for the terminal view: see terminal_looks.h.
#include "view/terminal_looks.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <unordered_map>

#include "base/text.h"
#include "query/json.h"
#include "query/paths.h"
#include "query/status.h"
#include "query/time_text.h"
#include "query/trace_tree.h"

namespace honeylink::telemetry::view {
namespace {

constexpr std::size_t kTracesMax = 500;     // of a list
constexpr std::size_t kTracesEnough = 200;  // no look further back
constexpr std::size_t kLogRowsMax = 2'000;
constexpr std::size_t kLogTextBytesMax = 1'024;
constexpr std::array<std::int64_t, 7> kStepsBackS{10, 60, 600, 3'600, 86'400, 604'800, 0};  // 0: everything
constexpr std::chrono::milliseconds kLookLong{300};

std::int64_t now_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string problem_text(const query::Problem& problem) {
  return problem.what + (problem.why.empty() ? "" : ": " + problem.why);
}

std::uint64_t lost(const query::SignalBalance& signal) {
  std::uint64_t sum = 0;
  for (const auto& [reason, n] : signal.counts.dropped)
    sum += reason == "sampled_out" || reason == "policy" || reason == "expired" ? 0 : n;  // as `honeytel health` judges
  return sum;
}

}  // namespace

std::shared_ptr<const StatusFacts> look_at_status(const std::string& home) {
  auto facts = std::make_shared<StatusFacts>();
  const auto status = query::read_status(home);
  if (!status.ok()) return facts;
  facts->engine = status.value().engine.mode, facts->engine_pid = status.value().engine.pid;
  for (const query::RingStatus& ring : status.value().rings) facts->programs += ring.alive ? 1 : 0;
  const query::Balance& balance = status.value().balance;
  for (const query::SignalBalance* signal : {&balance.metrics, &balance.spans, &balance.logs}) {
    facts->in_ring += signal->in_ring;
    facts->accepted += signal->counts.accepted;
    facts->dropped += lost(*signal);
  }
  for (const query::StoreStatus& store : status.value().stores)
    facts->newest_unix_ns = std::max(facts->newest_unix_ns, store.newest_unix_ns);
  return facts;
}

std::shared_ptr<const TraceTable> look_at_traces(const std::string& home, const PageFilter& filter, std::size_t& step) {
  auto table = std::make_shared<TraceTable>();
  auto reader = query::TraceReader::open(home);
  if (!reader.ok()) {
    if (reader.problem().kind != query::ProblemKind::not_found) table->problem = problem_text(reader.problem());
    return table;
  }
  query::TraceFilter sought;
  sought.errors = filter.errors, sought.slow = filter.slow, sought.name = filter.name;
  sought.duration_ns_min = filter.duration_ns_min;
  const std::int64_t now = now_ns();
  const std::int64_t limit_ns = filter.since_word.empty() ? INT64_MIN : now - *query::parse_duration(filter.since_word);
  for (step = step > 0 ? step - 1 : 0;; ++step) {
    const auto began = std::chrono::steady_clock::now();
    const std::int64_t back = kStepsBackS[step];
    sought.since_unix_ns = std::max(limit_ns, back == 0 ? INT64_MIN : now - back * kSecondNs);
    auto list = reader.value()->list(sought, filter.text.empty() ? kTracesMax : 0);
    if (!list.ok()) {
      table->problem = problem_text(list.problem());
      return table;
    }
    table->rows = std::move(list.value().traces), table->total = list.value().total;
    table->since_unix_ns = sought.since_unix_ns;
    if (!filter.text.empty()) {
      std::erase_if(table->rows, [&](const query::TraceSummary& trace) {
        return !holds(trace.root, filter.text) && !holds(trace.service, filter.text) &&
               !holds(hex(trace.trace_id), filter.text);
      });
      table->total = table->rows.size();
      if (table->rows.size() > kTracesMax) table->rows.resize(kTracesMax);
    }
    const bool took_long = std::chrono::steady_clock::now() - began > kLookLong && !table->rows.empty();
    if (back == 0 || sought.since_unix_ns == limit_ns || table->total >= kTracesEnough || took_long) return table;
  }
}

std::shared_ptr<const OpenTrace> look_at_trace(const std::string& home, const std::string& trace_id) {
  auto open = std::make_shared<OpenTrace>();
  open->trace_id = trace_id;
  auto reader = query::TraceReader::open(home);
  if (!reader.ok()) return open->problem = problem_text(reader.problem()), open;
  const auto spans = reader.value()->trace(trace_id);
  if (!spans.ok()) return open->problem = problem_text(spans.problem()), open;
  const query::TraceTree tree = query::build_trace_tree(spans.value());
  std::unordered_map<std::string, std::uint32_t> texts;
  const auto text_id = [&](const std::string& text) {
    const auto [at, fresh] = texts.try_emplace(text, static_cast<std::uint32_t>(open->texts.size()));
    if (fresh) open->texts.push_back(text);
    return at->second;
  };
  open->trace_id = hex(spans.value().front().trace_id);
  open->start_unix_ns = tree.start_unix_ns, open->duration_ns = tree.duration_ns();
  if (tree.slowest != query::TreeNode::kNoParent) open->slowest = tree.slowest;
  open->rows.resize(tree.nodes.size());
  for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
    const query::TreeNode& node = tree.nodes[i];
    const query::SpanView& span = spans.value()[node.span];
    OpenTrace::Row& row = open->rows[i];
    row.start_ns = span.start_unix_ns - tree.start_unix_ns, row.duration_ns = span.duration_ns;
    row.self_ns = node.self_ns, row.critical_ns = node.critical_ns;
    row.name = text_id(span.name), row.service = text_id(!span.module.empty()  ? span.module
                                                         : !span.scope.empty() ? span.scope
                                                                               : span.service);
    row.depth = node.depth, row.parent = node.parent, row.span_id = span.span_id;
    row.error = span.is_error(), row.unfinished = span.unfinished;
    row.orphan = node.orphan, row.last_child = node.last_child;
    row.has_children = i + 1 < tree.nodes.size() && tree.nodes[i + 1].parent == i;
    open->errors += row.error ? 1 : 0;
  }
  return open;
}

namespace {

void append_attributes(std::vector<std::string>& lines, const std::vector<query::NamedJson>& attributes,
                       const std::string& indent) {
  for (const auto& [name, value] : attributes) lines.push_back(indent + name + " = " + value);
}

std::vector<std::string> lines_of(const query::SpanView& span) {
  std::vector<std::string> lines{span.name};
  const auto line = [&lines](const char* what, const std::string& value) {
    if (!value.empty()) lines.push_back("  " + std::string(what) + std::string(14 - std::strlen(what), ' ') + value);
  };
  line("span", hex(span.span_id));
  line("parent", span.has_parent ? hex(span.parent_span_id) : "");
  line("kind", std::string(query::kind_name(span.kind)));
  line("status", std::string(query::status_name(span.status)) +
                     (span.status_text.empty() ? "" : ": " + span.status_text) +
                     (span.unfinished ? ", unfinished" : ""));
  line("start", query::format_utc(span.start_unix_ns));
  line("duration", query::format_duration(span.duration_ns) + "  (" +
                       query::format_count(static_cast<std::uint64_t>(std::max<std::int64_t>(0, span.duration_ns))) +
                       " ns)");
  line("service", span.service);
  line("module", span.module);
  line("scope", span.scope);
  line("kept", std::string(query::kept_name(span.kept)) + (span.keep_reason.empty() ? "" : ": " + span.keep_reason));
  line("trace state", span.trace_state);
  append_attributes(lines, span.attributes, "  ");
  for (const query::SpanEventView& event : span.events) {
    lines.push_back("  +" + query::format_duration(event.time_unix_ns - span.start_unix_ns) + "  " + event.name);
    append_attributes(lines, event.attributes, "      ");
  }
  for (const query::SpanLinkView& link : span.links) {
    lines.push_back("  links to trace " + hex(link.trace_id) + " span " + hex(link.span_id));
    append_attributes(lines, link.attributes, "      ");
  }
  return lines;
}

}  // namespace

std::shared_ptr<const SpanDetail> look_at_span(const std::string& home, const std::string& trace_id,
                                               const std::string& span_id) {
  auto detail = std::make_shared<SpanDetail>();
  detail->trace_id = trace_id, detail->span_id = span_id;
  auto reader = query::TraceReader::open(home);
  const auto spans =
      reader.ok() ? reader.value()->trace(trace_id) : query::Answer<std::vector<query::SpanView>>(reader.problem());
  if (!spans.ok()) return detail->lines.push_back(problem_text(spans.problem())), detail;
  for (const query::SpanView& span : spans.value()) {
    if (hex(span.span_id) == span_id) return detail->lines = lines_of(span), detail;
  }
  return detail;
}

LogLook::LogLook(std::string home, const PageFilter& filter)
    : home_(std::move(home)), follower_(query::log_path(home_), false) {
  filter_.level_min = filter.level_min, filter_.trace_prefix = filter.trace;
  if (const auto back = query::parse_duration(filter.since_word)) filter_.since_unix_ns = now_ns() - *back;
  if (filter.text.empty()) return;
  std::string why;
  filter_.grep = query::Pattern::compile("(?i)" + filter.text, why);
  if (!filter_.grep) table_.problem = filter.text + ": " + why;
}

std::shared_ptr<const LogRow> LogLook::row_of(std::string_view raw) {
  query::LogLine line;
  if (!query::passes(raw, filter_, line)) return nullptr;
  auto row = std::make_shared<LogRow>();
  if (!line.sound) {
    row->text = raw.substr(0, utf8_cut(raw, kLogTextBytesMax));
    return row;
  }
  row->time_unix_ns = line.time_unix_ns, row->level = query::level_number(line.level);
  row->level_word = line.level, row->module = line.module.empty() ? line.service : line.module;
  row->event = line.event, row->text = line.message, row->trace_id = line.trace_id;
  for (const auto& [name, value] : line.fields) {
    if (row->text.size() > kLogTextBytesMax) break;
    row->text += (row->text.empty() ? "" : "  ") + name + "=" + query::json_text_of(value);
  }
  row->text.resize(utf8_cut(row->text, kLogTextBytesMax));
  return row;
}

void LogLook::take(std::string_view raw) {
  if (!seen_.empty() && std::find(seen_.begin(), seen_.end(), std::hash<std::string_view>{}(raw)) != seen_.end())
    return;
  auto row = row_of(raw);
  if (!row) return;
  table_.rows.push_back(std::move(row));
  if (table_.rows.size() > kLogRowsMax) table_.rows.erase(table_.rows.begin()), ++table_.first, table_.whole = false;
  changed_ = true;
}

/// From the newest file back, until there are enough.
void LogLook::read_files() {
  std::vector<query::LogFile> files = query::list_log_files(home_);
  std::deque<std::shared_ptr<const LogRow>> rows;
  table_.whole = true;
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    if (file->modified_unix_ns < filter_.since_unix_ns) break;
    if (rows.size() >= kLogRowsMax) {
      table_.whole = false;
      break;
    }
    std::deque<std::shared_ptr<const LogRow>> of_file;
    static_cast<void>(query::read_log_file(*file, [&](std::string_view raw) {
      if (file == files.rbegin()) {
        seen_.push_back(std::hash<std::string_view>{}(raw));
        if (seen_.size() > 2 * kLogRowsMax) seen_.erase(seen_.begin(), seen_.begin() + kLogRowsMax);
      }
      if (auto row = row_of(raw)) of_file.push_back(std::move(row));
      if (of_file.size() > kLogRowsMax) of_file.pop_front(), table_.whole = false;
      return true;
    }));
    rows.insert(rows.begin(), of_file.begin(), of_file.end());
  }
  while (rows.size() > kLogRowsMax) rows.pop_front(), table_.whole = false;
  table_.rows.assign(rows.begin(), rows.end());
}

std::shared_ptr<const LogTable> LogLook::look() {
  if (!table_.problem.empty()) {
    if (began_) return nullptr;
    began_ = true;
    return std::make_shared<LogTable>(table_);
  }
  if (!began_) {
    // The follower notes the end first: a line that is written meanwhile is in both, and taken once.
    follower_.poll(0, [](std::string_view) {});
    read_files();
    began_ = changed_ = true;
  }
  follower_.poll(0, [this](std::string_view raw) { take(raw); });
  seen_.clear();
  if (!changed_) return nullptr;
  changed_ = false;
  return std::make_shared<LogTable>(table_);
}

}  // namespace honeylink::telemetry::view
