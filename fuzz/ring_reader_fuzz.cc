// A hostile ring: the input is a list of patches {u32 offset, u16 length, bytes} onto a sound small one, so that a few
// bytes reach any field; an odd first byte truncates the file while it is read. Everything that RingReader offers is
// called on the result. What must stay true: no crash, no report of a sanitizer, and nothing unfolds beyond what the
// file's size bounds.
//
// Seeds: `ring_reader_fuzz --make-seeds=FOLDER` writes rings with records, open spans, cells and a directory as
// patches.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "ring/test_ring.h"

namespace tel = honeylink::telemetry;
namespace ring = honeylink::telemetry::ring;

namespace {

constexpr std::size_t kPatchHead = 6;

void require(bool promise) {
  if (!promise) std::abort();
}

void apply(ring::TestRing& to, const std::uint8_t* data, std::size_t size) {
  while (size >= kPatchHead) {
    std::uint32_t offset;
    std::uint16_t length;
    std::memcpy(&offset, data, sizeof offset);
    std::memcpy(&length, data + sizeof offset, sizeof length);
    data += kPatchHead, size -= kPatchHead;
    offset %= ring::TestRing::kFileBytes;
    std::size_t fits = length < size ? length : size;
    if (fits > ring::TestRing::kFileBytes - offset) fits = ring::TestRing::kFileBytes - offset;
    std::memcpy(to.base() + offset, data, fits);
    data += fits, size -= fits;
  }
}

void read_records(ring::RingReader& reader, const ring::TickScale& scale, std::span<const std::uint8_t> bytes) {
  ring::RecordCursor cursor(bytes);
  std::size_t seen = 0;
  for (ring::RawRecord raw; cursor.next(raw);) {
    seen += raw.bytes.size();
    tel::SpanEvent span;
    tel::LogEvent log;
    const bool is_span = ring::decode_span(reader.source(), scale, raw, {}, span);
    require(is_span != ring::decode_log(reader.source(), scale, raw, {}, log));
    // Whoever reads a ring subtracts its times and adds its durations.
    require(is_span
                ? span.start_unix_ns >= 0 && span.duration_ns >= 0 && span.duration_ns <= INT64_MAX - span.start_unix_ns
                : log.time_unix_ns >= 0);
    (void)reader.source().text(is_span ? span.name : log.name);
    tel::ItemCursor items(is_span ? span.items : log.items);
    for (tel::Item item; items.next(item);) (void)reader.source().text(item.key);
    require(!items.damaged());  // the record's cursor has checked them
  }
  require(seen <= bytes.size() && (cursor.damaged() || seen == bytes.size()));
}

void read_all(ring::RingReader& reader) {
  (void)reader.refresh();
  (void)reader.process_alive();
  const ring::TickScale scale = reader.tick_scale();
  std::vector<ring::SlotView> slots;
  (void)reader.read_slots(slots);
  std::vector<ring::ChunkView> chunks;
  if (reader.read_chunks(chunks)) {
    for (const ring::ChunkView& view : chunks) {
      ring::ChunkCopy copy;
      bool moved = false;
      if (!reader.copy_chunk(view, copy, moved)) continue;
      require(copy.bytes.size() <= reader.header().chunk_bytes);
      read_records(reader, scale, copy.bytes);
      (void)reader.release_chunk(view.index, view.generation);
    }
  }
  std::uint64_t accepted[ring::kClasses];
  (void)reader.read_accepted(accepted);
  std::vector<ring::OpenSpan> open;
  if (reader.read_open_spans(open)) {
    std::size_t bytes = 0;
    for (const ring::OpenSpan& span : open) {
      read_records(reader, scale, span.record);
      bytes += span.record.size();
    }
    require(bytes <= 2 * ring::TestRing::kFileBytes);
  }
  ring::CellSnapshot cells;
  if (reader.read_cells(cells)) {
    std::size_t buckets = 0;
    for (const ring::HistogramCell& cell : cells.histograms) buckets += cell.sketch.buckets.size();
    require(buckets <= reader.header().cells_bytes / 4 && cells.scalars.size() <= reader.header().cells_bytes / 8);
  }
  for (const ring::SeriesDef& def : reader.series())
    require(def.info.labels.size() <= reader.header().directory_bytes / 4);
}

// A ring as patches: its non-zero stretches but for the header that every TestRing has.
void write_seed(ring::TestRing& from, const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  require(file != nullptr);
  const auto* bytes = from.base();
  std::size_t at = offsetof(ring::Header, next_seq);
  while (at < ring::TestRing::kFileBytes) {
    std::size_t end = at;
    for (std::size_t zeros = 0; end < ring::TestRing::kFileBytes && zeros < 16 && end - at < 60'000; ++end)
      zeros = bytes[end] == 0 ? zeros + 1 : 0;
    const auto offset = static_cast<std::uint32_t>(at);
    std::size_t length = end - at;
    while (length > 0 && bytes[at + length - 1] == 0) --length;
    const auto size = static_cast<std::uint16_t>(length);
    if (size > 0) {
      std::fwrite(&offset, sizeof offset, 1, file);
      std::fwrite(&size, sizeof size, 1, file);
      std::fwrite(bytes + at, 1, size, file);
    }
    at = end;
  }
  std::fclose(file);
}

void make_seeds(const std::string& folder) {
  using namespace honeylink::telemetry::ring;
  TestItems items = TestItems().text(1, "abc").integer(2, -1).event(3, 4, TestItems().boolean(1, true));
  const std::uint8_t link[tel::kLinkHeadBytes] = {1, 2, 3}, texts[] = {2, 0, 'a', 'b', 1, 0, 'c'};
  items.add(tel::ItemType::link, 0, link, sizeof link).add(tel::ItemType::texts, 2, texts, sizeof texts);
  {
    TestRing records;
    SpanRecord span{};
    span.header.flags = kFlagKept | kFlagHasParent;
    span.start = 5, span.end = 9, span.span = 1;
    records.take(0, 1);
    records.append(0, test_record(span, items));
    records.append(0, test_record(LogRecord{}, TestItems().text(1, "x")));
    records.seal(0, 1, 0, 1);
    records.take(3, 1);
    records.append(3, test_record(span));
    write_seed(records, folder + "/records");
  }
  {
    TestRing open;
    open.carve(2, 1);
    for (std::uint32_t i = 0; i < 3; ++i) {
      SpanSlot& slot = open.span_slot(2, i);
      const auto bytes = test_record(SpanRecord{}, items);
      std::memcpy(slot.bytes, bytes.data(), bytes.size());
      const auto used = static_cast<std::uint32_t>(sizeof(SpanRecord) + items.bytes().size());
      slot.extent = make_extent(used, i == 0 ? 1 + 2 * 32 + 2 : 0);
      slot.word = i + 1;  // open, ending, chained
      slot.ending_at = (std::uint64_t{2} << 48) | 7;
    }
    write_seed(open, folder + "/open_spans");
  }
  {
    TestRing cells;
    cells.text(1, "level");
    cells.series(0, InstrumentKind::gauge, {1, 0, 0, 0});
    cells.slab(0, 0, 4)[1] = 5;
    cells.slab(kSharedSlot, 0, 4)[0] = 7;
    HistogramBlock& h = cells.histogram(0, 1);
    std::uint32_t offset = 0;
    cells.bank(8, offset)[2] = 3;
    h.bank = make_bank_word(offset, 6, -5);
    h.zeros = 1, h.exemplar.seq = 2;
    write_seed(cells, folder + "/cells");
  }
  {
    TestRing names;
    names.text(1, "service.name");
    names.text(2, "peer");
    names.scope(0, 1, 2, 0);
    names.resource(TestItems().text(1, "shop").text(2, "x"));
    names.series(0, InstrumentKind::histogram, {1, 2, 0, 0}, TestItems().text(1, "b").boolean(2, true));
    names.header().unlinked_count = 2;
    write_seed(names, folder + "/directory");
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  constexpr char kOption[] = "--make-seeds=";
  for (int i = 1; i < *argc; ++i) {
    if (std::strncmp((*argv)[i], kOption, sizeof kOption - 1) != 0) continue;
    make_seeds((*argv)[i] + sizeof kOption - 1);
    std::exit(0);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ring::TestRing hostile;
  apply(hostile, data, size);
  std::string why;
  const auto reader = hostile.reader(why);
  require((reader == nullptr) == !why.empty());
  if (reader == nullptr) return 0;
  read_all(*reader);
  if (size > 0 && data[0] % 2 != 0) {
    require(::ftruncate(hostile.fd(), (data[0] / 2) * 1024) == 0);
    read_all(*reader);
  }
  return 0;
}
