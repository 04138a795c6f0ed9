// What a record costs on its way out of the ring (Google Benchmark), step by step: a ring is recorded full of spans
// with two attributes and logs with three fields, half and half, and then read again and again as the engine's drain
// does.
//
// `ns_record` is wall-clock time over records. Each step includes the ones before it:
//   DrainCopy          pread of each chunk, and the look whether it moved meanwhile: the floor that the kernel sets
//   DrainCopyAndSplit  + every byte checked and split into records: what is published as "drain"
//   DrainDecode        + each as SpanEvent or LogEvent
//   DrainStore         + scrubbed, and encoded: spans into the blob of traces.db, logs into lines of JSON
// The argument is how many of the newest chunks are read: 16 are what 300,000 records a second leave in 20 ms, 0 means
// all of the ring, of which much has left the nearer caches. EncodeSpan and EncodeLog are the scrubbing and encoding
// alone, of records that are decoded.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <honeylink/telemetry.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "ring/home.h"
#include "ring/reader.h"
#include "scrub/scrubber.h"
#include "store/log_line.h"
#include "store/trace_codec.h"

namespace tel = honeylink::telemetry;
namespace ring = honeylink::telemetry::ring;
namespace store = honeylink::telemetry::store;

namespace {

constexpr int kRecords = 200'000;  // twice what a ring of 10 MB holds
constexpr std::size_t kBlobBytes = std::size_t{256} << 10;

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

enum class Step : std::uint8_t { copy, split, decode, store };

/// Where the encoded records go; thrown away when a commit would be due.
struct Stores {
  tel::scrub::Scrubber scrubber{{home, {}, {}, false}};
  store::TraceBlobWriter blob;
  store::LogLines lines;
  store::LineBuffer text;
  std::vector<std::uint32_t> ids;  // of traces.db, by text id of the ring

  void know(tel::Source& source) {
    scrubber.names(source);
    for (std::size_t i = ids.size(); i < source.texts.size(); ++i) ids.push_back(static_cast<std::uint32_t>(1 + i));
  }
  void add(tel::SpanEvent& span) {
    const store::TextIds table{&ids, [](void*, std::uint32_t) { return std::uint32_t{0}; }, nullptr};
    scrubber.clean(span);
    blob.add(span, 1, 0, table);
    if (blob.bytes() >= kBlobBytes) benchmark::DoNotOptimize(blob.finish().data()), blob.clear();
  }
  void add(tel::LogEvent& log) {
    scrubber.clean(log);
    lines.append(log, text);
    if (text.size() >= kBlobBytes) benchmark::DoNotOptimize(text.view().data()), text.clear();
  }
};

/// A ring that is open for reading, and the chunks of it that are to be read, oldest first.
struct Reading {
  std::unique_ptr<ring::RingReader> reader;
  std::vector<ring::ChunkView> chunks;
  Stores stores;
  std::string why;

  bool open(std::size_t newest) {
    for (const auto& file : ring::list_rings(home)) {
      const std::string path = file.directory + "/" + file.name;
      reader = ring::RingReader::open(tel::Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)), file.name,
                                      false, why);
      break;
    }
    if (reader == nullptr) return why = "no ring", false;
    if (!reader->refresh() || !reader->read_chunks(chunks)) return why = reader->why(), false;
    std::erase_if(chunks, [](const ring::ChunkView& chunk) { return chunk.state != ring::ChunkState::full; });
    std::sort(chunks.begin(), chunks.end(), [](const auto& a, const auto& b) { return a.seq < b.seq; });
    if (newest != 0 && chunks.size() > newest)
      chunks.erase(chunks.begin(), chunks.end() - static_cast<std::ptrdiff_t>(newest));
    stores.know(reader->mutable_source());
    return !chunks.empty() || (why = "no full chunk in the ring", false);
  }
};

bool take(Reading& r, const ring::TickScale& scale, const ring::RawRecord& record, tel::RecordPosition at, Step step) {
  const auto pass = [&](auto& event) {
    if (step == Step::store) r.stores.add(event);
    else benchmark::DoNotOptimize(event);
    return true;
  };
  if (record.record_class == ring::RecordClass::log) {
    tel::LogEvent log;
    return ring::decode_log(r.reader->source(), scale, record, at, log) && pass(log);
  }
  tel::SpanEvent span;
  return ring::decode_span(r.reader->source(), scale, record, at, span) && pass(span);
}

// Records of one whole reading; -1: `why` says what is wrong.
std::int64_t read_all(Reading& r, Step step) {
  const ring::TickScale scale = r.reader->tick_scale();
  std::int64_t records = 0;
  ring::ChunkCopy copy;
  for (const auto& view : r.chunks) {
    bool moved = false;
    if (!r.reader->copy_chunk(view, copy, moved)) return r.why = "a chunk moved: " + r.reader->why(), -1;
    benchmark::DoNotOptimize(copy.bytes.data());
    if (step == Step::copy) continue;
    ring::RecordCursor cursor(copy.bytes);
    std::uint64_t ordinal = view.first_total();
    for (ring::RawRecord record; cursor.next(record); ++ordinal, ++records) {
      if (step != Step::split && !take(r, scale, record, {view.slot, ordinal}, step))
        return r.why = "a record is not sound", -1;
    }
    if (cursor.damaged()) return r.why = "a chunk is not sound", -1;
  }
  return records;
}

void count(benchmark::State& state, std::int64_t records) {
  state.SetItemsProcessed(records);
  state.counters["records"] = static_cast<double>(records) / static_cast<double>(state.iterations());
  state.counters["ns_record"] = benchmark::Counter(static_cast<double>(records) * 1e-9,
                                                   benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void drain(benchmark::State& state, Step step) {
  Reading r;
  if (!r.open(static_cast<std::size_t>(state.range(0)))) return state.SkipWithError(r.why.c_str());
  const std::int64_t records = read_all(r, Step::split);
  if (records <= 0) return state.SkipWithError(records < 0 ? r.why.c_str() : "no record in the ring");
  for (auto _ : state) {
    if (read_all(r, step) < 0) return state.SkipWithError(r.why.c_str());
  }
  count(state, records * static_cast<std::int64_t>(state.iterations()));
}

// One chunk's records of one class, copied, split and decoded before the clock starts.
void encode(benchmark::State& state, ring::RecordClass wanted) {
  Reading r;
  if (!r.open(1)) return state.SkipWithError(r.why.c_str());
  ring::ChunkCopy copy;
  bool moved = false;
  if (!r.reader->copy_chunk(r.chunks.front(), copy, moved)) return state.SkipWithError("a chunk moved");
  const ring::TickScale scale = r.reader->tick_scale();
  std::vector<tel::SpanEvent> spans;
  std::vector<tel::LogEvent> logs;
  ring::RecordCursor cursor(copy.bytes);
  for (ring::RawRecord record; cursor.next(record);) {
    if (record.record_class != wanted) continue;
    if (wanted == ring::RecordClass::log) ring::decode_log(r.reader->source(), scale, record, {}, logs.emplace_back());
    else ring::decode_span(r.reader->source(), scale, record, {}, spans.emplace_back());
  }
  for (auto _ : state) {
    for (tel::SpanEvent span : spans) r.stores.add(span);
    for (tel::LogEvent log : logs) r.stores.add(log);
  }
  count(state, static_cast<std::int64_t>(spans.size() + logs.size()) * static_cast<std::int64_t>(state.iterations()));
}

void DrainCopy(benchmark::State& state) { drain(state, Step::copy); }
void DrainCopyAndSplit(benchmark::State& state) { drain(state, Step::split); }
void DrainDecode(benchmark::State& state) { drain(state, Step::decode); }
void DrainStore(benchmark::State& state) { drain(state, Step::store); }
void EncodeSpan(benchmark::State& state) { encode(state, ring::RecordClass::kept_span); }
void EncodeLog(benchmark::State& state) { encode(state, ring::RecordClass::log); }
BENCHMARK(DrainCopy)->Arg(16)->Arg(0);
BENCHMARK(DrainCopyAndSplit)->Arg(16)->Arg(0);
BENCHMARK(DrainDecode)->Arg(16)->Arg(0);
BENCHMARK(DrainStore)->Arg(16)->Arg(0);
BENCHMARK(EncodeSpan);
BENCHMARK(EncodeLog);

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
