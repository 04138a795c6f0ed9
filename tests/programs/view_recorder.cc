// What the tests of the page watch. Usage: view_recorder HOME live|many|trace [N].
//   live: until it is killed, a gauge that holds the moment it was set, a counter and a histogram, every 700 ms.
//   many: until it is killed, 250 series that all change all the time.
//   trace: one trace of N spans, with attributes, events, errors and lines; prints its id; ends when
//   stored.
#include <honeylink/telemetry.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

namespace tel = honeylink::telemetry;
constinit tel::Gauge moment{"live.moment", "s"};
constinit tel::Counter<> turns{"live.turns", "{turn}"};
constinit tel::DurationHistogram took{"live.took", "s"};
constinit tel::Counter<> many{"live.many", "1"};
constinit tel::Tracer tracer;
constexpr tel::SpanName kFetch{"policy.fetch"}, kSend{"packet.send"};

namespace {

double now_s() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

void live() {
  for (std::uint64_t turn = 1;; ++turn) {
    turns.add(1);
    took.record(std::chrono::milliseconds(turn % 100));
    moment.set(now_s());
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
  }
}

void change_many() {
  for (std::uint64_t turn = 0;; ++turn) {
    for (int i = 0; i < 250; ++i)
      many.add(1, {{"which", "a label that makes the frame longer than it need be, number " + std::to_string(i)}});
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

/// A root, leaves below it, and under every hundredth of them a span with eighteen more.
void one_trace(long spans) {
  const auto root = tracer.scoped_span("session.establish", {{"peer", "bench"}});
  long left = spans - 1, flushed_at = left;
  for (long i = 0; left > 0; ++i) {
    const auto child =
        tracer.scoped_span(i % 3 == 0 ? kFetch : kSend, {{"n", i}, {"link", i % 2 == 0 ? "wifi" : "cable"}});
    --left;
    if (i % 500 == 7) child->set_error("timeout");
    if (i % 200 == 11) child->add_event("retry", {{"attempt", i}});
    if (i % 1'000 == 13) tel::log_warn("packet.late", {{"n", i}});
    if (i % 100 == 0 && left > 20) {
      const auto deep = tracer.scoped_span("key.exchange");
      --left;
      for (int k = 0; k < 18; ++k, --left) const auto leaf = tracer.scoped_span("physical.transmit", {{"bytes", k}});
    }
    // The ring holds a second's worth of one thread that never pauses: the engine is waited for.
    if (flushed_at - left < 5'000) continue;
    flushed_at = left;
    (void)tel::flush(std::chrono::seconds(10));
  }
  const auto id = root->context().trace_id().hex();
  std::printf("%.*s\n", static_cast<int>(id.size()), id.data());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const auto status =
      tel::start({.resource = {.service_name = "viewed"}, .home = argv[1], .sampler = tel::Sampler::always_on()});
  if (!status.ok())
    return std::fprintf(stderr, "%.*s\n", static_cast<int>(status.message().size()), status.message().data()), 4;
  if (std::strcmp(argv[2], "live") == 0) live();
  if (std::strcmp(argv[2], "many") == 0) change_many();
  one_trace(argc > 3 ? std::atol(argv[3]) : 1'000);
  return tel::flush(std::chrono::seconds(30)).ok() ? 0 : 5;
}
