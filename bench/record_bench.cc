// What a call costs its caller, in thread-CPU time, on one thread and on two pinned to different cores (Google
// Benchmark). The recorder writes into a real ring file; nobody drains, so the oldest chunk is taken again and again,
// as in the worst case.
#include <benchmark/benchmark.h>
#include <honeylink/telemetry.h>
#include <pthread.h>

#include <cstdlib>
#include <string>

namespace tel = honeylink::telemetry;

namespace {

constinit tel::Counter requests{"bench.requests", "{request}"};
constinit tel::Counter<double> busy{"bench.busy", "s"};
constinit tel::UpDownCounter open_sessions{"bench.open", "{session}"};
constinit tel::Gauge length{"bench.length", "{packet}"};
constinit tel::Histogram sizes{"bench.sizes", "By"};
constinit tel::Scope scope{"bench", "1.0"};
constinit tel::Tracer tracer{scope};

void pin(const benchmark::State& state) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(state.thread_index()) % 2, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

void CounterBound(benchmark::State& state) {
  pin(state);
  const auto bound = requests.with({{"link", "wifi"}});
  for (auto _ : state) bound.add(1);
}
void CounterPlain(benchmark::State& state) {
  pin(state);
  for (auto _ : state) requests.add(1);
}
void CounterDoubleBound(benchmark::State& state) {
  pin(state);
  const auto bound = busy.with({{"link", "wifi"}});
  for (auto _ : state) bound.add(0.5);
}
void CounterThreeLabels(benchmark::State& state) {
  pin(state);
  const std::string route = "/api/v1/users";
  int code = 200;
  for (auto _ : state) {
    benchmark::DoNotOptimize(code);
    requests.add(1, {{"method", "GET"}, {"route", route}, {"status", code}});
  }
}
void GaugeSet(benchmark::State& state) {
  pin(state);
  const auto bound = length.with({{"queue", "a"}});
  double v = 1;
  for (auto _ : state) bound.set(v += 1);
}
void HistogramBound(benchmark::State& state) {
  pin(state);
  const auto bound = sizes.with({{"link", "wifi"}});
  double v = 100;
  for (auto _ : state) {
    bound.record(v);
    v = v * 1.01;
    if (v > 10000) v = 100;
  }
}
void SpanTwoAttributes(benchmark::State& state) {
  pin(state);
  std::int64_t i = 0;
  for (auto _ : state) {
    auto span = tracer.start_span("bench.span", {{"i", ++i}, {"route", "/api/v1/users"}});
    span.end();
  }
}
void SpanScopedTwoAttributes(benchmark::State& state) {
  pin(state);
  std::int64_t i = 0;
  for (auto _ : state) const auto span = tracer.scoped_span("bench.scoped", {{"i", ++i}, {"route", "/api/v1/users"}});
}
void SpanSetLater(benchmark::State& state) {
  pin(state);
  std::int64_t i = 0;
  for (auto _ : state) {
    auto span = tracer.start_span("bench.span");
    span.set_attribute("i", ++i);
    span.set_attribute("route", "/api/v1/users");
  }
}
void LogThreeFields(benchmark::State& state) {
  pin(state);
  std::int64_t i = 0;
  for (auto _ : state) tel::log_info("bench.log", {{"i", ++i}, {"ratio", 0.5}, {"text", "abc"}});
}
void LogLevelOff(benchmark::State& state) {
  pin(state);
  std::int64_t i = 0;
  for (auto _ : state) tel::log_debug("bench.log", {{"i", ++i}, {"ratio", 0.5}, {"text", "abc"}});
}

BENCHMARK(CounterBound)->Threads(1)->Threads(2);
BENCHMARK(CounterPlain)->Threads(1)->Threads(2);
BENCHMARK(CounterDoubleBound)->Threads(1)->Threads(2);
BENCHMARK(CounterThreeLabels)->Threads(1)->Threads(2);
BENCHMARK(GaugeSet)->Threads(1)->Threads(2);
BENCHMARK(HistogramBound)->Threads(1)->Threads(2);
BENCHMARK(SpanTwoAttributes)->Threads(1)->Threads(2);
BENCHMARK(SpanScopedTwoAttributes)->Threads(1)->Threads(2);
BENCHMARK(SpanSetLater)->Threads(1)->Threads(2);
BENCHMARK(LogThreeFields)->Threads(1)->Threads(2);
BENCHMARK(LogLevelOff)->Threads(1);

}  // namespace

int main(int argc, char** argv) {
  if (tel::start({.resource = {.service_name = "bench"}, .sampler = tel::Sampler::always_on()}).ok())
    benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
