// What a span costs that its sampler does not keep (Google Benchmark). Apart from record_bench.cc, because start()
// decides it for the whole process: without retroactive keep nothing is recorded (SpanNotRecorded); with
// `--retroactive` it is recorded like any other, so that an error can fetch it later (SpanNotKept).
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
  const bool retroactive =
      std::any_of(argv, argv + argc, [](const char* word) { return std::string_view(word) == "--retroactive"; });
  const auto started = tel::start(
      {.resource = {.service_name = "bench"}, .sampler = tel::Sampler::always_off(), .retroactive_keep = retroactive});
  if (!started.ok()) return 1;
  benchmark::RegisterBenchmark(retroactive ? "SpanNotKept" : "SpanNotRecorded", unsampled_span)->Threads(1)->Threads(2);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
