// What packing spans costs (Google Benchmark): the hot rows of a traces.db, given by HONEYLINK_TRACES_DB, else spans
// made like the demo's, are read, grouped, packed into blocks and opened again. `bytes_span` is the size of blocks,
// zone maps, ranges, filters and values over the spans; foreign=1 leaves out the keys, so that ids from other
// processes cost what ids from elsewhere cost.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <random>

#include "base/text.h"
#include "store/foreign_filter.h"
#include "store/span_block.h"
#include "store/span_block_format.h"
#include "store/sqlite.h"

namespace tel = honeylink::telemetry;
namespace store = honeylink::telemetry::store;

namespace {

struct Spans {
  std::vector<std::vector<std::uint8_t>> blobs;
  store::SpanKeys keys, no_keys;
  std::size_t count = 0;
};

/// Sessions as the demo's: a root, three children and a grandchild in one process, a receiver in the other.
void make_like_demo(Spans& to) {
  std::mt19937_64 random(1);
  tel::IdKey one{}, two{};
  one.fill(1), two.fill(2);
  to.keys.add(1, one, one), to.keys.add(2, two, two);
  tel::Source source;
  std::vector<std::uint32_t> none;
  const store::TextIds texts{&none, [](void*, std::uint32_t text) { return text; }, nullptr};
  std::lognormal_distribution<double> network(17, 0.6), local(10, 0.5);
  std::uint64_t counter = 0, other = 0;
  std::int64_t now = 1'795'000'000'000'000'000;
  std::vector<std::uint8_t> items;
  const auto item = [&](std::uint16_t key, tel::ItemType type, const void* bytes, std::size_t size) {
    const tel::ItemHeader head{key, tel::item_type_size(type, size)};
    const std::size_t at = items.size();
    items.resize(at + sizeof head + tel::padded4(size));
    std::memcpy(items.data() + at, &head, sizeof head), std::memcpy(items.data() + at + sizeof head, bytes, size);
  };
  const auto text = [&](std::uint16_t key, std::string_view v) { item(key, tel::ItemType::text, v.data(), v.size()); };
  const auto integer = [&](std::uint16_t key, std::int64_t v) { item(key, tel::ItemType::integer, &v, sizeof v); };
  store::TraceBlobWriter writer;
  for (int session = 0; session < 20'000; ++session) {
    now += static_cast<std::int64_t>(random() % 2'000'000);
    const std::uint64_t root = counter;
    const auto add = [&](std::uint32_t name, bool foreign, std::uint64_t parent, std::int64_t start, double duration) {
      tel::SpanEvent e;
      e.source = &source, e.name = name, e.kind = static_cast<std::uint8_t>(foreign ? 1 : 2);
      e.span = foreign ? other++ : counter++;
      e.trace = foreign ? store::foreign_trace(to.keys.find(1)->trace_id(root)) : tel::TraceRef{false, 0, root};
      if (e.span != root || foreign) e.parent = {true, foreign, parent};
      if (foreign) e.parent.value = store::span_value(to.keys.find(1)->span_id(parent));
      e.status = random() % 50 == 0 ? 2 : 0;
      e.start_unix_ns = start, e.duration_ns = static_cast<std::int64_t>(duration), e.items = items;
      writer.add(e, foreign ? 2 : 1, name % 4, texts);
      items.clear();
    };
    const double policy = network(random), exchange = network(random), send = network(random);
    const std::string peer = tel::hex(std::array<std::uint8_t, 8>{static_cast<std::uint8_t>(random() % 200), 9, 8, 7});
    text(1, peer + peer), integer(2, 1 + (random() % 20 == 0 ? 1 : 0));
    add(10, false, 0, now, policy + exchange + send + local(random));
    text(3, "GET"), text(4, "/policy"), integer(5, random() % 4 == 0 ? 200 : 304), integer(6, session / 3000);
    auto at = now + static_cast<std::int64_t>(local(random));
    add(11, false, root, at, policy);
    text(7, "X25519"), text(8, "ChaCha20-Poly1305"), integer(2, 1);
    at += static_cast<std::int64_t>(policy + local(random));
    add(12, false, root, at, exchange);
    at += static_cast<std::int64_t>(exchange + local(random));
    text(9, random() % 3 == 0 ? "realtime" : "bulk"), integer(10, 64 + static_cast<std::int64_t>(random() % 1400));
    add(13, false, root, at, send);
    text(11, "udp"), integer(12, session % 1000);
    add(14, false, root + 3, at + 700, send * 0.99);
    integer(12, session % 1000), integer(10, 64 + static_cast<std::int64_t>(random() % 1400));
    add(15, true, root + 4, at + static_cast<std::int64_t>(send / 2), local(random));
    if (writer.bytes() > 256 * 1024) {
      const auto blob = writer.finish();
      to.blobs.emplace_back(blob.begin(), blob.end());
      writer.clear();
    }
  }
}

bool read_database(const char* path, Spans& to) {
  store::Connection connection;
  if (connection.open(path, store::Access::read_only, 1000) != SQLITE_OK) return false;
  store::Statement keys = connection.prepare("SELECT id, trace_key, span_key FROM idkey");
  while (keys && keys.step() == SQLITE_ROW) {
    tel::IdKey trace{}, span{};
    std::memcpy(trace.data(), keys.blob(1).data(), std::min<std::size_t>(16, keys.blob(1).size()));
    std::memcpy(span.data(), keys.blob(2).data(), std::min<std::size_t>(16, keys.blob(2).size()));
    to.keys.add(static_cast<std::uint32_t>(keys.integer(0)), trace, span);
  }
  store::Statement rows = connection.prepare("SELECT data FROM hot ORDER BY id");
  while (rows && rows.step() == SQLITE_ROW) to.blobs.emplace_back(rows.blob(0).begin(), rows.blob(0).end());
  return !to.blobs.empty();
}

Spans& spans() {
  static Spans* const all = [] {
    auto* made = new Spans;
    const char* path = std::getenv("HONEYLINK_TRACES_DB");
    if (path == nullptr || !read_database(path, *made)) make_like_demo(*made);
    for (const auto& blob : made->blobs) made->count += store::TraceBlob(blob).count();
    return made;
  }();
  return *all;
}

/// All spans into blocks, four at a time, as the packer does. Bytes with all that goes with a block.
std::size_t pack(Spans& from, bool foreign, std::vector<store::WrittenBlock>* keep) {
  store::SpanBlockWriter writer;
  store::SpanValues values;
  store::SpanOrder order;
  store::WrittenBlock block;
  std::vector<store::StoredSpan> group;
  store::SpanKeys& keys = foreign ? from.no_keys : from.keys;
  std::size_t bytes = 0;
  const auto flush = [&] {
    store::group_spans(group, keys, order);
    std::size_t first = 0, n = 0;
    for (std::size_t i = 0; i <= order.runs.size(); ++i) {
      const bool last = i == order.runs.size();
      if (last || n + order.runs[i].count > store::kBlockSpansMax) {
        const std::span<const store::SpanRun> runs(order.runs.data() + first, i - first);
        if (n != 0) writer.write(group, order, runs, keys, values, block);
        std::vector<store::ForeignId> ids;
        for (const store::SpanRun& run : runs) {
          if (run.source == 0) ids.emplace_back(run.hi, run.lo);
        }
        bytes += block.data.size() + store::write_zone(block.zone).size() * 2 + store::trace_ranges(runs).size() * 16 +
                 store::make_foreign_filter(ids).size();
        if (keep != nullptr) keep->push_back(block);
        first = i, n = 0;
      }
      if (!last) n += order.runs[i].count;
    }
    group.clear();
  };
  for (const auto& blob : from.blobs) {
    store::TraceBlob read(blob);
    for (store::StoredSpan span; read.next(span);) group.push_back(span);
    if (group.size() >= 4 * store::kBlockSpansMax) flush();
  }
  if (!group.empty()) flush();
  for (const auto& [id, value] : values.fresh()) bytes += value.size() + 8;
  return bytes;
}

void pack_spans(benchmark::State& state) {
  Spans& from = spans();
  std::size_t bytes = 0;
  for (auto _ : state) bytes = pack(from, state.range(0) != 0, nullptr);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * from.count));
  state.counters["bytes_span"] = static_cast<double>(bytes) / static_cast<double>(from.count);
}
BENCHMARK(pack_spans)->ArgName("foreign")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void open_block(benchmark::State& state) {
  Spans& from = spans();
  std::vector<store::WrittenBlock> blocks;
  pack(from, true, &blocks);  // without keys nothing is named that is not in the block, values excepted
  store::SpanBlockReader reader;
  std::size_t i = 0, opened = 0;
  for (auto _ : state) {
    const bool sound = reader.open(
        blocks[i++ % blocks.size()].data, [&](std::uint32_t source) { return from.keys.find(source); },
        [](std::uint32_t, std::string_view& value) { return value = "value", true; });
    opened += sound ? reader.count() : 0;
    store::StoredSpan span;
    for (std::size_t s = 0; state.range(0) != 0 && s < reader.count(); ++s) (void)reader.read(s, span);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(opened));
}
BENCHMARK(open_block)->ArgName("items")->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

}  // namespace
