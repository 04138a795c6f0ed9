// A foreign program: the installed headers and library only. Answers 0 when it recorded and its ring is where run.sh
// looks for it.
#include <honeylink/telemetry.h>

namespace tel = honeylink::telemetry;
constinit tel::Counter runs{"foreign.runs", "{run}", "Runs of the foreign program"};

int main() {
  if (!tel::start({.resource = {.service_name = "foreign"}}).ok()) return 1;
  const auto span = tel::scoped_span("foreign.work", {{"answer", 42}});
  runs.add(1, {{"kind", "install"}});
  tel::log_info("foreign.done");
  return span->is_recording() ? 0 : 2;
}
