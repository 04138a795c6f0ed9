// What a command is: data (its options, help and example) and one function. The parser, --help, completion and the
// manual are made from the data, so that they cannot disagree. Commands are constants; a Call lives for one run on the
// main thread.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal.h"

namespace honeylink::telemetry::cli {

struct Option {
  std::string_view name;         // without the dashes
  std::string_view placeholder;  // "" where the option is a flag
  std::string_view help;
  std::string_view choices = {};  // "a|b|c": what the value may be; checked by the parser
  char letter = 0;
  bool repeatable = false;
};

enum class Format : std::uint8_t { table, json, jsonl, csv };

class Call;
struct Command {
  std::string_view name;
  std::string_view summary;  // one line
  std::string_view usage;    // what follows the name: "[NAME]"
  std::string_view about;    // more lines for --help, each at most 96 columns
  std::string_view example;  // lines that work as they stand
  std::span<const Option> options;
  std::size_t arguments_max = 0;
  bool reads = false;      // takes --format and --json
  bool passes_on = false;  // everything after the first argument or `--` belongs to another program
  int (*run)(Call&) = nullptr;
  bool hidden = false;
  bool needs_directory = false;  // reads, but not out of a bundle
  bool opens_archives = false;   // takes no --format, and opens bundles none the less
};

class UnpackedHome;

/// What was asked for.
class Call {
 public:
  const Command* command = nullptr;
  Terminal terminal;
  std::vector<std::string> arguments;
  std::map<std::string, std::vector<std::string>, std::less<>> options;

  [[nodiscard]] bool has(std::string_view option) const { return options.find(option) != options.end(); }
  [[nodiscard]] std::string text(std::string_view option, std::string_view otherwise = {}) const;
  [[nodiscard]] Format format() const;
  [[nodiscard]] std::string argument(std::size_t i) const {
    return i < arguments.size() ? arguments[i] : std::string();
  }

  /// Typed values. On nonsense: says so with exit 2 by `problem`, and nullopt.
  [[nodiscard]] std::optional<std::uint64_t> count(std::string_view option, std::uint64_t otherwise,
                                                   query::Problem& problem) const;
  [[nodiscard]] std::optional<double> real(std::string_view option, double otherwise, query::Problem& problem) const;
  [[nodiscard]] std::optional<std::int64_t> duration(std::string_view option, std::int64_t otherwise,
                                                     query::Problem& problem) const;
  [[nodiscard]] std::optional<std::int64_t> moment(std::string_view option, std::int64_t otherwise,
                                                   query::Problem& problem) const;

  /// The home's absolute path, or the exit code of its absence. Of a file that `bundle` or `db backup` made: that of
  /// its content, unpacked for as long as this Call lives; for commands that only read.
  [[nodiscard]] query::Answer<std::string> home() const;
  /// Is the home such a file?
  [[nodiscard]] bool home_is_archive() const;

 private:
  mutable std::shared_ptr<UnpackedHome> unpacked_;
};

[[nodiscard]] std::span<const Command* const> all_commands();
[[nodiscard]] const Command* find_command(std::string_view name);

/// Options of every command: --home, --color, --help; and of reading ones: --format, --json.
[[nodiscard]] std::span<const Option> common_options();
[[nodiscard]] std::span<const Option> reading_options();

/// --since and --until, as every command with a range of time has them.
inline constexpr Option kSince{"since", "TIME", "From then on: 1h, 2d, 2026-11-23T21:00:00Z"};
inline constexpr Option kUntil{"until", "TIME", "Up to then (default: now)"};
inline constexpr Option kLimit{"limit", "N", "At most N rows; 0 for all"};

[[nodiscard]] query::Problem usage_problem(std::string what, std::string why = {}, std::string to_do = {});

}  // namespace honeylink::telemetry::cli
