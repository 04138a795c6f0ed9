// See link_child.h.
#include "cli/link_child.h"

#include "link/link.h"

namespace honeylink::telemetry::cli {

bool is_link_child(const char* first_argument) noexcept { return first_argument == link::kChildCommand; }
int run_link_child(int argc, char** argv) { return link::link_child_main(argc, argv); }

}  // namespace honeylink::telemetry::cli
