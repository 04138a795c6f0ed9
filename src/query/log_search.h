// The newest log lines that pass a filter, and their JSON: the shape of `honeytel logs --json`, which the page is told
// too. Reads only; one thread.
#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "query/log_reader.h"

namespace honeylink::telemetry::query {

/// What a person asks for in words. `moment` fields of the filter are the caller's.
struct LogWords {
  std::string level, trace, grep;
};
/// Into `filter`; or what is wrong with them: `option` names the one, as the caller's questions are spelled ("--grep").
[[nodiscard]] std::optional<Problem> read_log_words(const LogWords& words, const std::string& option_prefix,
                                                    LogFilter& filter);

struct LogPage {
  std::deque<std::string> lines;   // as stored, oldest first: the newest that pass
  std::uint64_t total = 0;         // that pass
  std::optional<Problem> problem;  // of a file that could not be read; the others were
};
/// `limit` 0: all.
[[nodiscard]] LogPage find_logs(const std::string& home, LogFilter& filter, std::uint64_t limit);

/// The line as it stands where it is JSON, else {"raw":…}.
[[nodiscard]] std::string log_line_json(const LogLine& line);
[[nodiscard]] std::string log_page_json(const LogPage& page);

}  // namespace honeylink::telemetry::query
