// See log_search.h.
#include "query/log_search.h"

#include "query/json.h"
#include "query/trace_reader.h"

namespace honeylink::telemetry::query {

std::optional<Problem> read_log_words(const LogWords& words, const std::string& option_prefix, LogFilter& filter) {
  const auto cannot = [&](const char* option, const std::string& given, std::string why, std::string to_do) {
    return Problem{ProblemKind::usage, option_prefix + option + " cannot be '" + given + "'", std::move(why),
                   std::move(to_do)};
  };
  filter.level_min = words.level.empty() ? 0 : level_number(words.level);
  if (!words.level.empty() && filter.level_min == 0)
    return cannot("level", words.level, "it takes debug, info, warn or error", {});
  if (!words.trace.empty() && !normalize_trace_prefix(words.trace, filter.trace_prefix))
    return Problem{ProblemKind::usage,
                   "'" + words.trace + "' is no trace id",
                   "that is 32 hexadecimal digits, or the first 4 or more of them",
                   {}};
  if (words.grep.empty()) return std::nullopt;
  std::string why;
  filter.grep = Pattern::compile(words.grep, why);
  if (filter.grep) return std::nullopt;
  return cannot("grep", words.grep, why, ". [a-z] \\d * + ? {2,3} | ( ) ^ $ work; (?i) in front ignores case");
}

LogPage find_logs(const std::string& home, LogFilter& filter, std::uint64_t limit) {
  LogPage page;
  const auto held = hold_log_files(home);
  if (!held.ok()) return page.problem = held.problem(), page;
  for (const HeldLog& log : held.value()) {
    if (log.file.modified_unix_ns < filter.since_unix_ns) continue;
    LogLine line;
    const auto said = read_log_file(log, [&](std::string_view raw) {
      if (!passes(raw, filter, line)) return true;
      ++page.total;
      page.lines.emplace_back(raw);
      if (limit != 0 && page.lines.size() > limit) page.lines.pop_front();
      return true;
    });
    if (said) page.problem = said;
  }
  return page;
}

std::string log_line_json(const LogLine& line) {
  return line.sound ? std::string(line.raw) : "{\"raw\":" + json_string(line.raw) + "}";
}

std::string log_page_json(const LogPage& page) {
  JsonWriter json;
  json.begin_object().key("schema").integer(1).key("logs").begin_array();
  for (const std::string& raw : page.lines) json.raw(log_line_json(parse_log_line(raw)));
  json.end_array().key("truncated").boolean(page.total > page.lines.size()).key("total").count(page.total);
  return json.end_object().str();
}

}  // namespace honeylink::telemetry::query
