// Help: see help.h.
#include "cli/help.h"

#include "base/text.h"
#include "cli/args.h"
#include "query/unicode.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::string_view kExitCodes =
    "  0 ok · 1 failed, or \"no\" · 2 usage · 3 environment (permission, missing home) · 6 not found\n"
    "  7 store busy or damaged · 8 no consent · 130 interrupted\n";

void append_row(std::string& to, const std::string& left, std::size_t column, std::string_view right) {
  to += "  " + left;
  const std::size_t used = query::columns_of(left);
  to.append(used < column ? column - used : 1, ' ');
  to += right;
  to += '\n';
}

std::string left_of(const Option& option) {
  std::string left = option.letter != 0 ? std::string("-") + option.letter + ", " : std::string();
  left += "--" + std::string(option.name);
  if (!option.placeholder.empty()) left += " " + std::string(option.placeholder);
  return left;
}

void append_indented(std::string& to, std::string_view lines) {
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    to += "  ";
    to += lines.substr(0, end);
    to += '\n';
    lines = end == std::string_view::npos ? std::string_view{} : lines.substr(end + 1);
  }
}

}  // namespace

std::string_view exit_codes_text() { return kExitCodes; }

std::string help_of_tool(const Style& style) {
  std::string text =
      "honeytel: what your programs did, on this device.\n\n" + style.paint(Colour::bold, "Usage") +
      "\n  honeytel COMMAND [ARGUMENTS] [--home DIR] [--format table|json|jsonl|csv] [--color auto|always|never]\n\n" +
      style.paint(Colour::bold, "Commands") + "\n";
  for (const Command* command : all_commands()) {
    if (!command->hidden) append_row(text, std::string(command->name), 12, command->summary);
  }
  text += "\n" + style.paint(Colour::bold, "Examples") +
          "\n  honeytel demo --duration 60s\n  honeytel traces --errors --since 1h\n  honeytel metrics "
          "session_establishment_duration_seconds --plot\n\n" +
          style.paint(Colour::bold, "Exit codes") + "\n";
  text += kExitCodes;
  text += "\nhoneytel COMMAND --help tells more about one of them.\n";
  return text;
}

std::string help_of_command(const Command& command, const Style& style) {
  std::string text = "honeytel " + std::string(command.name) + ": " + std::string(command.summary) + "\n\n" +
                     style.paint(Colour::bold, "Usage") + "\n  honeytel " + std::string(command.name);
  if (!command.usage.empty()) text += " " + std::string(command.usage);
  text += "\n\n";
  if (!command.about.empty()) {
    append_indented(text, command.about);
    text += "\n";
  }
  text += style.paint(Colour::bold, "Options") + "\n";
  for (const Option& option : options_of(command)) {
    std::string right(option.help);
    if (!option.choices.empty()) right += ": " + std::string(option.choices);
    append_row(text, left_of(option), 24, right);
  }
  text += "\n" + style.paint(Colour::bold, "Example") + "\n";
  append_indented(text, command.example);
  text += "\n" + style.paint(Colour::bold, "Exit codes") + "\n";
  text += kExitCodes;
  return text;
}

std::string introduction() {
  return "honeytel shows what your programs recorded: metrics, traces and logs, on this device only.\n"
         "  honeytel demo      five modules over a real link for a minute: something to look at, at once\n"
         "  honeytel status    what records here, what is stored, whether anything was lost\n"
         "  honeytel traces    the newest traces; then metrics, logs, sql; honeytel --help for all commands\n"
         "  Your own program: #include <honeylink/telemetry.h>, call tel::start(), and run honeytel agent.\n";
}

std::string nothing_yet(const std::string& home, Language language) {
  std::string lines = fill("top.nothing_yet", language, {terminal_safe(home)}) + "\n";
  append_row(lines, "honeytel demo", 25, text("top.try_demo", language));
  append_row(lines, "honeytel run -- COMMAND", 25, text("top.try_run", language));
  lines += "  " + std::string(text("top.try_program", language)) + "\n";
  append_row(lines, "honeytel --help", 25, text("top.try_help", language));
  return lines;
}

}  // namespace honeylink::telemetry::cli
