// RingReader on rings built by hand: what a sound ring says, and what happens when directory, slots or chunks are wrong
// or move.
#include "ring/reader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "ring/test_ring.h"

namespace honeylink::telemetry::ring {
namespace {

std::vector<std::uint8_t> a_log(std::uint32_t name) {
  LogRecord r{};
  r.header.name = name;
  return test_record(r);
}
std::vector<std::uint8_t> a_span(std::uint32_t name, std::uint8_t flags) {
  SpanRecord r{};
  r.header.name = name;
  r.header.flags = flags;
  r.start = 1000, r.end = 3000;
  return test_record(r);
}

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

// ---- header, live words, directory

TEST(RingReader, TellsWhoseRingItIs) {
  TestRing ring;
  const auto reader = ring.reader();
  EXPECT_EQ(reader->source().pid, static_cast<std::uint64_t>(getpid()));
  EXPECT_EQ(reader->source().ring_id[3], 3);
  EXPECT_EQ(reader->source().started_unix_ns, ring.header().created.realtime_ns);
  EXPECT_TRUE(reader->same_boot());
  ring.header().boot_id[0] ^= 1;
  EXPECT_FALSE(ring.reader()->same_boot());
}

TEST(RingReader, LiveWordsFollowTheProcess) {
  TestRing ring;
  const auto reader = ring.reader();
  ring.header().counters[2] = 5;
  ring.header().no_slot[1] = 6;
  ring.header().flush_request = 7;
  ASSERT_TRUE(reader->refresh());
  EXPECT_EQ(reader->live().counters[2], 5U);
  EXPECT_EQ(reader->live().no_slot[1], 6U);
  EXPECT_EQ(reader->live().flush_request, 7U);
  EXPECT_FALSE(reader->live().clean);
  ring.header().clean = 1;
  ring.header().unlinked[0].accepted[2] = 9;
  ring.header().unlinked_count = ~std::uint64_t{0};  // hostile: bounded by the array
  ASSERT_TRUE(reader->refresh());
  EXPECT_TRUE(reader->live().clean);
  ASSERT_EQ(reader->live().unlinked.size(), kUnlinkedRings);
  EXPECT_EQ(reader->live().unlinked[0].accepted[2], 9U);
}

TEST(RingReader, DirectoryIsReadOnwardFromWhereItStopped) {
  TestRing ring;
  const auto reader = ring.reader();
  ring.text(1, "service.name");
  ring.text(2, "peer");
  ASSERT_TRUE(reader->refresh());
  EXPECT_EQ(reader->source().text(0), "_other");
  EXPECT_EQ(reader->source().text(2), "peer");
  EXPECT_EQ(reader->source().text(3), "_unknown");
  ring.text(3, "app.requests");
  ring.text(4, "{request}");
  ring.text(5, "http");
  ring.scope(0, 5, 0, 0);
  ring.resource(TestItems().text(1, "shop").integer(2, -4));
  ring.series(7, InstrumentKind::counter, {3, 4, 0, 0}, TestItems().text(5, "z").boolean(2, true).integer(1, 12));
  ASSERT_TRUE(reader->refresh()) << reader->why();
  EXPECT_EQ(reader->source().resource.service_name, "shop");
  ASSERT_EQ(reader->source().resource.more.size(), 1U);
  EXPECT_EQ(reader->source().resource.more[0].second, "-4");
  ASSERT_EQ(reader->series().size(), 8U);
  const SeriesInfo& info = reader->series()[7].info;
  EXPECT_EQ(info.name, "app.requests");
  EXPECT_EQ(info.unit, "{request}");
  EXPECT_EQ(info.scope_name, "http");
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(info.labels, (Pairs{{"http", "z"}, {"peer", "true"}, {"service.name", "12"}}));  // sorted by key
}

TEST(RingReader, InvalidUtf8InNamesIsReplaced) {
  TestRing ring;
  ring.text(1,
            "a\xff"
            "b");
  const auto reader = ring.reader();
  ASSERT_TRUE(reader->refresh());
  EXPECT_EQ(reader->source().text(1),
            "a\xef\xbf\xbd"
            "b");
}

TEST(RingReader, DamagedDirectoryKeepsWhatCameBefore) {
  const std::uint32_t sizes[] = {0, 8, 12, 17, 0x7fffffff, 0xfffffff8, 4096 * 5};
  for (const std::uint32_t bytes : sizes) {
    TestRing ring;
    ring.text(1, "before");
    const std::uint64_t at = ring.header().directory_used;
    ring.text(2, "damaged");
    std::memcpy(ring.directory() + at, &bytes, sizeof bytes);
    const auto reader = ring.reader();
    EXPECT_FALSE(reader->refresh());
    EXPECT_SAYS(reader->why(), "directory is damaged");
    EXPECT_EQ(reader->source().text(1), "before");
    EXPECT_EQ(reader->source().text(2), "_unknown");
    EXPECT_FALSE(reader->refresh()) << "damage does not heal";
  }
}
TEST(RingReader, DirectoryPayloadLongerThanItsEntry) {
  TestRing ring;
  const EntryHeader head{24, EntryType::text, 0, 0, 1, 9};
  std::memcpy(ring.directory(), &head, sizeof head);
  ring.header().directory_used = 24;
  EXPECT_FALSE(ring.reader()->refresh());
}
TEST(RingReader, DirectoryIdsBeyondTheirBounds) {
  for (const auto type :
       {EntryType::text, EntryType::scope, EntryType::series, static_cast<EntryType>(5), static_cast<EntryType>(0)}) {
    TestRing ring;
    const std::uint8_t zeros[32]{};
    ring.entry(type, 0, 0, 65536, zeros, sizeof zeros);
    EXPECT_FALSE(ring.reader()->refresh());
  }
}
TEST(RingReader, SeriesThatUnfoldBeyondAllBounds) {
  TestRing ring;
  ring.text(1, std::string(8000, 'x'));
  TestItems labels;
  for (int i = 0; i < 100; ++i) labels.boolean(1, true);
  for (std::uint32_t i = 0; i < 4; ++i) ring.series(i, InstrumentKind::gauge, {1, 1, 1, 0}, labels);
  const auto reader = ring.reader();
  EXPECT_TRUE(reader->refresh()) << "3.3 MB are under 256 times a directory of 16 KB";
  ring.series(4, InstrumentKind::gauge, {1, 1, 1, 0}, labels);
  ring.series(5, InstrumentKind::gauge, {1, 1, 1, 0}, labels);
  EXPECT_FALSE(reader->refresh());
  EXPECT_SAYS(reader->why(), "directory is damaged");
}
TEST(RingReader, UsedBeyondTheArea) {
  TestRing ring;
  const auto reader = ring.reader();
  ring.header().directory_used = TestRing::kDirectoryBytes + 1;
  EXPECT_FALSE(reader->refresh());
  ring.header().directory_used = 0;
  ring.header().cells_used = TestRing::kCellsBytes + 1;
  EXPECT_FALSE(reader->refresh());
  CellSnapshot cells;
  EXPECT_TRUE(reader->read_cells(cells));
  EXPECT_TRUE(cells.scalars.empty());
}
TEST(RingReader, UsedBeyondTheAreaOfATruncatedFileIsNotAllocated) {
  TestRing ring;
  const auto reader = ring.reader();
  ring.header().cells_used = std::uint64_t{1} << 40;
  ASSERT_EQ(ftruncate(ring.fd(), 2 * kPageBytes), 0);
  EXPECT_FALSE(reader->refresh());
  EXPECT_EQ(reader->live().cells_used, 0U);
  CellSnapshot cells;
  EXPECT_TRUE(reader->read_cells(cells)) << "of no bytes";
}
TEST(RingReader, TruncatedWhileOpenIsAnErrorAndNoSignal) {
  TestRing ring;
  const auto reader = ring.reader();
  ASSERT_EQ(ftruncate(ring.fd(), 2 * kPageBytes), 0);
  std::vector<ChunkView> chunks;
  EXPECT_FALSE(reader->read_chunks(chunks));
  EXPECT_SAYS(reader->why(), "truncated");
  EXPECT_FALSE(reader->refresh());
}

// ---- slots and chunks

TEST(RingReader, SlotsShowTheSealedTotalsOfTheirSealSequence) {
  TestRing ring;
  ring.take(0, 2);
  ring.seal(0, 3, 2, 1);
  ring.slot(2).totals[0][0] = 99;  // the pair that is being prepared
  ring.slot(2).tid = 77;
  std::vector<SlotView> slots;
  ASSERT_TRUE(ring.reader()->read_slots(slots));
  ASSERT_EQ(slots.size(), TestRing::kSlots);
  EXPECT_TRUE(slots[2].used);
  EXPECT_FALSE(slots[1].used);
  EXPECT_EQ(slots[2].tid, 77U);
  EXPECT_EQ(slots[2].sealed_total(), 6U);
  EXPECT_EQ(slots[2].sealed[1], 2U);
}

TEST(RingReader, AChunkGivesItsRecordsWithTheirOrdinals) {
  TestRing ring;
  ring.take(1, 0);
  ring.append(1, a_span(4, kFlagKept));
  ring.append(1, a_log(5));
  ring.seal(1, 1, 0, 1);
  ring.take(3, 0);
  ring.append(3, a_span(6, 0));
  const auto reader = ring.reader();
  std::vector<ChunkView> chunks;
  ASSERT_TRUE(reader->read_chunks(chunks));
  EXPECT_EQ(chunks[1].state, ChunkState::full);
  EXPECT_EQ(chunks[3].state, ChunkState::owned);
  EXPECT_EQ(chunks[0].state, ChunkState::free);
  EXPECT_LT(chunks[1].seq, chunks[3].seq);
  EXPECT_EQ(chunks[3].first_total(), 2U);
  ChunkCopy copy;
  bool moved = true;
  ASSERT_TRUE(reader->copy_chunk(chunks[1], copy, moved));
  EXPECT_TRUE(copy.full);
  RecordCursor cursor(copy.bytes);
  RawRecord record;
  ASSERT_TRUE(cursor.next(record));
  EXPECT_EQ(record.record_class, RecordClass::kept_span);
  ASSERT_TRUE(cursor.next(record));
  EXPECT_EQ(record.record_class, RecordClass::log);
  EXPECT_FALSE(cursor.next(record));
  EXPECT_FALSE(cursor.damaged());
  ASSERT_TRUE(reader->copy_chunk(chunks[3], copy, moved));
  EXPECT_FALSE(copy.full);
  EXPECT_EQ(copy.view.first_total(), 2U);
}

TEST(RingReader, GenerationMovedBeforeCopying) {
  TestRing ring;
  ring.take(0, 0);
  ring.seal(0, 0, 0, 0);
  const auto reader = ring.reader();
  std::vector<ChunkView> chunks;
  ASSERT_TRUE(reader->read_chunks(chunks));
  ring.take(0, 1);
  ChunkCopy copy;
  bool moved = false;
  EXPECT_FALSE(reader->copy_chunk(chunks[0], copy, moved));
  EXPECT_TRUE(moved);
}
// A writer that steals its only chunk again and again: a copy is of one generation, header and bytes, or it is none.
TEST(RingReader, GenerationMovedWhileCopying) {
  TestRing ring;
  const auto reader = ring.reader();
  std::atomic<bool> stop{false};
  std::atomic<std::uint32_t> generations{0};
  std::jthread writer([&] {
    constexpr std::uint32_t kWords = 2000;
    auto* words = reinterpret_cast<std::uint64_t*>(ring.chunk_data(0));
    for (std::uint32_t generation = 1; !stop.load(); ++generation) {
      ChunkHeader& c = ring.chunk(0);
      c.word.store(make_word(generation, 0, ChunkState::claim));
      c.first[0].store(generation, std::memory_order_relaxed);
      c.committed.store(0, std::memory_order_relaxed);
      c.word.store(make_word(generation, 0, ChunkState::owned), std::memory_order_release);
      for (std::uint32_t i = 0; i < kWords; ++i) {
        std::atomic_ref<std::uint64_t>(words[i]).store(generation, std::memory_order_relaxed);
        if (i % 100 == 99) c.committed.store((i + 1) * 8, std::memory_order_release);
      }
      c.word.store(make_word(generation, 0, ChunkState::full), std::memory_order_release);
      generations.store(generation);
      // Lingers, so that a reader that began with OWNED also finds FULL.
      for (int i = 0; i < 6000 && !stop.load(std::memory_order_relaxed); ++i) {}
    }
  });
  const StopAtEnd at_end{stop};
  while (generations.load() == 0) std::this_thread::yield();
  std::size_t whole = 0, taken = 0;
  for (int round = 0; round < 400'000 && (round < 20'000 || whole == 0 || taken == 0); ++round) {
    std::vector<ChunkView> chunks;
    ChunkCopy copy;
    bool moved = false;
    ASSERT_TRUE(reader->read_chunks(chunks));
    if (!reader->copy_chunk(chunks[0], copy, moved)) {
      ASSERT_TRUE(moved) << reader->why();
      ++taken;
      continue;
    }
    ++whole;
    ASSERT_EQ(copy.view.first[0], copy.view.generation);
    ASSERT_TRUE(!copy.full || copy.bytes.size() == 16'000) << "what is FULL is FULL to its last record";
    for (std::size_t at = 0; at < copy.bytes.size(); at += 8) {
      std::uint64_t word;
      std::memcpy(&word, &copy.bytes[at], sizeof word);
      ASSERT_EQ(word, copy.view.generation);
    }
  }
  EXPECT_GT(whole, 0U);
  EXPECT_GT(taken, 0U);
}
TEST(RingReader, ClaimedFreeAndCarvedChunksAreNotCopied) {
  TestRing ring;
  const auto reader = ring.reader();
  for (const auto state : {ChunkState::free, ChunkState::claim, ChunkState::slots, static_cast<ChunkState>(77)}) {
    ring.chunk(0).word = make_word(1, 0, state);
    std::vector<ChunkView> chunks;
    ASSERT_TRUE(reader->read_chunks(chunks));
    ChunkCopy copy;
    bool moved = false;
    EXPECT_FALSE(reader->copy_chunk(chunks[0], copy, moved));
    EXPECT_TRUE(moved);
  }
}
TEST(RingReader, CommittedLengthBeyondTheChunk) {
  TestRing ring;
  ring.take(0, 0);
  ring.chunk(0).committed = kChunkBytesSmall + 8;
  const auto reader = ring.reader();
  std::vector<ChunkView> chunks;
  ASSERT_TRUE(reader->read_chunks(chunks));
  ChunkCopy copy;
  bool moved = true;
  EXPECT_FALSE(reader->copy_chunk(chunks[0], copy, moved));
  EXPECT_FALSE(moved);
  EXPECT_SAYS(reader->why(), "more than fits");
}
TEST(RingReader, NoSuchChunk) {
  TestRing ring;
  ChunkView view;
  view.index = TestRing::kChunks;
  ChunkCopy copy;
  bool moved = true;
  EXPECT_FALSE(ring.reader()->copy_chunk(view, copy, moved));
  EXPECT_FALSE(moved);
}

TEST(RingReader, ReleaseSaysTheGenerationAndNothingElse) {
  TestRing ring;
  ring.take(5, 0);
  ring.seal(5, 0, 0, 0);
  const std::uint64_t word = ring.chunk(5).word;
  const auto reader = ring.reader();
  ASSERT_TRUE(reader->release_chunk(5, 1));
  EXPECT_EQ(ring.chunk(5).released, 1U);
  EXPECT_EQ(ring.chunk(5).word, word);
  EXPECT_FALSE(reader->release_chunk(TestRing::kChunks, 1));
  EXPECT_FALSE(reader->release_chunk(5, 0)) << "0 says that none is released";
  ASSERT_TRUE(reader->acknowledge_flush(12));
  EXPECT_EQ(ring.header().flush_done, 12U);
  ASSERT_TRUE(reader->set_tick_epoch(13));
  EXPECT_EQ(ring.header().tick_epoch, 13U);
}
TEST(RingReader, AReaderThatOnlyLooksWritesNothing) {
  TestRing ring;
  std::string why;
  const auto reader = RingReader::open(ring.open(O_RDONLY), "r", false, why);
  ASSERT_NE(reader, nullptr);
  EXPECT_FALSE(reader->release_chunk(0, 1));
  EXPECT_FALSE(reader->acknowledge_flush(1));
  EXPECT_FALSE(reader->set_tick_epoch(1));
}

TEST(RingReader, AcceptedIsSealedPlusTheOpenChunk) {
  TestRing ring;
  ring.take(0, 0);
  ring.append(0, a_log(1));
  ring.seal(0, 0, 0, 1);
  ring.take(1, 0);
  ring.append(1, a_span(1, kFlagKept));
  ring.append(1, a_span(1, 0));
  ring.take(2, 1);
  ring.append(2, a_log(1));
  ring.slot(1).seal_seq = 1;  // sealed, and killed before FULL was stored: the chunk's records are in the totals
  ring.slot(1).totals[1][2] = 1;
  std::uint64_t accepted[kClasses];
  ASSERT_TRUE(ring.reader()->read_accepted(accepted));
  EXPECT_EQ(accepted[0], 1U);
  EXPECT_EQ(accepted[1], 1U);
  EXPECT_EQ(accepted[2], 2U);
}

TEST(RingReader, ALockedRingIsAliveAndADeadOneIsNot) {
  TestRing ring;
  const auto reader = ring.reader();
  EXPECT_FALSE(reader->process_alive());
  void* page = hold_lock(ring.open());
  ASSERT_NE(page, nullptr);
  EXPECT_TRUE(reader->process_alive());
  release_process_lock(page);
  EXPECT_FALSE(reader->process_alive());
}

}  // namespace
}  // namespace honeylink::telemetry::ring
