// Has a file or directory been replaced or written since the last look? Pure but for the stat; any thread.
#pragma once
#include <string>

namespace honeylink::telemetry::engine {

/// Another text after each change of what `path` names; "-" where there is nothing.
[[nodiscard]] std::string stamp_of(const std::string& path);

}  // namespace honeylink::telemetry::engine
