// When `honeytel` alone opens the terminal view. Main thread.
#pragma once
#include <string>

#include "cli/terminal.h"

namespace honeylink::telemetry::cli {

/// Is there a terminal that can be drawn on?
[[nodiscard]] bool can_open_top(const Terminal& terminal);
/// Does anything record into this home, or has anything ever?
[[nodiscard]] bool has_anything_to_see(const std::string& home);

}  // namespace honeylink::telemetry::cli
