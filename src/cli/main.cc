// honeytel. What must start in no time is answered here, before anything is built: --version, and the demo's own
// children.
#include <cstdio>
#include <cstring>

#include "cli/help.h"
#include "cli/link_child.h"
#include "cli/run_tool.h"

int main(int argc, char** argv) {
  namespace cli = honeylink::telemetry::cli;
  if (argc == 2 && (std::strcmp(argv[1], "--version") == 0 || std::strcmp(argv[1], "-V") == 0)) {
    std::printf("honeytel %.*s\n", static_cast<int>(cli::kVersion.size()), cli::kVersion.data());
    return 0;
  }
  if (argc > 1 && cli::is_link_child(argv[1])) return cli::run_link_child(argc, argv);
  return cli::run_tool(argc, argv);
}
