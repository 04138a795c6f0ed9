// stdout, stderr and problems: see terminal.h.
#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "query/unicode.h"

namespace honeylink::telemetry::cli {
namespace {

std::size_t terminal_columns() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20) return size.ws_col;
  if (const char* columns = std::getenv("COLUMNS")) {
    const std::string_view text = columns;
    std::size_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    if (value >= 20 && value <= 1000) return value;
  }
  return 80;
}

int exit_code(query::ProblemKind kind) {
  switch (kind) {
    case query::ProblemKind::usage:
      return kUsage;
    case query::ProblemKind::environment:
      return kEnvironment;
    case query::ProblemKind::not_found:
      return kNotFound;
    case query::ProblemKind::busy:
      return kStore;
    case query::ProblemKind::no_consent:
      return kNoConsent;
    case query::ProblemKind::failed:
      break;
  }
  return kFailed;
}

}  // namespace

Terminal Terminal::inspect(ColourMode mode) {
  Terminal terminal;
  terminal.out_is_terminal = ::isatty(STDOUT_FILENO) == 1;
  terminal.err_is_terminal = ::isatty(STDERR_FILENO) == 1;
  terminal.columns = terminal.out_is_terminal ? terminal_columns() : 0;
  terminal.style = Style::decide(mode, terminal.out_is_terminal);
  terminal.words = Style::decide(mode, terminal.err_is_terminal);
  return terminal;
}

void Terminal::say(std::string_view text) const {
  std::string line(text);
  line += '\n';
  static_cast<void>(std::fwrite(line.data(), 1, line.size(), stderr));
}

int report(const Terminal& terminal, const query::Problem& problem) {
  static_cast<void>(std::fflush(stdout));
  terminal.say(terminal.words.paint(Colour::red, "honeytel: ") + terminal_safe(problem.what));
  if (!problem.why.empty()) terminal.say("  " + terminal_safe(problem.why));
  if (!problem.to_do.empty()) terminal.say("  " + terminal_safe(problem.to_do));
  return exit_code(problem.kind);
}

bool finish_output() { return std::fflush(stdout) == 0 && std::ferror(stdout) == 0; }

}  // namespace honeylink::telemetry::cli
