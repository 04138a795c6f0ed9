// honeytel logs: the newest log lines, filtered; -f goes on as they come.
#include <chrono>
#include <csignal>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/id_option.h"
#include "cli/listing.h"
#include "query/json.h"
#include "query/log_search.h"
#include "query/paths.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::uint64_t kRows = 100, kFollowRows = 10;
volatile std::sig_atomic_t interrupted = 0;

Colour colour_of(int level) {
  return level >= 17 ? Colour::red : level >= 13 ? Colour::orange : level >= 9 ? Colour::plain : Colour::dim;
}

std::string_view sign_of(int level, const Style& style) {
  if (level >= 17) return style.sign("■", "!");
  return level >= 13 ? style.sign("◆", "*") : std::string_view(" ");
}

std::string fields_of(const query::LogLine& line) {
  std::string text;
  for (const auto& [name, value] : line.fields) {
    const std::string plain = query::json_text_of(value);
    const bool quoted = plain.find(' ') != std::string::npos || plain.empty();
    text += "  " + terminal_safe(name) + "=" + (quoted ? "\"" + terminal_safe(plain) + "\"" : terminal_safe(plain));
  }
  return text;
}

void print_line(const Call& call, const query::LogLine& line) {
  if (!line.sound) return call.terminal.print("  " + terminal_safe(line.raw) + "\n");
  const Style& style = call.terminal.style;
  const int level = query::level_number(line.level);
  std::string text =
      query::format_local(line.time_unix_ns).substr(0, 23) + " " + std::string(sign_of(level, style)) + " ";
  std::string word = terminal_safe(line.level);
  word.resize(std::max<std::size_t>(5, word.size()), ' ');
  text += style.paint(colour_of(level), word) + "  " +
          style.paint(Colour::dim, terminal_safe(line.module.empty() ? line.service : line.module)) + "  " +
          style.paint(Colour::bold, terminal_safe(line.event));
  if (!line.message.empty()) text += "  " + terminal_safe(line.message);
  text += fields_of(line);
  if (!line.trace_id.empty())
    text += style.paint(Colour::dim, "  trace " + terminal_safe(std::string_view(line.trace_id).substr(0, 8)));
  call.terminal.print(text + "\n");
}

void print_csv(const Call& call, const query::LogPage& page) {
  Listing listing({{"time", ""},
                   {"level", ""},
                   {"event", ""},
                   {"service", ""},
                   {"module", ""},
                   {"message", ""},
                   {"trace_id", ""},
                   {"span_id", ""},
                   {"fields", ""}});
  for (const std::string& raw : page.lines) {
    const query::LogLine line = query::parse_log_line(raw);
    query::JsonWriter fields;
    fields.begin_object();
    for (const auto& [name, value] : line.fields) fields.key(name).raw(value);
    listing.add({time_cell(line.time_unix_ns), text_cell(line.level), text_cell(line.event), text_cell(line.service),
                 text_cell(line.module), text_cell(line.sound ? line.message : raw), text_cell(line.trace_id),
                 text_cell(line.span_id), json_cell(fields.end_object().str(), "")});
  }
  listing.print(call, "logs", page.total);
}

void print_all(const Call& call, const query::LogPage& page, bool whole) {
  const std::uint64_t total = whole ? page.lines.size() : page.total;
  switch (call.format()) {
    case Format::table:
      for (const std::string& raw : page.lines) print_line(call, query::parse_log_line(raw));
      return say_truncation(call, page.lines.size(), total);
    case Format::jsonl:
      for (const std::string& raw : page.lines)
        call.terminal.print(query::log_line_json(query::parse_log_line(raw)) + "\n");
      return say_truncation(call, page.lines.size(), total);
    case Format::csv:
      return print_csv(call, page);
    case Format::json:
      return call.terminal.print(query::log_page_json(page) + "\n");
  }
}

int follow(const Call& call, const std::string& home, query::LogFilter& filter) {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  query::LogFollower follower(query::log_path(home), false);
  while (interrupted == 0) {
    follower.poll(500, [&](std::string_view raw) {
      query::LogLine line;
      if (!query::passes(raw, filter, line)) return;
      if (call.format() == Format::table) print_line(call, line);
      else call.terminal.print(query::log_line_json(line) + "\n");
    });
    if (!finish_output()) return kFailed;
  }
  return kInterrupted;
}

bool read_filter(const Call& call, query::LogFilter& filter, query::Problem& problem) {
  const auto since = call.moment("since", INT64_MIN, problem), until = call.moment("until", INT64_MAX, problem);
  if (!since || !until) return false;
  filter.since_unix_ns = *since, filter.until_unix_ns = *until;
  const auto wrong = query::read_log_words({call.text("level"), call.text("trace"), call.text("grep")}, "--", filter);
  if (wrong) problem = *wrong;
  return !wrong;
}

int run(Call& call) {
  query::Problem problem;
  query::LogFilter filter;
  const bool follows = call.has("follow");
  const auto limit = call.count("limit", follows ? kFollowRows : kRows, problem);
  if (!limit || !read_filter(call, filter, problem)) return report(call.terminal, problem);
  if (follows && (call.format() == Format::json || call.format() == Format::csv)) {
    return report(call.terminal, usage_problem("-f has no end, so it cannot be one JSON document or a CSV file", {},
                                               "use --format jsonl"));
  }
  const auto home = call.home();
  if (!home.ok()) return report(call.terminal, home.problem());
  const auto pseudonym = pseudonym_of(call, home.value(), problem);
  if (!pseudonym) return report(call.terminal, problem);
  filter.pseudonym = *pseudonym;
  const query::LogPage page = query::find_logs(home.value(), filter, *limit);
  print_all(call, page, follows);
  if (follows) return follow(call, home.value(), filter);
  if (page.problem) return report(call.terminal, *page.problem);
  if (page.total == 0) call.terminal.say("no such lines; honeytel demo makes some");
  return kOk;
}

constexpr Option kOptions[] = {
    {"follow", "", "Go on as lines come", {}, 'f'},
    kSince,
    kUntil,
    kLimit,
    {"level", "LEVEL", "From this level up: debug, info, warn, error"},
    {"trace", "ID", "Lines of this trace (4 digits or more)"},
    kId,
    {"grep", "RE", "Lines whose JSON matches"},
};

}  // namespace

extern const Command kLogs{.name = "logs",
                           .summary = "The newest log lines, filtered; -f follows",
                           .usage = "[-f] [--level warn] [--trace ID] [--grep RE] [--since TIME] …",
                           .about = "Rotated files are read too. jsonl gives the lines as they are stored.",
                           .example =
                               "honeytel logs --level warn --since 1h\nhoneytel logs -f --grep "
                               "'packet\\.(lost|late)'\nhoneytel logs --format jsonl --limit 0 | jq .event",
                           .options = kOptions,
                           .reads = true,
                           .run = run};

}  // namespace honeylink::telemetry::cli
