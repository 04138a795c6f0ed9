// One line of logs/honeylink.log, taken apart. The format is docs/formats/log_files.md; a line that is not JSON is
// still shown, as its text. A value; views point into the line.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "query/json.h"

namespace honeylink::telemetry::query {

struct LogLine {
  std::string_view raw;
  bool sound = false;
  std::int64_t time_unix_ns = 0;
  std::string level, event, service, module, message, trace_id, span_id;
  std::vector<JsonMember> fields;  // name, value as JSON
};

[[nodiscard]] LogLine parse_log_line(std::string_view line);

/// OpenTelemetry severity number of "debug", "INFO", "warning", "ERROR", …; 0 where the word is none.
[[nodiscard]] int level_number(std::string_view word) noexcept;

}  // namespace honeylink::telemetry::query
