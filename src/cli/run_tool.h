// The way from argv to a command and back to an exit code. Called by main() once; nothing throws out of it.
#pragma once

namespace honeylink::telemetry::cli {

int run_tool(int argc, char** argv);

}  // namespace honeylink::telemetry::cli
