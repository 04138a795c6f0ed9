// The terminal view from beginning to end: opens the terminal, shows the home, follows keys, signals and what comes,
// gives the terminal back. `honeytel top` calls it, on the main thread, once.
#pragma once
#include <string>

#include "query/problem.h"
#include "view/terminal_cells.h"

namespace honeylink::telemetry::view {

struct TerminalOptions {
  std::string home;
  bool live = true;        // false: the content of a file that nobody writes
  std::string file;        // its name, where not live
  std::string home_words;  // " --home DIR" for the commands that are shown, or nothing
  bool colour = true;
  Look look;
};

/// Until the reader quits: 0; or the signal that ended it.
[[nodiscard]] query::Answer<int> run_terminal_view(const TerminalOptions& options);

}  // namespace honeylink::telemetry::view
