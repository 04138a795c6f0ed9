// What asking a full traces.db costs (Google Benchmark): HONEYLINK_BENCH_SPANS spans (a million unless told; ten for
// the figure that is published) go through TraceStore and its packing, 1,000 a second of stored time; then traces are
// found by id and by the beginning of one, and the slowest 20 spans of an hour. HONEYLINK_BENCH_KEEP: an existing home
// that is filled and stays.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "base/text.h"
#include "query/trace_reader.h"
#include "store/trace_store.h"

namespace tel = honeylink::telemetry;
namespace store = honeylink::telemetry::store;
namespace query = honeylink::telemetry::query;

namespace {

constexpr std::int64_t kStart = 1'795'000'000'000'000'000, kHourNs = 3'600'000'000'000;
constexpr std::uint64_t kSpansPerTrace = 5, kThreads = 6, kRange = 4096;

struct Filled {
  std::string home = std::filesystem::temp_directory_path().string() + "/span-find-bench-XXXXXX";
  tel::Source source;
  std::vector<std::uint64_t> traces;
  std::uint64_t spans = 0;

  bool stays = false;

  Filled() {
    if (const char* const keep = std::getenv("HONEYLINK_BENCH_KEEP")) home = keep, stays = true;
    else if (::mkdtemp(home.data()) == nullptr) std::abort();
    const char* wanted = std::getenv("HONEYLINK_BENCH_SPANS");
    spans = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 1'000'000;
    source.serial = 1, source.ring_id.fill(1), source.trace_key.fill(2), source.span_key.fill(3);
    source.resource.service_name = "bench";
    source.texts = {"_other", "session", "policy", "exchange", "send", "transmit"};
    fill();
  }
  ~Filled() {
    std::error_code ignored;
    if (!stays) std::filesystem::remove_all(home, ignored);
  }
  Filled(const Filled&) = delete;
  Filled& operator=(const Filled&) = delete;

  void fill() {
    store::StoreOptions options;
    options.home = home;
    std::string said;
    auto file = store::TraceStore::open(options, said);
    if (file == nullptr || file->begin_epoch() == 0) std::abort();
    std::mt19937_64 random(1);
    std::lognormal_distribution<double> duration(14, 1.5);
    std::uint64_t next[kThreads] = {}, free_range = 0;
    std::int64_t now = kStart;
    for (std::uint64_t n = 0; n < spans;) {
      std::uint64_t& counter = next[random() % kThreads];  // each thread draws from a range of its own
      if (counter % kRange < kSpansPerTrace || counter % kRange + kSpansPerTrace > kRange)
        counter = kRange * free_range++ + kSpansPerTrace;
      traces.push_back(counter);
      for (std::uint64_t i = 0; i < kSpansPerTrace; ++i, ++n) {
        tel::SpanEvent e;
        e.source = &source, e.trace.lo = traces.back(), e.span = counter++, e.name = static_cast<std::uint32_t>(1 + i);
        if (i != 0) e.parent = {true, false, traces.back()};
        e.start_unix_ns = now += 1'000'000, e.duration_ns = static_cast<std::int64_t>(duration(random));
        file->add(e);
      }
      if (file->pending_spans() < 3000) continue;
      if (file->commit({}, {}, false) != store::CommitResult::ok) std::abort();
      (void)file->maintain(now + kHourNs, 50'000'000);
      file->checkpoint();
    }
    (void)file->commit({}, {}, false);
    (void)file->maintain(now + kHourNs, kHourNs);
    const double bytes = static_cast<double>(std::filesystem::file_size(file->path()));
    std::fprintf(stderr, "%llu spans, %.2f bytes each in the file\n", static_cast<unsigned long long>(spans),
                 bytes / static_cast<double>(spans));
  }
};

Filled& filled() {
  static Filled all;
  return all;
}

std::unique_ptr<query::TraceReader> open_reader() {
  auto opened = query::TraceReader::open(filled().home);
  if (!opened.ok()) std::abort();
  return std::move(opened.value());
}

void find_trace(benchmark::State& state) {
  Filled& all = filled();
  const auto reader = open_reader();
  const tel::IdCipher ids(all.source.trace_key, all.source.span_key);
  std::mt19937_64 random(2);
  for (auto _ : state) {
    const std::string id = tel::hex(ids.trace_id(all.traces[random() % all.traces.size()]));
    const auto found = reader->trace(id.substr(0, static_cast<std::size_t>(state.range(0))));
    if (!found.ok() || found.value().size() != kSpansPerTrace) state.SkipWithError("not found");
  }
}
BENCHMARK(find_trace)->ArgName("digits")->Arg(32)->Arg(16)->Unit(benchmark::kMicrosecond);

void find_slowest(benchmark::State& state) {
  Filled& all = filled();
  const auto reader = open_reader();
  const auto length = static_cast<std::int64_t>(all.spans) * 1'000'000;
  std::mt19937_64 random(3);
  for (auto _ : state) {
    const std::int64_t since =
        kStart +
        static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(std::max<std::int64_t>(length - kHourNs, 1)));
    const auto found = reader->slowest(since, since + kHourNs, {}, 20);
    if (!found.ok() || found.value().size() != 20) state.SkipWithError("not found");
  }
}
BENCHMARK(find_slowest)->Unit(benchmark::kMicrosecond);

}  // namespace
