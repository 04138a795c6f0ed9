// --help of the tool and of each command, made from the table of commands.
#pragma once
#include <string>

#include "base/version.h"
#include "cli/command.h"

namespace honeylink::telemetry::cli {

inline constexpr std::string_view kVersion = kProductVersion;

[[nodiscard]] std::string help_of_tool(const Style& style);
[[nodiscard]] std::string help_of_command(const Command& command, const Style& style);
/// What `honeytel` alone says: five lines.
[[nodiscard]] std::string introduction();
[[nodiscard]] std::string_view exit_codes_text();

}  // namespace honeylink::telemetry::cli
