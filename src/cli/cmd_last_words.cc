// honeytel last-words: the final seconds of a process that died: what it was in the middle of, what it had just done,
// what it said.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "config/config.h"
#include "query/json.h"
#include "query/last_words.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::uint64_t kRows = 30;

void append_attributes(query::JsonWriter& json, const std::vector<query::NamedJson>& attributes) {
  json.begin_object();
  for (const auto& [name, value] : attributes) json.key(name).raw(value);
  json.end_object();
}

void put_time(query::JsonWriter& json, const char* key, std::int64_t ns) {
  json.key(key);
  if (ns == 0) json.null();
  else json.text(query::format_utc(ns));
}

std::string to_json(const query::LastWords& words) {
  query::JsonWriter json;
  json.begin_object()
      .key("schema")
      .integer(1)
      .key("pid")
      .count(words.pid)
      .key("service")
      .text(words.service)
      .key("from")
      .text(words.from);
  put_time(json, "started", words.started_unix_ns);
  put_time(json, "died", words.died_unix_ns);
  json.key("spans").begin_array();
  for (const query::SpanView& span : words.spans) {
    json.begin_object()
        .key("trace_id")
        .text(hex(span.trace_id))
        .key("span_id")
        .text(hex(span.span_id))
        .key("name")
        .text(span.name);
    json.key("start_unix_nano")
        .text(std::to_string(span.start_unix_ns))
        .key("duration_ns")
        .integer(span.duration_ns)
        .key("status")
        .text(query::status_name(span.status));
    json.key("unfinished").boolean(span.unfinished).key("attributes");
    append_attributes(json, span.attributes);
    json.end_object();
  }
  json.end_array().key("logs").begin_array();
  for (const query::LastLog& log : words.logs) {
    json.begin_object()
        .key("time_unix_nano")
        .text(std::to_string(log.time_unix_ns))
        .key("severity_number")
        .integer(log.level)
        .key("event")
        .text(log.event);
    if (!log.message.empty()) json.key("message").text(log.message);
    if (!log.trace_id.empty()) json.key("trace_id").text(log.trace_id);
    json.key("fields");
    append_attributes(json, log.fields);
    json.end_object();
  }
  json.end_array().end_object();
  return json.str();
}

std::string text_of(const std::vector<query::NamedJson>& attributes) {
  std::string text;
  for (const auto& [name, value] : attributes) text += "  " + terminal_safe(name) + "=" + terminal_safe(value);
  return text;
}

/// "-1.204 s": before the end.
std::string before_end(const query::LastWords& words, std::int64_t ns) {
  char text[32];
  std::snprintf(text, sizeof text, "%+9.3f s", static_cast<double>(ns - words.died_unix_ns) / 1e9);
  return text;
}

void print_words(const Call& call, const query::LastWords& words, std::size_t rows) {
  const Style& style = call.terminal.style;
  const auto print = [&](const std::string& text) { call.terminal.print(text + "\n"); };
  print("  " + style.paint(Colour::bold, terminal_safe(words.service)) + " (pid " + std::to_string(words.pid) +
        ") died " +
        (words.died_unix_ns == 0 ? "before it recorded anything" : query::format_local(words.died_unix_ns)) +
        (words.started_unix_ns == 0 || words.died_unix_ns == 0
             ? ""
             : ", after " + query::format_duration(words.died_unix_ns - words.started_unix_ns)));
  const auto open =
      std::find_if(words.spans.begin(), words.spans.end(), [](const query::SpanView& s) { return s.unfinished; });
  print(open == words.spans.end() ? "\n  It was in the middle of nothing." : "\n  It was in the middle of:");
  for (auto span = open; span != words.spans.end(); ++span) {
    print("    " + style.paint(Colour::orange, std::string(style.sign("◆ ", "* ")) + terminal_safe(span->name)) +
          ", for " + query::format_duration(span->duration_ns) + text_of(span->attributes) +
          style.paint(Colour::dim, "  trace " + hex(span->trace_id).substr(0, 8)));
  }
  const auto finished = static_cast<std::size_t>(open - words.spans.begin());
  const std::size_t first = finished > rows && rows != 0 ? finished - rows : 0;
  if (finished > 0) print("\n  It had just done:");
  for (std::size_t i = first; i < finished; ++i) {
    const query::SpanView& span = words.spans[i];
    print("    " + before_end(words, span.end_unix_ns()) + "  " + terminal_safe(span.name) + "  " +
          query::format_duration(span.duration_ns) +
          (span.is_error()
               ? style.paint(Colour::red, std::string(style.sign("  ■ error", "  ! error")) +
                                              (span.status_text.empty() ? "" : ": " + terminal_safe(span.status_text)))
               : "") +
          text_of(span.attributes));
  }
  const std::size_t first_log = words.logs.size() > rows && rows != 0 ? words.logs.size() - rows : 0;
  if (!words.logs.empty()) print("\n  It said:");
  for (std::size_t i = first_log; i < words.logs.size(); ++i) {
    const query::LastLog& log = words.logs[i];
    const Colour colour = log.level >= 17 ? Colour::red : log.level >= 13 ? Colour::orange : Colour::plain;
    print("    " + before_end(words, log.time_unix_ns) + "  " + style.paint(colour, terminal_safe(log.event)) +
          (log.message.empty() ? "" : "  " + terminal_safe(log.message)) + text_of(log.fields));
  }
  if (first + first_log > 0)
    say_truncation(call, finished - first + words.logs.size() - first_log, finished + words.logs.size());
}

void print_deaths(const Call& call, const std::vector<query::Death>& deaths) {
  Listing listing({{"pid", "pid", true},
                   {"service", "service", false, true},
                   {"died", "died"},
                   {"started", ""},
                   {"spans", "spans", true},
                   {"open_spans", "in the middle of", true},
                   {"stored", "stored"}});
  for (const query::Death& death : deaths) {
    listing.add({json_cell(std::to_string(death.pid), std::to_string(death.pid)), text_cell(death.service),
                 death.died_unix_ns == 0 ? json_cell("null", "just now") : time_cell(death.died_unix_ns),
                 time_cell(death.started_unix_ns), count_cell(death.spans), count_cell(death.open_spans),
                 bool_cell(death.in_store)});
  }
  listing.print(call, "deaths", deaths.size());
}

/// The death that is asked for: the latest, or that of a process. nullptr with an empty problem: nobody died.
const query::Death* choose(const Call& call, const std::vector<query::Death>& deaths, query::Problem& problem) {
  const std::string given = call.argument(0);
  if (given.empty()) return deaths.empty() ? nullptr : &deaths.front();
  std::uint64_t pid = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), pid);
  if (error != std::errc{} || end != given.data() + given.size()) {
    return problem = usage_problem("'" + given + "' is no process id", {}, "honeytel last-words --list shows who died"),
           nullptr;
  }
  const auto found = std::find_if(deaths.begin(), deaths.end(), [&](const query::Death& d) { return d.pid == pid; });
  if (found != deaths.end()) return &*found;
  return problem = {query::ProblemKind::not_found, "no process " + given + " died while recording",
                    "one that exits by itself has no last words", "honeytel last-words --list shows who died"},
         nullptr;
}

/// Finds and reads. An engine may store a ring between the two: then it is looked for once more, in the store.
query::Answer<query::LastWords> find_words(const Call& call, const std::string& home, bool& nobody) {
  const config::Config config = config::load_config(home, config::default_config()).config;
  for (int attempt = 0;; ++attempt) {
    const auto deaths = query::list_deaths(home);
    if (!deaths.ok()) return deaths.problem();
    query::Problem problem;
    const query::Death* wanted = choose(call, deaths.value(), problem);
    nobody = wanted == nullptr && problem.what.empty();
    if (wanted == nullptr) return problem;
    auto words = query::read_last_words({home, config.scrub.ids, config.scrub.refuse, false}, *wanted);
    if (words.ok() || wanted->in_store || attempt == 2) return words;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

int run(Call& call) {
  query::Problem problem;
  const auto limit = call.count("limit", kRows, problem);
  if (!limit) return report(call.terminal, problem);
  const auto home = call.home();
  if (!home.ok()) return report(call.terminal, home.problem());
  if (call.has("list")) {
    const auto deaths = query::list_deaths(home.value());
    if (!deaths.ok()) return report(call.terminal, deaths.problem());
    print_deaths(call, deaths.value());
    return kOk;
  }
  bool nobody = false;
  const auto words = find_words(call, home.value(), nobody);
  if (nobody) {
    if (call.format() != Format::table) call.terminal.print("{\"schema\":1,\"pid\":null,\"spans\":[],\"logs\":[]}\n");
    call.terminal.say("nobody died while recording");
    return kOk;
  }
  if (!words.ok()) return report(call.terminal, words.problem());
  if (call.format() == Format::table) print_words(call, words.value(), static_cast<std::size_t>(*limit));
  else call.terminal.print(to_json(words.value()) + "\n");
  return kOk;
}

constexpr Option kOptions[] = {
    kLimit,
    {"list", "", "Who died, instead of the latest one's last words"},
};

}  // namespace

extern const Command kLastWords{.name = "last-words",
                                .summary = "The final seconds of a process that died",
                                .usage = "[PID] [--list]",
                                .about =
                                    "A process that is killed or crashes leaves its ring behind: open spans, the last "
                                    "ten seconds of spans\nwhether sampled or not, its log lines.",
                                .example = "honeytel last-words\nhoneytel last-words 4711 --json",
                                .options = kOptions,
                                .arguments_max = 1,
                                .reads = true,
                                .run = run};

}  // namespace honeylink::telemetry::cli
