// honeytel manual: the page honeytel(1), in roff. Commands and options come from the same data as --help; what no
// command owns (names, files, variables) is written here. The build runs it once, cmake --install puts it beside the
// tool.
#include <cstdio>

#include "cli/args.h"
#include "cli/commands.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::string_view kNames =
    ".SH NAMES\n"
    "What a program may call its records. A name in the source is checked by the compiler; one that is made at run\n"
    "time is checked when it is used. A name that breaks its rule is refused, counted, and said once on stderr.\n"
    ".TP\nmetrics\n"
    "A letter, then letters, digits and _ . \\- /; at most 128 bytes.\n"
    ".TP\nspans, events, log events, keys, labels\n"
    "1 to 128 bytes of UTF\\-8 without control characters and without a blank at either end. Longer ones are cut at a\n"
    "character, and counted.\n"
    ".TP\nunits\n"
    "UCUM, such as s, By, 1 or {request}; never empty.\n"
    ".PP\n"
    "A process has 4,096 names and 2,000 label sets an instrument. What comes after is recorded as\n"
    ".I _other\nand as the series\n.IR otel.metric.overflow ,\n"
    "counted as names_full and series_overflow (honeytel status \\-\\-json, counters of the ring).\n";

constexpr std::string_view kFiles =
    ".SH FILES\n"
    ".TP\n.I ~/.honeylink\nThe home, unless \\-\\-home or HONEYLINK_HOME names another. Private to its owner.\n"
    ".TP\n.I config.toml\nWhat the owner decides; every key has a default (honeytel config show).\n"
    ".TP\n.IR metrics/metrics.db ,\\  metrics/traces.db\nThe stores: SQLite (honeytel sql).\n"
    ".TP\n.I logs/honeylink.log\nJSON Lines; older ones beside it, compressed.\n"
    ".TP\n.I *.corrupt\\-TIME\nWhat was damaged, set aside; recording goes on in a new file.\n"
    ".TP\n.I $XDG_RUNTIME_DIR/honeylink\n"
    "Rings: one file a process, read by the engine. Where there is no such directory: /dev/shm, or run in the home.\n";

constexpr std::string_view kVariables =
    ".SH ENVIRONMENT\n"
    ".TP\n.B HONEYLINK_HOME\nThe home. Not read by programs that run with another user's rights.\n"
    ".TP\n.B HONEYLINK_TELEMETRY\n"
    "on: a program records although it never asked to. off: it does not, although it asked.\n"
    ".TP\n.B HONEYLINK_ENVIRONMENT\nproduction, development, or a name of yours. In development every trace is kept.\n"
    ".TP\n.BR OTEL_SERVICE_NAME ,\\  OTEL_RESOURCE_ATTRIBUTES\nWho speaks; they win over what the program says.\n"
    ".TP\n.BR OTEL_TRACES_SAMPLER ,\\  OTEL_TRACES_SAMPLER_ARG\n"
    "always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, parentbased_traceidratio.\n"
    ".TP\n.B OTEL_SDK_DISABLED\ntrue: nothing is recorded.\n"
    ".TP\n.BR NO_COLOR ,\\  COLUMNS\nAs everywhere.\n";

constexpr std::string_view kExit =
    ".SH EXIT STATUS\n"
    ".TP\n0\nDone.\n.TP\n1\nFailed, or \"no\".\n.TP\n2\nWrong usage.\n.TP\n3\nThe environment: permission, no home.\n"
    ".TP\n6\nNot found.\n.TP\n7\nA store is busy or damaged.\n.TP\n8\nNo consent.\n.TP\n130\nInterrupted.\n";

/// A character beyond ASCII by its number: not every roff reads UTF-8. `at` moves to its last byte.
std::string by_number(std::string_view text, std::size_t& at) {
  const auto first = static_cast<unsigned char>(text[at]);
  const std::size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
  std::uint32_t number = first & (0x3fU >> more);
  for (std::size_t i = 0; i < more && at + 1 < text.size(); ++i)
    number = number << 6 | (static_cast<unsigned char>(text[++at]) & 0x3fU);
  char hex[16];
  std::snprintf(hex, sizeof hex, "\\[u%04X]", number);
  return hex;
}

/// Text for roff: no line of it is a request, and a dash stays the one that a shell takes.
std::string roff(std::string_view text) {
  std::string out;
  bool line_begins = true;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    line_begins = c == '\n';
    if (static_cast<unsigned char>(c) >= 0x80) out += by_number(text, at);
    else if (c == '\\') out += "\\e";
    else if (c == '-') out += "\\-";
    else out += c;
  }
  return out;
}

void append_command(std::string& page, const Command& command) {
  page += ".SS " + roff(command.name) + "\n" + roff(command.summary) + ".\n";
  page += ".PP\n.B honeytel " + roff(command.name) + "\n" + roff(command.usage) + "\n";
  if (!command.about.empty()) page += ".PP\n" + roff(command.about) + "\n";
  for (const Option& option : command.options) {
    page += ".TP\n.B ";
    if (option.letter != 0) page += std::string("\\-") + option.letter + ", ";
    page += "\\-\\-" + roff(option.name);
    if (!option.placeholder.empty()) page += " " + roff(option.placeholder);
    page += "\n" + roff(option.help);
    if (!option.choices.empty()) page += ": " + roff(option.choices);
    page += "\n";
  }
  page += ".PP\n.EX\n" + roff(command.example) + "\n.EE\n";
}

void append_options(std::string& page, std::span<const Option> options) {
  for (const Option& option : options)
    page += ".TP\n.B \\-\\-" + roff(option.name) + (option.placeholder.empty() ? "" : " " + roff(option.placeholder)) +
            "\n" + roff(option.help) + (option.choices.empty() ? "" : ": " + roff(option.choices)) + "\n";
}

int run(Call& call) {
  std::string page =
      ".TH HONEYTEL 1\n"
      ".SH NAME\nhoneytel \\- what your programs did, on this device\n"
      ".SH SYNOPSIS\n.B honeytel\n.I COMMAND\n[ARGUMENTS] [\\-\\-home DIR] [\\-\\-format table|json|jsonl|csv]\n"
      ".SH DESCRIPTION\n"
      "Shows the metrics, traces and logs that programs recorded with honeylink\\-telemetry. Nothing leaves this\n"
      "device. Programs record whether an engine runs or not; honeytel agent is the engine that stores it.\n"
      ".SH COMMANDS\n";
  for (const Command* command : all_commands())
    if (!command->hidden) append_command(page, *command);
  page += ".SH COMMON OPTIONS\n";
  append_options(page, common_options());
  page += "Commands that read also take:\n";
  append_options(page, reading_options());
  for (const std::string_view part : {kNames, kFiles, kVariables, kExit}) page += part;
  call.terminal.print(page);
  return kOk;
}

}  // namespace

extern const Command kManual{.name = "manual",
                             .summary = "The manual page honeytel(1), in roff",
                             .usage = "",
                             .about = "",
                             .example = "honeytel manual | man -l -",
                             .options = {},
                             .run = run,
                             .hidden = true};

}  // namespace honeylink::telemetry::cli
