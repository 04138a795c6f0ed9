// A log line taken apart: see log_line.h.
#include "query/log_line.h"

#include <array>
#include <charconv>

#include "base/text.h"
#include "query/time_text.h"

namespace honeylink::telemetry::query {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if ((a[i] | 0x20) != (b[i] | 0x20)) return false;
  }
  return true;
}

std::int64_t to_integer(std::string_view digits) noexcept {
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

}  // namespace

int level_number(std::string_view word) noexcept {
  struct Named {
    std::string_view word;
    int number;
  };
  constexpr std::array<Named, 7> kLevels{
      {{"trace", 1}, {"debug", 5}, {"info", 9}, {"warn", 13}, {"warning", 13}, {"error", 17}, {"fatal", 21}}};
  for (const Named& level : kLevels) {
    if (equal_ignoring_case(level.word, word)) return level.number;
  }
  return 0;
}

LogLine parse_log_line(std::string_view line) {
  LogLine parsed;
  parsed.raw = line;
  std::vector<JsonMember> members;
  parsed.sound = is_utf8(line) && read_json_object(line, members);
  if (!parsed.sound) return parsed;
  std::string timestamp;
  for (auto& [name, value] : members) {
    if (name == "timestamp") timestamp = json_text_of(value);
    else if (name == "time_unix_nano") parsed.time_unix_ns = to_integer(json_text_of(value));
    else if (name == "level") parsed.level = json_text_of(value);
    else if (name == "event") parsed.event = json_text_of(value);
    else if (name == "service") parsed.service = json_text_of(value);
    else if (name == "module") parsed.module = json_text_of(value);
    else if (name == "message") parsed.message = json_text_of(value);
    else if (name == "trace_id") parsed.trace_id = json_text_of(value);
    else if (name == "span_id") parsed.span_id = json_text_of(value);
    else if (name == "scope") continue;
    else if (name != "fields") parsed.fields.emplace_back(name, value);
    else if (!read_json_object(value, parsed.fields)) parsed.sound = false;
  }
  if (parsed.time_unix_ns == 0 && !timestamp.empty()) parsed.time_unix_ns = parse_moment(timestamp, 0).value_or(0);
  return parsed;
}

}  // namespace honeylink::telemetry::query
