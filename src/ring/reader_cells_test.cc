// Cells and open spans of a ring built by hand; what a writer does while they are read; what can be wrong with them.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <thread>

#include "base/ids.h"
#include "ring/test_ring.h"

namespace honeylink::telemetry::ring {
namespace {

CellSnapshot cells_of(TestRing& ring) {
  const auto reader = ring.reader();
  CellSnapshot cells;
  EXPECT_TRUE(reader->refresh()) << reader->why();
  EXPECT_TRUE(reader->read_cells(cells)) << reader->why();
  return cells;
}
bool is_refused(TestRing& ring) {
  const auto reader = ring.reader();
  CellSnapshot cells;
  return !reader->refresh() || !reader->read_cells(cells);
}

TEST(RingCells, SlabsGiveTheirCellsThatAreNotZero) {
  TestRing ring;
  std::uint64_t* values = ring.slab(1, 10, 5);
  values[0] = 7, values[4] = ~std::uint64_t{0};
  ring.slab(2, 10, 2)[0] = 8;
  const CellSnapshot cells = cells_of(ring);
  ASSERT_EQ(cells.scalars.size(), 3U);
  EXPECT_EQ(cells.scalars[0].slot, 1U);
  EXPECT_EQ(cells.scalars[0].series, 10U);
  EXPECT_EQ(cells.scalars[0].value, 7U);
  EXPECT_EQ(cells.scalars[1].series, 14U);
  EXPECT_EQ(cells.scalars[2].slot, 2U);
}

TEST(RingCells, GaugesOfZeroAreValuesAndUnsetOnesAreNot) {
  TestRing ring;
  ring.text(1, "app.level");
  for (std::uint32_t id = 0; id < 4; ++id)
    ring.series(id, id == 3 ? InstrumentKind::counter : InstrumentKind::gauge, {1, 0, 0, 0});
  std::uint64_t* values = ring.slab(kSharedSlot, 0, 16);
  values[0] = std::bit_cast<std::uint64_t>(0.0);
  values[2] = std::bit_cast<std::uint64_t>(2.5);
  values[3] = 0;  // a counter's place in the shared slab is nobody's
  values[9] = 0;  // so is one without a series
  const CellSnapshot cells = cells_of(ring);
  ASSERT_EQ(cells.scalars.size(), 2U);
  EXPECT_EQ(cells.scalars[0].series, 0U);
  EXPECT_EQ(std::bit_cast<double>(cells.scalars[1].value), 2.5);
}

TEST(RingCells, AHistogramBecomesASketch) {
  TestRing ring;
  HistogramBlock& h = ring.histogram(1, 4);
  std::uint32_t offset = 0;
  std::uint32_t* buckets = ring.bank(8, offset);
  buckets[0] = 2, buckets[3] = 5;
  h.zeros = 3, h.sum = 12.5, h.count = 10;
  h.range[0].epoch = 6, h.range[0].min = 1, h.range[0].max = 2;
  h.range[1].epoch = 5, h.range[1].min = 0.5, h.range[1].max = 9;
  h.bank = make_bank_word(offset, 6, -40);
  const CellSnapshot cells = cells_of(ring);
  ASSERT_EQ(cells.histograms.size(), 1U);
  const HistogramCell& cell = cells.histograms[0];
  EXPECT_EQ(cell.slot, 1U);
  EXPECT_EQ(cell.series, 4U);
  EXPECT_EQ(cell.sketch.scale, 6);
  EXPECT_EQ(cell.sketch.offset, -40);
  EXPECT_EQ(cell.sketch.buckets, (std::vector<std::uint64_t>{2, 0, 0, 5})) << "without zeros at the end";
  EXPECT_EQ(cell.sketch.count, 10U);
  EXPECT_EQ(cell.sketch.zeros, 3U);
  EXPECT_EQ(cell.sketch.sum, 12.5);
  EXPECT_EQ(cell.sketch.min, 1) << "of the newest epoch";
  EXPECT_EQ(cell.sketch.max, 2);
  EXPECT_FALSE(cell.exemplar.present);
}

TEST(RingCells, TheNewestRangeWithAValueCountsAcrossTheWrapOfEpochs) {
  TestRing ring;
  HistogramBlock& h = ring.histogram(0, 0);
  h.zeros = 1, h.count = 1;
  h.range[0].epoch = 3, h.range[0].min = std::numeric_limits<double>::infinity(),
  h.range[0].max = -std::numeric_limits<double>::infinity();
  h.range[1].epoch = 2, h.range[1].min = 4, h.range[1].max = 5;
  EXPECT_EQ(cells_of(ring).histograms[0].sketch.min, 4) << "the newer one has none yet";
  h.range[0].epoch = 0, h.range[0].min = 7, h.range[0].max = 8;
  h.range[1].epoch = 0xffffffff;
  EXPECT_EQ(cells_of(ring).histograms[0].sketch.min, 7) << "0 comes after 0xffffffff";
}

TEST(RingCells, AHistogramWithoutABankOrAValueIsEmpty) {
  TestRing ring;
  HistogramBlock& h = ring.histogram(0, 0);
  for (auto& range : h.range) range.min = 0, range.max = 0;  // as zeroed memory has it
  const Sketch sketch = cells_of(ring).histograms.at(0).sketch;
  EXPECT_EQ(sketch.count, 0U);
  EXPECT_TRUE(sketch.buckets.empty());
  EXPECT_EQ(sketch.scale, kHistogramScaleStart);
  EXPECT_TRUE(std::isinf(sketch.min) && sketch.min > 0 && std::isinf(sketch.max) && sketch.max < 0);
}

TEST(RingCells, CountIsWhatTheBucketsHold) {
  TestRing ring;
  HistogramBlock& h = ring.histogram(0, 0);
  std::uint32_t offset = 0;
  ring.bank(4, offset)[1] = 5;
  h.bank = make_bank_word(offset, 0, 0);
  h.count = 4;  // the writer stores it last: a record is in flight
  EXPECT_EQ(cells_of(ring).histograms[0].sketch.count, 5U);
}

TEST(RingCells, AnExemplarHasTheIdsOfItsSpan) {
  TestRing ring;
  HistogramBlock& h = ring.histogram(0, 0);
  h.exemplar.value = 3.5, h.exemplar.ticks = ring.header().created.ticks + 9;
  h.exemplar.trace_lo = 21, h.exemplar.span = 22;
  h.exemplar.seq = 2;
  const ExemplarInfo own = cells_of(ring).histograms[0].exemplar;
  IdKey trace_key, span_key;
  std::copy_n(ring.header().trace_key, 16, trace_key.begin());
  std::copy_n(ring.header().span_key, 16, span_key.begin());
  const IdCipher cipher(trace_key, span_key);
  ASSERT_TRUE(own.present);
  EXPECT_EQ(own.value, 3.5);
  EXPECT_EQ(own.trace_id, cipher.trace_id(21));
  EXPECT_EQ(own.span_id, cipher.span_id(22));
  h.exemplar.flags = kFlagTraceForeign;
  h.exemplar.trace_hi = 0x0102030405060708ULL;
  EXPECT_EQ(cells_of(ring).histograms[0].exemplar.trace_id[1], 2);
  h.exemplar.seq = 3;
  EXPECT_FALSE(cells_of(ring).histograms[0].exemplar.present) << "it is being changed";
}

TEST(RingCells, BlockOfAnImpossibleSize) {
  for (const std::uint32_t bytes : {0U, 63U, 65U, 32U, 0xffffffc0U, 1U << 20}) {
    TestRing ring;
    std::uint8_t* at = ring.block(BlockType::slab, 64, 0, 0, 0);
    std::memcpy(at, &bytes, sizeof bytes);
    EXPECT_TRUE(is_refused(ring)) << bytes;
  }
}
TEST(RingCells, SlabWithMoreCellsThanFit) {
  TestRing ring;
  (void)ring.block(BlockType::slab, 128, 0, 0, 9);
  EXPECT_TRUE(is_refused(ring));
}
TEST(RingCells, HistogramBlockTooSmall) {
  TestRing ring;
  (void)ring.block(BlockType::histogram, 128, 0, 0, 0);
  EXPECT_TRUE(is_refused(ring));
}
TEST(RingCells, UnknownBlock) {
  TestRing ring;
  (void)ring.block(static_cast<BlockType>(9), 64, 0, 0, 0);
  EXPECT_TRUE(is_refused(ring));
}
TEST(RingCells, CellsThatEndInTheMiddleOfABlock) {
  TestRing ring;
  (void)ring.slab(0, 0, 4);
  ring.header().cells_used = 72;
  EXPECT_TRUE(is_refused(ring));
}
TEST(RingCells, ABadBankCostsItsHistogramOnly) {
  for (const std::uint32_t bank : {64U, TestRing::kCellsBytes == 0 ? 0U : 1U << 20, 0x3fffffc0U}) {
    TestRing ring;
    ring.slab(0, 0, 1)[0] = 5;  // at 0: not a bank
    HistogramBlock& h = ring.histogram(0, 1);
    h.bank = make_bank_word(bank, 0, 0);
    const CellSnapshot cells = cells_of(ring);
    EXPECT_EQ(cells.skipped, 1U);
    EXPECT_EQ(cells.scalars.size(), 1U);
    EXPECT_TRUE(cells.histograms.empty());
  }
}
TEST(RingCells, BankWithMoreBucketsThanAny) {
  TestRing ring;
  HistogramBlock& h = ring.histogram(0, 1);
  std::uint32_t offset = 0;
  (void)ring.bank(kHistogramBucketsMax + 1, offset);
  h.bank = make_bank_word(offset, 0, 0);
  EXPECT_EQ(cells_of(ring).skipped, 1U);
}
TEST(RingCells, ManyHistogramsOfOneBankDoNotUnfold) {
  TestRing ring;
  std::uint32_t offset = 0;
  (void)ring.slab(0, 0, 1);
  std::uint32_t* buckets = ring.bank(320, offset);
  std::fill(buckets, buckets + 320, 1U);
  for (int i = 0; i < 40; ++i) ring.histogram(0, 1).bank = make_bank_word(offset, 0, 0);
  const CellSnapshot cells = cells_of(ring);
  EXPECT_LE(cells.histograms.size() * 320, ring.header().cells_used / 4);
  EXPECT_EQ(cells.histograms.size() + cells.skipped, 40U);
}

// A writer that moves from bank to bank, spoiling the one it left: the sketch is always of one bank as a whole.
TEST(RingCells, ABankThatIsExchangedMeanwhileIsReadAgain) {
  TestRing ring;
  HistogramBlock& h = ring.histogram(0, 0);
  std::uint32_t offsets[2];
  std::uint32_t* banks[2] = {ring.bank(320, offsets[0]), ring.bank(320, offsets[1])};
  const auto reader = ring.reader();
  std::atomic<bool> stop{false};
  std::atomic<std::uint32_t> turns{0};
  std::jthread writer([&] {
    for (std::uint32_t turn = 1; !stop.load(); ++turn) {
      const std::uint32_t i = turn & 1;
      // Every bucket of a turn's bank holds the number of the turn, which is also the base of its word.
      for (std::uint32_t b = 0; b < 320; ++b)
        std::atomic_ref<std::uint32_t>(banks[i][b]).store(turn & 0x3fffff, std::memory_order_relaxed);
      h.bank.store(make_bank_word(offsets[i], 0, static_cast<std::int32_t>(turn & 0x3fffff)),
                   std::memory_order_release);
      turns.store(turn);
    }
  });
  const StopAtEnd at_end{stop};
  while (turns.load() == 0) std::this_thread::yield();
  std::size_t read = 0;
  for (int i = 0; i < 20'000; ++i) {
    CellSnapshot cells;
    ASSERT_TRUE(reader->refresh());
    ASSERT_TRUE(reader->read_cells(cells));
    if (cells.histograms.empty()) continue;
    ++read;
    const Sketch& sketch = cells.histograms[0].sketch;
    ASSERT_EQ(sketch.buckets.size(), 320U);
    for (const std::uint64_t bucket : sketch.buckets) ASSERT_EQ(bucket, static_cast<std::uint64_t>(sketch.offset));
  }
  EXPECT_GT(read, 0U);
}

// ---- open spans

void open_span(TestRing& ring, std::uint32_t chunk, std::uint32_t i, std::uint64_t span, const TestItems& items) {
  SpanSlot& slot = ring.span_slot(chunk, i);
  SpanRecord r{};
  r.header.type = RecordType::span;
  r.header.name = 3;
  r.header.flags = kFlagKept;
  r.start = 5;
  r.span = span;
  std::memcpy(slot.bytes, &r, sizeof r);
  std::copy(items.bytes().begin(), items.bytes().end(), slot.bytes + sizeof r);
  slot.extent = make_extent(static_cast<std::uint32_t>(sizeof r + items.bytes().size()), 0);
  slot.word = static_cast<std::uint64_t>(SpanSlotState::open);
}
void go_on(SpanSlot& slot, std::uint32_t next) { slot.extent = make_extent(span_slot_used_of(slot.extent), next); }
std::vector<OpenSpan> open_spans_of(TestRing& ring) {
  std::vector<OpenSpan> spans;
  EXPECT_TRUE(ring.reader()->read_open_spans(spans));
  return spans;
}

TEST(RingOpenSpans, ASpanIsReadAsItsEndWouldHaveWrittenIt) {
  TestRing ring;
  ring.carve(2, 1);
  open_span(ring, 2, 5, 77, TestItems().text(1, "abc"));
  const auto spans = open_spans_of(ring);
  ASSERT_EQ(spans.size(), 1U);
  EXPECT_EQ(spans[0].slot, 1U);
  EXPECT_FALSE(spans[0].ending);
  RecordCursor cursor(spans[0].record);
  RawRecord raw;
  ASSERT_TRUE(cursor.next(raw));
  SpanEvent e;
  ASSERT_TRUE(decode_span({}, ring.reader()->tick_scale(), raw, {}, e));
  EXPECT_TRUE(e.unfinished);
  EXPECT_EQ(e.span, 77U);
  EXPECT_EQ(e.duration_ns, 0);
  ItemCursor items(e.items);
  Item item;
  ASSERT_TRUE(items.next(item));
  EXPECT_EQ(item.text(), "abc");
  EXPECT_FALSE(items.next(item));
}
TEST(RingOpenSpans, AChainGoesOnInOtherChunks) {
  TestRing ring;
  ring.carve(2, 1);
  ring.carve(6, 1);
  open_span(ring, 2, 0, 1, TestItems().text(1, "first"));
  const TestItems more = TestItems().text(2, std::string(300, 'x')).integer(3, 9);
  SpanSlot& second = ring.span_slot(6, 3);
  std::memcpy(second.bytes, more.bytes().data(), more.bytes().size());
  second.extent = make_extent(static_cast<std::uint32_t>(more.bytes().size()), 0);
  second.word = static_cast<std::uint64_t>(SpanSlotState::chained);
  go_on(ring.span_slot(2, 0), 1 + 6 * (kChunkBytesSmall / kSpanSlotBytes) + 3);
  const auto spans = open_spans_of(ring);
  ASSERT_EQ(spans.size(), 1U);
  RecordCursor cursor(spans[0].record);
  RawRecord raw;
  ASSERT_TRUE(cursor.next(raw));
  ItemCursor items(raw.items);
  int count = 0;
  for (Item item; items.next(item);) ++count;
  EXPECT_EQ(count, 3);
}
TEST(RingOpenSpans, AnEndingSpanSaysWhichRecordItBecomes) {
  TestRing ring;
  ring.carve(0, 0);
  open_span(ring, 0, 0, 1, {});
  ring.span_slot(0, 0).word = static_cast<std::uint64_t>(SpanSlotState::ending);
  ring.span_slot(0, 0).ending_at = (std::uint64_t{3 + 1} << 48) | 1234;
  const auto spans = open_spans_of(ring);
  ASSERT_EQ(spans.size(), 1U);
  EXPECT_TRUE(spans[0].ending);
  EXPECT_EQ(spans[0].ending_slot, 3U);
  EXPECT_EQ(spans[0].ending_ordinal, 1234U);
}
TEST(RingOpenSpans, SlotsOutsideOfCarvedChunksAreNoSpans) {
  TestRing ring;
  open_span(ring, 1, 0, 1, {});
  EXPECT_TRUE(open_spans_of(ring).empty());
  ring.carve(1, 0);
  EXPECT_EQ(open_spans_of(ring).size(), 1U);
}
TEST(RingOpenSpans, ChainsThatLoopOrLeaveTheRingEnd) {
  for (const std::uint32_t next : {1U, 2U, 0xffffffffU, 1U + 8U * 32U}) {
    TestRing ring;
    ring.carve(0, 0);
    open_span(ring, 0, 0, 1, {});
    SpanSlot& second = ring.span_slot(0, 1);
    second.word = static_cast<std::uint64_t>(SpanSlotState::chained);
    go_on(second, next);
    go_on(ring.span_slot(0, 0), 2);
    EXPECT_EQ(open_spans_of(ring).size(), 1U);
  }
}
TEST(RingOpenSpans, DamagedContentIsCutAtTheLastWholeItem) {
  TestRing ring;
  ring.carve(0, 0);
  open_span(ring, 0, 0, 1, TestItems().integer(1, 5).integer(2, 6));
  SpanSlot& slot = ring.span_slot(0, 0);
  slot.bytes[sizeof(SpanRecord) + 12 + 3] = 0xff;  // the second item says that it is longer than all
  const auto spans = open_spans_of(ring);
  ASSERT_EQ(spans.size(), 1U);
  SpanRecord head;
  std::memcpy(&head, spans[0].record.data(), sizeof head);
  EXPECT_EQ(head.items, 1U);
  slot.extent = make_extent(0xffffffff, 0);
  EXPECT_EQ(open_spans_of(ring).size(), 1U);
  slot.extent = make_extent(10, 0);
  EXPECT_TRUE(open_spans_of(ring).empty()) << "less than a span";
}

}  // namespace
}  // namespace honeylink::telemetry::ring
