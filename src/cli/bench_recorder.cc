// See bench_recorder.h. A span is start, two attributes, end; a log line has three fields; metrics alternate between a
// bound counter and a bound histogram. Each is one event and one measured call.
#include "cli/bench_recorder.h"

#include <honeylink/telemetry.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "cli/latency.h"

namespace honeylink::telemetry::cli {
namespace {

constinit Counter<> counted{"bench.counter", "{event}", "Counted by honeytel bench"};
constinit Histogram measured{"bench.histogram", "By", "Recorded by honeytel bench"};

using Clock = std::chrono::steady_clock;
enum class Kind : std::uint8_t { metric, span, log, nothing };
constexpr std::size_t kPattern = 100;

/// The mix, spread evenly: the same hundred events again and again.
std::array<Kind, kPattern> pattern_of(const BenchPlan& plan) {
  std::array<Kind, kPattern> pattern{};
  unsigned metrics = 0, spans = 0, logs = 0;
  for (unsigned i = 0; i < kPattern; ++i) {
    const unsigned owed_metrics = plan.metrics * (i + 1) - metrics * 100,
                   owed_spans = plan.spans * (i + 1) - spans * 100, owed_logs = plan.logs * (i + 1) - logs * 100;
    const auto owed = [](unsigned n) { return static_cast<int>(n); };
    if (owed(owed_metrics) >= owed(owed_spans) && owed(owed_metrics) >= owed(owed_logs))
      pattern[i] = Kind::metric, ++metrics;
    else if (owed(owed_spans) >= owed(owed_logs)) pattern[i] = Kind::span, ++spans;
    else pattern[i] = Kind::log, ++logs;
  }
  return pattern;
}

struct Worker {
  LatencyHistogram latency;
  std::uint64_t metrics = 0, spans = 0, logs = 0, worst = 0;
};

void record_one(Kind kind, std::uint64_t i, Worker& worker) {
  const std::uint64_t before = read_ticks();
  switch (kind) {
    case Kind::metric: {
      static const auto counter = counted.with({{"link", "wifi"}});
      static const auto histogram = measured.with({{"link", "wifi"}});
      if ((i & 1U) == 0) counter.add(1U);
      else histogram.record(static_cast<double>(64 + i % 1'400));
      ++worker.metrics;
      break;
    }
    case Kind::span: {
      auto span = start_span("bench.span", {{"packet", i}, {"link", "wifi"}});
      span.end();
      ++worker.spans;
      break;
    }
    case Kind::log:
      log_info("bench.log", {{"packet", i}, {"link", "wifi"}, {"late", (i & 64U) != 0}});
      ++worker.logs;
      break;
    case Kind::nothing:
      break;
  }
  const std::uint64_t ticks = read_ticks() - before;
  worker.latency.add(ticks);
  worker.worst = std::max(worker.worst, ticks);
}

/// `events` of them, at most at `rate`. Due events are recorded in one go, then the thread sleeps for the rest of a
/// millisecond; with `even` it waits awake, so that no event is late and no call pays for waking up.
void work(const std::array<Kind, kPattern>& pattern, bool even, std::uint64_t events, double rate, Worker& worker) {
  const auto began = Clock::now();
  for (std::uint64_t i = 0; i < events;) {
    std::uint64_t due = events;
    if (rate > 0) {
      const double elapsed = std::chrono::duration<double>(Clock::now() - began).count();
      due = std::min(events, static_cast<std::uint64_t>(elapsed * rate) + 1);
    }
    for (; i < due; ++i) record_one(pattern[i % kPattern], i, worker);
    if (rate > 0 && i < events && !even) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

using Workers = std::vector<std::unique_ptr<Worker>>;

/// All threads of the plan, each with its part of the events. Ticks per nanosecond, as measured meanwhile.
double work_all(const BenchPlan& plan, const std::array<Kind, kPattern>& pattern, std::uint64_t events,
                Workers& workers, double& seconds) {
  const auto began = Clock::now();
  const std::uint64_t ticks_began = read_ticks();
  std::vector<std::thread> threads;
  const double rate = plan.rate / static_cast<double>(plan.threads);
  for (std::uint64_t i = 0; i < plan.threads; ++i) {
    workers.push_back(std::make_unique<Worker>());
    const std::uint64_t part = events / plan.threads + (i < events % plan.threads ? 1 : 0);
    threads.emplace_back([&, part, worker = workers.back().get()] { work(pattern, plan.even, part, rate, *worker); });
  }
  for (std::thread& thread : threads) thread.join();
  seconds = std::chrono::duration<double>(Clock::now() - began).count();
  return static_cast<double>(read_ticks() - ticks_began) / (seconds * 1e9);
}

std::unique_ptr<LatencyHistogram> merged(const Workers& workers) {
  auto all = std::make_unique<LatencyHistogram>();
  for (const auto& worker : workers) all->add(worker->latency);
  return all;
}

}  // namespace

bool parse_mix(const std::string& text, BenchPlan& plan, std::string& why) {
  unsigned shares[3] = {0, 0, 0};
  constexpr std::string_view kNames[] = {"metrics", "spans", "logs"};
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    const std::size_t equals = part.find('=');
    const auto* name = std::find(std::begin(kNames), std::end(kNames), part.substr(0, equals));
    if (equals == std::string_view::npos || name == std::end(kNames))
      return why = "'" + std::string(part) + "' is not metrics=N, spans=N or logs=N", false;
    const std::string_view digits = part.substr(equals + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), shares[name - kNames]);
    if (error != std::errc{} || end != digits.data() + digits.size() || shares[name - kNames] > 100)
      return why = "'" + std::string(digits) + "' is no share from 0 to 100", false;
  }
  plan.metrics = shares[0], plan.spans = shares[1], plan.logs = shares[2];
  if (shares[0] + shares[1] + shares[2] != 100)
    return why = "the shares add up to " + std::to_string(shares[0] + shares[1] + shares[2]) + ", not to 100", false;
  return true;
}

BenchResult record_bench(const BenchPlan& plan) {
  BenchResult result;
  {
    std::array<Kind, kPattern> nothing;
    nothing.fill(Kind::nothing);
    Workers workers;
    const double ticks_per_ns = work_all(
        plan, nothing, std::min(plan.events, plan.rate > 0 ? static_cast<std::uint64_t>(plan.rate) : 1'000'000),
        workers, result.floor_seconds);
    const auto floor = merged(workers);
    result.floor_p99_9 = static_cast<double>(floor->percentile(0.999)) / ticks_per_ns;
    result.floor_p99_99 = static_cast<double>(floor->percentile(0.9999)) / ticks_per_ns;
  }
  Workers workers;
  const double ticks_per_ns = work_all(plan, pattern_of(plan), plan.events, workers, result.seconds);
  std::uint64_t worst = 0;
  for (const auto& worker : workers) {
    result.metrics += worker->metrics, result.spans += worker->spans, result.logs += worker->logs;
    worst = std::max(worst, worker->worst);
  }
  const auto all = merged(workers);
  const auto ns = [&](std::uint64_t ticks) { return static_cast<double>(ticks) / ticks_per_ns; };
  result.p50 = ns(all->percentile(0.5)), result.p99 = ns(all->percentile(0.99)),
  result.p99_9 = ns(all->percentile(0.999));
  result.p99_99 = ns(all->percentile(0.9999)), result.worst = ns(worst);
  return result;
}

}  // namespace honeylink::telemetry::cli
