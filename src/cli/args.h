// The command line, read against the table of commands. The only file that knows CLI11.
#pragma once
#include <string>
#include <vector>

#include "cli/command.h"

namespace honeylink::telemetry::cli {

/// `words`: what followed the command's name. False: `problem` says what is wrong, with a "did you mean".
bool parse_arguments(const Command& command, const std::vector<std::string>& words, Call& call,
                     query::Problem& problem);

/// Every option that a command takes, its own first.
[[nodiscard]] std::vector<Option> options_of(const Command& command);

}  // namespace honeylink::telemetry::cli
