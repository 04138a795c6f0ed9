// honeytel completion bash|zsh|fish: words for the shell, made from the table of commands, so that they are never out
// of date.
#include "cli/args.h"
#include "cli/commands.h"

namespace honeylink::telemetry::cli {
namespace {

std::string words_of(const Command& command) {
  std::string words;
  for (const Option& option : options_of(command))
    words.append(words.empty() ? "" : " ").append("--").append(option.name);
  return words;
}

std::string spaced(std::string_view choices) {
  std::string words(choices);
  for (char& c : words) c = c == '|' ? ' ' : c;
  return words;
}

std::string bash() {
  std::string names, cases;
  for (const Command* command : all_commands()) {
    if (command->hidden) continue;
    names.append(names.empty() ? "" : " ").append(command->name);
    cases += "    " + std::string(command->name) + ") words=\"" + words_of(*command) + "\" ;;\n";
  }
  return "# honeytel completion bash > ~/.local/share/bash-completion/completions/honeytel\n"
         "_honeytel() {\n"
         "  local words cur=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
         "  case \"$previous\" in\n"
         "    --format) COMPREPLY=($(compgen -W 'table json jsonl csv' -- \"$cur\")); return ;;\n"
         "    --color) COMPREPLY=($(compgen -W 'auto always never' -- \"$cur\")); return ;;\n"
         "    --home) COMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n"
         "  esac\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then COMPREPLY=($(compgen -W '" +
         names +
         " --help --version' -- \"$cur\")); return; fi\n"
         "  case \"${COMP_WORDS[1]}\" in\n" +
         cases +
         "    *) words='' ;;\n"
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "}\n"
         "complete -F _honeytel honeytel\n";
}

std::string without_quotes(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (c != '\'' && c != '[' && c != ']' && c != ':') plain += c;
    else if (c == ':') plain += " -";
  }
  return plain;
}

std::string zsh() {
  std::string names, cases;
  for (const Command* command : all_commands()) {
    if (command->hidden) continue;
    names += "    '" + std::string(command->name) + ":" + without_quotes(command->summary) + "'\n";
    cases += "    " + std::string(command->name) + ") _arguments";
    for (const Option& option : options_of(*command)) {
      cases += " '--" + std::string(option.name) + "[" + without_quotes(option.help) + "]";
      if (!option.placeholder.empty()) {
        cases += ":" + std::string(option.placeholder) + ":";
        if (!option.choices.empty()) cases += "(" + spaced(option.choices) + ")";
        else if (option.placeholder == "DIR") cases += "_files -/";
      }
      cases += "'";
    }
    cases += " ;;\n";
  }
  return "#compdef honeytel\n"
         "# honeytel completion zsh > \"${fpath[1]}/_honeytel\"\n"
         "_honeytel() {\n"
         "  local -a commands=(\n" +
         names +
         "  )\n"
         "  if (( CURRENT == 2 )); then _describe command commands; return; fi\n"
         "  case \"$words[2]\" in\n" +
         cases +
         "  esac\n"
         "}\n"
         "_honeytel \"$@\"\n";
}

std::string fish() {
  std::string text = "# honeytel completion fish > ~/.config/fish/completions/honeytel.fish\ncomplete -c honeytel -f\n";
  for (const Command* command : all_commands()) {
    if (command->hidden) continue;
    text += "complete -c honeytel -n __fish_use_subcommand -a " + std::string(command->name) + " -d '" +
            without_quotes(command->summary) + "'\n";
    for (const Option& option : options_of(*command)) {
      text += "complete -c honeytel -n '__fish_seen_subcommand_from " + std::string(command->name) + "' -l " +
              std::string(option.name);
      if (option.letter != 0) text += std::string(" -s ") + option.letter;
      if (!option.placeholder.empty())
        text += option.choices.empty() ? " -r" : " -x -a '" + spaced(option.choices) + "'";
      text += " -d '" + without_quotes(option.help) + "'\n";
    }
  }
  return text;
}

int run(Call& call) {
  const std::string shell = call.argument(0);
  if (shell == "bash") call.terminal.print(bash());
  else if (shell == "zsh") call.terminal.print(zsh());
  else if (shell == "fish") call.terminal.print(fish());
  else
    return report(call.terminal,
                  usage_problem(shell.empty() ? "which shell?" : "no completion for '" + shell + "'",
                                "there is bash, zsh and fish",
                                "honeytel completion bash > ~/.local/share/bash-completion/completions/honeytel"));
  return kOk;
}

}  // namespace

extern const Command kCompletion{
    .name = "completion",
    .summary = "Words for the shell: bash, zsh or fish",
    .usage = "bash|zsh|fish",
    .about = "",
    .example = "honeytel completion bash > ~/.local/share/bash-completion/completions/honeytel",
    .options = {},
    .arguments_max = 1,
    .run = run};

}  // namespace honeylink::telemetry::cli
