// From a toast to the trace behind it: starts the tool in the owner's session. Called by the toast's thread when
// somebody clicked.
#pragma once
#include <string>

namespace honeylink::telemetry::alert {

/// Starts `tool view` on this trace and does not wait for it: it ends by itself an hour after it was looked at last.
/// False where nothing could be started.
bool open_trace(const std::string& tool, const std::string& home, const std::string& trace_id);

}  // namespace honeylink::telemetry::alert
