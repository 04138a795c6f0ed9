// The demo's link runs as children of this same program. Asked by main() before anything else.
#pragma once

namespace honeylink::telemetry::cli {

[[nodiscard]] bool is_link_child(const char* first_argument) noexcept;
int run_link_child(int argc, char** argv);

}  // namespace honeylink::telemetry::cli
