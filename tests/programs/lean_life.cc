// A whole life of a program built without exceptions and without run-time types against honeylink::telemetry alone:
// it records before main(), in main(), in a thread that ends, and in static destructors. Usage: lean_life
// return|exit|_exit|quick_exit|abort [late], where `late` leaves start() out. Run by life_test.cc.
#include <honeylink/telemetry.h>
#include <pthread.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "this program is there to be built with -fno-exceptions -fno-rtti"
#endif

namespace tel = honeylink::telemetry;

namespace {

constinit tel::Counter hits{"life.hits", "1"};
constinit tel::DurationHistogram spent{"life.spent", "s"};
constinit tel::Tracer tracer;

struct Life {
  Life() { record("before main"); }
  ~Life() { record("after main"); }
  static void record(const char* what) {
    hits.add(1);
    auto span = tracer.start_span("life.span");
    span.set_attribute("when", what);
    span.end();
    tel::log_info(tel::EventName::runtime(what));
  }
};
const Life life;

struct AtThreadEnd {
  bool used = false;
  ~AtThreadEnd() {
    if (used) tel::log_info("thread_local destructor");
  }
};
thread_local AtThreadEnd at_thread_end;

void* thread(void*) {
  at_thread_end.used = true;
  Life::record("thread");
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  if (argc == 2 && !tel::start({.resource = {.service_name = "lean"}, .sampler = tel::Sampler::always_on()}).ok())
    return 3;
  pthread_t made;
  if (pthread_create(&made, nullptr, thread, nullptr) != 0 || pthread_join(made, nullptr) != 0) return 4;
  {
    const auto timer = spent.time();
    Life::record("main");
  }
  if (std::strcmp(argv[1], "exit") == 0) std::exit(0);
  if (std::strcmp(argv[1], "_exit") == 0) _exit(0);
  if (std::strcmp(argv[1], "quick_exit") == 0) std::quick_exit(0);
  if (std::strcmp(argv[1], "abort") == 0) std::abort();
  return 0;
}
