// The command line by CLI11, included here only (it takes ten seconds to compile). Its exceptions end here: they become
// Problems.
#include "cli/args.h"

#include <CLI/CLI.hpp>
#include <deque>

#include "config/suggest.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::string_view kSeeHelp = "see: honeytel ";

struct Slot {
  Option option;
  std::vector<std::string> values;
  bool flag = false;
};

std::string flags_of(const Option& option) {
  std::string flags = "--" + std::string(option.name);
  if (option.letter != 0) flags.append(",-").append(1, option.letter);
  return flags;
}

bool is_number(std::string_view word) {
  return word.size() > 1 && word.front() == '-' && word.find_first_not_of("0123456789.eE+-") == std::string_view::npos;
}

std::string help_of(const Command& command) { return std::string(kSeeHelp) + std::string(command.name) + " --help"; }

query::Problem unknown_option(const Command& command, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> owned;
  for (const Option& option : options_of(command)) owned.push_back("--" + std::string(option.name));
  const std::vector<std::string_view> known(owned.begin(), owned.end());
  const std::string near(config::nearest(name, known));
  const std::string what = "unknown option '" + name + "'" + (near.empty() ? "" : ": did you mean '" + near + "'?");
  return usage_problem(what, {}, help_of(command));
}

bool check_choices(const Command& command, const Slot& slot, query::Problem& problem) {
  if (slot.option.choices.empty()) return true;
  std::vector<std::string_view> choices;
  std::string_view rest = slot.option.choices;
  for (std::size_t bar = 0; bar != std::string_view::npos;
       rest.remove_prefix(bar == std::string_view::npos ? 0 : bar + 1)) {
    bar = rest.find('|');
    choices.push_back(rest.substr(0, bar));
  }
  for (const std::string& value : slot.values) {
    if (std::find(choices.begin(), choices.end(), value) != choices.end()) continue;
    const std::string near(config::nearest(value, choices));
    problem = usage_problem("--" + std::string(slot.option.name) + " cannot be '" + value + "'" +
                                (near.empty() ? "" : ": did you mean '" + near + "'?"),
                            "it takes " + std::string(slot.option.choices), help_of(command));
    return false;
  }
  return true;
}

/// What CLI11 could not place: negative numbers are arguments, all else is an error.
bool take_extras(const Command& command, const std::vector<std::string>& extras, Call& call, query::Problem& problem) {
  for (const std::string& word : extras) {
    if (word.size() > 1 && word.front() == '-' && !is_number(word)) {
      problem = unknown_option(command, word);
      return false;
    }
    call.arguments.push_back(word);
  }
  return true;
}

/// Splits what belongs to another program off: after `--`, or from the first word that is no option.
std::vector<std::string> split_program(const Command& command, std::vector<std::string> words,
                                       std::vector<std::string>& program) {
  const std::vector<Option> options = options_of(command);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--" || words[i].empty() || words[i].front() != '-') {
      program.assign(words.begin() + static_cast<std::ptrdiff_t>(i + (words[i] == "--" ? 1 : 0)), words.end());
      words.resize(i);
      return words;
    }
    for (const Option& option : options) {
      if (words[i] == "--" + std::string(option.name) && !option.placeholder.empty()) ++i;
    }
  }
  return words;
}

}  // namespace

std::vector<Option> options_of(const Command& command) {
  std::vector<Option> options(command.options.begin(), command.options.end());
  if (command.reads) options.insert(options.end(), reading_options().begin(), reading_options().end());
  options.insert(options.end(), common_options().begin(), common_options().end());
  return options;
}

bool parse_arguments(const Command& command, const std::vector<std::string>& words, Call& call,
                     query::Problem& problem) {
  std::vector<std::string> program;
  std::vector<std::string> ours = command.passes_on ? split_program(command, words, program) : words;
  std::deque<Slot> slots;
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  for (const Option& option : options_of(command)) {
    Slot& slot = slots.emplace_back(Slot{option, {}, false});
    if (option.placeholder.empty()) app.add_flag(flags_of(option), slot.flag);
    else app.add_option(flags_of(option), slot.values)->allow_extra_args(false);
  }
  try {
    std::reverse(ours.begin(), ours.end());
    app.parse(ours);
  } catch (const CLI::ParseError& error) {
    problem = usage_problem("this command line is not understood", error.what(), help_of(command));
    return false;
  }
  if (!take_extras(command, app.remaining(), call, problem)) return false;
  call.arguments.insert(call.arguments.end(), program.begin(), program.end());
  for (const Slot& slot : slots) {
    if (!check_choices(command, slot, problem)) return false;
    if (slot.flag || !slot.values.empty()) call.options[std::string(slot.option.name)] = slot.values;
  }
  if (!command.passes_on && call.arguments.size() > command.arguments_max) {
    problem = usage_problem("one argument too many: '" + call.arguments[command.arguments_max] + "'",
                            "usage: honeytel " + std::string(command.name) + " " + std::string(command.usage),
                            help_of(command));
    return false;
  }
  return true;
}

}  // namespace honeylink::telemetry::cli
