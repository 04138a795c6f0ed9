// --help of the tool and of each command, made from the table of commands.
#pragma once
#include <string>

#include "base/messages.h"
#include "base/version.h"
#include "cli/command.h"

namespace honeylink::telemetry::cli {

inline constexpr std::string_view kVersion = kProductVersion;

[[nodiscard]] std::string help_of_tool(const Style& style);
[[nodiscard]] std::string help_of_command(const Command& command, const Style& style);
/// What `honeytel` alone says where it cannot draw: five lines.
[[nodiscard]] std::string introduction();
/// And where it could, but nothing was recorded yet: how to get something to see, in five lines (UX 1).
[[nodiscard]] std::string nothing_yet(const std::string& home, Language language);
[[nodiscard]] std::string_view exit_codes_text();

}  // namespace honeylink::telemetry::cli
