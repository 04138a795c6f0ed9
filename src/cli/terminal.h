// Where honeytel prints: stdout is data, stderr is words (UX 15). One per process run, made by main; used from one
// thread.
#pragma once
#include <cstdio>
#include <string>
#include <string_view>

#include "cli/exit_codes.h"
#include "cli/style.h"
#include "query/problem.h"

namespace honeylink::telemetry::cli {

struct Terminal {
  bool out_is_terminal = false, err_is_terminal = false;
  std::size_t columns = 0;  // of stdout; 0: no terminal, nothing is cut
  Style style;              // of stdout
  Style words;              // of stderr

  [[nodiscard]] static Terminal inspect(ColourMode mode);
  void print(std::string_view data) const { static_cast<void>(std::fwrite(data.data(), 1, data.size(), stdout)); }
  void say(std::string_view text) const;  // a line for people, on stderr
};

/// Prints the three lines and answers the exit code of their kind.
int report(const Terminal& terminal, const query::Problem& problem);
/// Flushes stdout; false where the reader's disk is full or the pipe is gone.
[[nodiscard]] bool finish_output();

}  // namespace honeylink::telemetry::cli
