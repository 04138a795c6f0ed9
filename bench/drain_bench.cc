// What a record costs the reader (Google Benchmark): a ring is recorded full, then each chunk is copied by pread, split
// into records, checked and decoded, as a drain does before scrub and stores. `ns_record` is wall-clock time over the
// records read.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <honeylink/telemetry.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "ring/home.h"
#include "ring/reader.h"

namespace tel = honeylink::telemetry;
namespace ring = honeylink::telemetry::ring;

namespace {

constexpr int kRecords = 200'000;  // twice what a ring of 10 MB holds

struct TemporaryHome {
  std::string path = std::filesystem::temp_directory_path().string() + "/drain-bench-XXXXXX";
  TemporaryHome() {
    if (::mkdtemp(path.data()) == nullptr) path.clear();
  }
  ~TemporaryHome() {
    std::error_code ignored;
    if (path.empty()) return;
    for (const std::string& directory : ring::ring_directories(path)) std::filesystem::remove_all(directory, ignored);
    std::filesystem::remove_all(path, ignored);
  }
  TemporaryHome(const TemporaryHome&) = delete;
  TemporaryHome& operator=(const TemporaryHome&) = delete;
};

std::string home;

std::unique_ptr<ring::RingReader> open_ring(std::string& why) {
  for (const auto& file : ring::list_rings(home)) {
    const std::string path = file.directory + "/" + file.name;
    return ring::RingReader::open(tel::Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)), file.name, false,
                                  why);
  }
  return why = "no ring", nullptr;
}

// Records of one whole reading; each chunk into a buffer of its own, as the engine's drain does.
std::int64_t read_all(ring::RingReader& reader, bool decode, std::string& why) {
  std::vector<ring::ChunkView> chunks;
  if (!reader.refresh() || !reader.read_chunks(chunks)) return why = reader.why(), -1;
  const ring::TickScale scale = reader.tick_scale();
  std::int64_t records = 0;
  for (const auto& view : chunks) {
    if (view.state != ring::ChunkState::owned && view.state != ring::ChunkState::full) continue;
    ring::ChunkCopy copy;
    bool moved = false;
    if (!reader.copy_chunk(view, copy, moved)) return why = "a chunk moved: " + reader.why(), -1;
    ring::RecordCursor cursor(copy.bytes);
    std::uint64_t ordinal = view.first_total();
    for (ring::RawRecord record; cursor.next(record); ++ordinal, ++records) {
      if (!decode) continue;
      bool sound = false;
      if (record.record_class == ring::RecordClass::log) {
        tel::LogEvent event;
        sound = ring::decode_log(reader.source(), scale, record, {view.slot, ordinal}, event);
        benchmark::DoNotOptimize(event);
      } else {
        tel::SpanEvent event;
        sound = ring::decode_span(reader.source(), scale, record, {view.slot, ordinal}, event);
        benchmark::DoNotOptimize(event);
      }
      if (!sound) return why = "a record is not sound", -1;
    }
    if (cursor.damaged()) return why = "a chunk is not sound", -1;
  }
  return records;
}

void drain(benchmark::State& state, bool decode) {
  std::string why;
  const auto reader = open_ring(why);
  if (!reader) return state.SkipWithError(why.c_str());
  std::int64_t records = 0;
  for (auto _ : state) {
    const std::int64_t read = read_all(*reader, decode, why);
    if (read <= 0) return state.SkipWithError(read < 0 ? why.c_str() : "no record in the ring");
    records += read;
  }
  state.SetItemsProcessed(records);
  state.counters["records"] = static_cast<double>(records) / static_cast<double>(state.iterations());
  state.counters["ns_record"] = benchmark::Counter(static_cast<double>(records) * 1e-9,
                                                   benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void DrainCopyAndSplit(benchmark::State& state) { drain(state, false); }
void DrainDecode(benchmark::State& state) { drain(state, true); }
BENCHMARK(DrainCopyAndSplit);
BENCHMARK(DrainDecode);

}  // namespace

int main(int argc, char** argv) {
  const TemporaryHome temporary;
  home = temporary.path;
  if (home.empty() ||
      !tel::start({.resource = {.service_name = "bench"}, .home = home, .sampler = tel::Sampler::always_on()}).ok())
    return 1;
  for (int i = 0; i < kRecords / 2; ++i) {
    tel::start_span("bench.span", {{"i", i}, {"route", "/api/v1/users"}}).end();
    tel::log_info("bench.log", {{"i", i}, {"ratio", 0.5}, {"text", "abc"}});
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
