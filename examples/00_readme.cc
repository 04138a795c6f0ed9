// The program of README.md, letter by letter (tools/check_tree.py compares them).
#include <honeylink/telemetry.h>
namespace tel = honeylink::telemetry;
constinit tel::Counter requests{"app.requests", "{request}", "Requests answered"};

int main() {
  tel::start({.resource = {.service_name = "hello"}});
  const auto span = tel::scoped_span("greet", {{"name", "world"}});
  requests.add(1, {{"route", "/hello"}});
  tel::log_info("greeted", {{"attempt", 1}});
}  // nothing to call at the end
