// What stands behind "/" in the terminal view: words that narrow what a page shows, and the command line that narrows
// the same way. Pure; any thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "view/terminal_model.h"

namespace honeylink::telemetry::view {

/// Traces: `errors`, `slow`, `min=100ms`, `name=packet.send`, `since=1h`; logs: `level=warn`, `trace=0af7`, `since=1h`.
/// The rest of the words is a text to look for: in logs a pattern over the whole line, else a part of what is shown,
/// capitals aside.
struct PageFilter {
  bool errors = false, slow = false;
  std::int64_t duration_ns_min = 0;
  std::string min_word, name, trace, level_word, since_word, text;
  int level_min = 0;
  std::string problem;  // not empty: a word could not be read
};
[[nodiscard]] PageFilter read_filter(std::string_view typed, Page page);

/// Does `text` hold `part`, capitals aside? An empty part is everywhere.
[[nodiscard]] bool holds(std::string_view text, std::string_view part) noexcept;

/// The panels, and the alerts, that pass their page's filter.
[[nodiscard]] std::vector<const LevelCard*> shown_cards(const Model& model);
[[nodiscard]] std::vector<const AlertRow*> shown_alerts(const Model& model);

/// The command that gives what the page shows (UX 10).
[[nodiscard]] std::string command_of(const Model& model);

}  // namespace honeylink::telemetry::view
