// From argv to an exit code: see run_tool.h. The command's name is found before any option is parsed, so that only one
// command's options are ever built.
#include "cli/run_tool.h"

#include <exception>

#include "cli/args.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/consent_commands.h"
#include "cli/help.h"
#include "cli/top.h"
#include "config/suggest.h"

namespace honeylink::telemetry::cli {
namespace {

/// Options of every command may stand before its name: they are carried over.
struct Words {
  std::string command;
  std::vector<std::string> rest;
  bool help = false;
};

Words split(int argc, char** argv) {
  Words words;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (!words.command.empty()) {
      words.rest.push_back(word);
    } else if (word == "--home" || word == "--color" || word == "--format") {
      words.rest.push_back(word);
      if (i + 1 < argc) words.rest.emplace_back(argv[++i]);
    } else if (word == "--help" || word == "-h") {
      words.help = true;
    } else if (word.starts_with("--")) {
      words.rest.push_back(word);
    } else {
      words.command = word;
    }
  }
  return words;
}

ColourMode colour_mode(const std::vector<std::string>& words) {
  ColourMode mode = ColourMode::automatic;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view value;
    if (words[i].starts_with("--color=")) value = std::string_view(words[i]).substr(8);
    else if (words[i] == "--color" && i + 1 < words.size()) value = words[i + 1];
    if (value == "always") mode = ColourMode::always;
    else if (value == "never") mode = ColourMode::never;
  }
  return mode;
}

int unknown_command(const Terminal& terminal, const std::string& name) {
  std::vector<std::string_view> names;
  for (const Command* command : all_commands()) {
    if (!command->hidden) names.push_back(command->name);
  }
  const std::string near(config::nearest(name, names));
  return report(terminal,
                usage_problem("unknown command '" + name + "'" + (near.empty() ? "" : ": did you mean '" + near + "'?"),
                              {}, "see: honeytel --help"));
}

int run_command(const Command& command, const Words& words, const Terminal& terminal) {
  Call call;
  call.command = &command;
  call.terminal = terminal;
  query::Problem problem;
  if (words.help) {
    terminal.print(help_of_command(command, terminal.style));
    return kOk;
  }
  if (!parse_arguments(command, words.rest, call, problem)) return report(terminal, problem);
  if (call.has("help")) {
    terminal.print(help_of_command(command, terminal.style));
    return kOk;
  }
  return command.run(call);
}

/// `honeytel` alone: the terminal view where there is a terminal and something to see; else how to get there.
int open_or_introduce(const Words& words, const Terminal& terminal) {
  if (!can_open_top(terminal)) return terminal.print(introduction()), kOk;
  Call call;
  call.command = &kTop;
  query::Problem problem;
  if (!parse_arguments(kTop, words.rest, call, problem)) return report(terminal, problem);
  const auto home = call.home();
  if (!home.ok()) return report(terminal, home.problem());
  if (!has_anything_to_see(home.value())) return terminal.print(nothing_yet(home.value(), language_of(call))), kOk;
  return run_command(kTop, words, terminal);
}

}  // namespace

int run_tool(int argc, char** argv) {
  Words words;
  Terminal terminal;
  int code = kFailed;
  try {
    words = split(argc, argv);
    terminal = Terminal::inspect(colour_mode(words.rest));
    if (words.command == "help") {  // `honeytel help traces` is what many try first
      words.command = words.rest.empty() ? "" : words.rest.front();
      words.help = true;
      words.rest.clear();
    }
    if (words.command.empty()) {
      if (!words.help && !words.rest.empty() && words.rest.front() != "--home" && words.rest.front() != "--color") {
        return report(terminal, usage_problem("a command is missing", {}, "see: honeytel --help"));
      }
      if (words.help) {
        terminal.print(help_of_tool(terminal.style));
        code = kOk;
      } else {
        code = open_or_introduce(words, terminal);
      }
    } else if (const Command* command = find_command(words.command)) {
      code = run_command(*command, words, terminal);
    } else {
      code = unknown_command(terminal, words.command);
    }
  } catch (const std::exception& error) {
    code = report(terminal, {query::ProblemKind::failed, "this did not work", error.what(),
                             "honeytel doctor looks for the cause"});
  }
  if (!finish_output() && code == kOk) {
    code = report(terminal, {query::ProblemKind::failed, "the answer could not be written", "stdout took no more",
                             "is its disk full?"});
  }
  return code;
}

}  // namespace honeylink::telemetry::cli
