// What a span costs that its sampler does not keep (Google Benchmark). Apart from record_bench.cc, because start()
// decides it for the whole process. One argument says which: --off (SpanNotRecorded: always_off turns tracing off),
// --unkept (SpanNotSampled: a ratio of 0, without retroactive keep, so the trace id decides and nothing is recorded),
// --retroactive (SpanNotKept: a ratio of 0, recorded like any other span, so that an error can fetch it later).
#include <benchmark/benchmark.h>
#include <honeylink/telemetry.h>
#include <pthread.h>

#include <algorithm>
#include <string_view>

namespace tel = honeylink::telemetry;

namespace {

constinit tel::Scope scope{"bench", "1.0"};
constinit tel::Tracer tracer{scope};

void unsampled_span(benchmark::State& state) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(state.thread_index()) % 2, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
  std::int64_t i = 0;
  for (auto _ : state) {
    auto span = tracer.start_span("bench.span", {{"i", ++i}, {"route", "/api/v1/users"}});
    span.end();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto asked = [&](std::string_view word) { return std::find(argv, argv + argc, word) != argv + argc; };
  const bool retroactive = asked("--retroactive"), unkept = asked("--unkept");
  const auto sampler = retroactive || unkept ? tel::Sampler::trace_id_ratio(0) : tel::Sampler::always_off();
  const auto started =
      tel::start({.resource = {.service_name = "bench"}, .sampler = sampler, .retroactive_keep = retroactive});
  if (!started.ok()) return 1;
  const char* name = retroactive ? "SpanNotKept" : unkept ? "SpanNotSampled" : "SpanNotRecorded";
  benchmark::RegisterBenchmark(name, unsampled_span)->Threads(1)->Threads(2);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
