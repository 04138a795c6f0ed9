// A plug-in that carries a copy of the recorder of its own: opened, run, closed and opened again by life_test.cc. It
// knows of no other copy in its process, records when it is loaded and when it is unloaded, and shows no other symbol.
#include <honeylink/telemetry.h>

namespace tel = honeylink::telemetry;

namespace {

constinit tel::Scope scope{"acme.plugin", "1.0"};
constinit tel::Tracer tracer{scope};
constinit tel::Counter hits{scope, "plugin.hits", "1"};

struct Life {
  Life() { tel::log_info("plugin.loaded"); }
  ~Life() { tel::log_info("plugin.unloaded"); }
};
const Life life;

struct AtThreadEnd {
  bool used = false;
  ~AtThreadEnd() {
    if (used) tel::log_info("plugin.thread_end");
  }
};
thread_local AtThreadEnd at_thread_end;

}  // namespace

extern "C" __attribute__((visibility("default"))) int plugin_start() {
  const tel::Status status = tel::start({.resource = {.service_name = "plugin"}, .sampler = tel::Sampler::always_on()});
  return status.ok() || status.error() == tel::Error::already_started ? 0 : 1;
}

extern "C" __attribute__((visibility("default"))) void plugin_record(int n) {
  for (int i = 0; i < n; ++i) {
    hits.add(1);
    const auto span = tracer.scoped_span("plugin.span", {{"i", i}});
    tel::log_info("plugin.log", {{"i", i}});
  }
}

extern "C" __attribute__((visibility("default"))) void plugin_record_at_thread_end() { at_thread_end.used = true; }
