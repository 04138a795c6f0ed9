// honeytel top: the terminal view. `honeytel` alone on a terminal comes here too, where there is anything to see.
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "cli/commands.h"
#include "cli/consent_commands.h"
#include "cli/help.h"
#include "cli/top.h"
#include "query/status.h"
#include "ring/home.h"
#include "view/terminal_view.h"

namespace honeylink::telemetry::cli {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view(value);
}

/// What a shell needs to ask the same home again.
std::string home_words(const Call& call) {
  if (!call.has("home")) return {};
  std::string quoted;
  for (const char c : call.text("home")) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  const bool plain = quoted.find_first_of(" '\"\\$`&|;<>()*?[]!#~\t\n") == std::string::npos && !quoted.empty();
  return " --home " + (plain ? quoted : "'" + quoted + "'");
}

std::optional<query::Problem> no_terminal() {
  const bool in = ::isatty(STDIN_FILENO) == 1, out = ::isatty(STDOUT_FILENO) == 1;
  const std::string_view term = variable("TERM");
  if (in && out && term != "dumb" && !term.empty()) return std::nullopt;
  query::Problem problem{query::ProblemKind::environment,
                         "there is no terminal to draw on",
                         {},
                         "honeytel status, traces and logs print once; honeytel view shows a page in the browser"};
  problem.why = !out           ? "stdout is no terminal"
                : !in          ? "stdin is no terminal"
                : term.empty() ? "TERM is not set"
                               : "TERM=dumb has no cursor";
  return problem;
}

int run(Call& call) {
  if (const auto problem = no_terminal()) return report(call.terminal, *problem);
  const auto home = call.home();
  if (!home.ok()) return report(call.terminal, home.problem());
  view::TerminalOptions options;
  options.home = home.value();
  options.live = !call.home_is_archive();
  if (!options.live) options.file = call.text("home").substr(call.text("home").rfind('/') + 1);
  options.home_words = home_words(call);
  options.colour = call.terminal.style.colour();
  options.look.utf8 = call.terminal.style.utf8();
  options.look.language = language_of(call);
  const auto ended = view::run_terminal_view(options);
  if (!ended.ok()) return report(call.terminal, ended.problem());
  return ended.value() == 0 ? kOk : kInterrupted;
}

constexpr Option kOptions[] = {
    {"lang", "LANG", "Language of what is said", "en|ja|es|zh"},
};

}  // namespace

bool can_open_top(const Terminal& terminal) { return terminal.out_is_terminal && !no_terminal(); }

bool has_anything_to_see(const std::string& home) {
  if (home.empty()) return false;
  if (!query::read_rings(home).empty()) return true;
  for (const query::StoreStatus& store : query::read_stores(home)) {
    if (store.newest_unix_ns != 0) return true;
  }
  return false;
}

extern const Command kTop{
    .name = "top",
    .summary = "The live terminal view: levels, traces, logs, alerts",
    .usage = "[--lang en|ja|es|zh]",
    .about =
        "Keys: 1-5 enlarge a service level, t traces, l logs, a alerts, Enter opens, Esc goes "
        "back,\nspace pauses, / filters, c copies the command that gives the same, ? tells all of "
        "them, q quits.",
    .example = "honeytel top\nhoneytel top --home evidence.db",
    .options = kOptions,
    .run = run,
    .opens_archives = true};

}  // namespace honeylink::telemetry::cli
