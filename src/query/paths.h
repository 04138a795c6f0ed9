// Where a home keeps what query reads (DESIGN 7). Pure; any thread.
#pragma once
#include <string>

namespace honeylink::telemetry::query {

[[nodiscard]] inline std::string metrics_path(const std::string& home) { return home + "/metrics/metrics.db"; }
[[nodiscard]] inline std::string traces_path(const std::string& home) { return home + "/metrics/traces.db"; }
[[nodiscard]] inline std::string logs_directory(const std::string& home) { return home + "/logs"; }
[[nodiscard]] inline std::string log_path(const std::string& home) { return home + "/logs/honeylink.log"; }
[[nodiscard]] inline std::string run_directory(const std::string& home) { return home + "/run"; }

}  // namespace honeylink::telemetry::query
