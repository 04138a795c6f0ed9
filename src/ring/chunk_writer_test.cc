// ChunkWriter on a ring of memory: which chunk is taken, which never is, and that ordinals account for every record.
#include "ring/chunk_writer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <thread>
#include <vector>

#include "base/limits.h"
#include "ring/ring_map.h"

namespace honeylink::telemetry::ring {
namespace {

class Writing : public ::testing::Test {
 protected:
  explicit Writing(std::uint64_t bytes = kRingBytesMin) : memory_(bytes / 64 + 64) {
    auto at = reinterpret_cast<std::uintptr_t>(memory_.data());
    map_.base = reinterpret_cast<std::uint8_t*>((at + 4095) / 4096 * 4096);
    map_.geometry = plan_ring(bytes);
    map_.next_chunk = &next_;
    format_ring(map_, RingIdentity{});
  }
  struct Line {
    alignas(64) std::uint8_t bytes[64];
  };

  // One log record of `bytes`; its ordinal is what next_ordinal() said.
  static bool write(ChunkWriter& writer, std::uint32_t bytes, RecordClass record_class = RecordClass::log) {
    std::uint8_t* at = writer.reserve(bytes, record_class);
    if (at == nullptr) return false;
    std::memset(at, 0x5a, bytes);
    writer.publish(bytes, record_class);
    return true;
  }
  void fill_chunk(ChunkWriter& writer) {
    const std::uint64_t before = writer.switches();
    do ASSERT_TRUE(write(writer, 4096));
    while (writer.switches() == before);
  }
  [[nodiscard]] std::uint32_t count(ChunkState state) const {
    std::uint32_t n = 0;
    for (std::uint32_t i = 0; i < map_.geometry.chunk_count; ++i) n += state_of(map_.chunk(i).word) == state;
    return n;
  }
  [[nodiscard]] std::uint64_t sealed(std::uint32_t slot) const {
    const ThreadSlot& s = map_.slot(slot);
    std::uint64_t sum = 0;
    for (const auto& total : s.totals[s.seal_seq & 1]) sum += total;
    return sum;
  }
  [[nodiscard]] std::int64_t owned_by(std::uint32_t slot) const {
    for (std::uint32_t i = 0; i < map_.geometry.chunk_count; ++i)
      if (state_of(map_.chunk(i).word) == ChunkState::owned && slot_of(map_.chunk(i).word) == slot) return i;
    return -1;
  }

  std::vector<Line> memory_;
  RingMap map_;
  std::atomic<std::uint32_t> next_{0};
};

TEST_F(Writing, GeometryFitsAndDoesNotOverlap) {
  for (std::uint64_t bytes = kRingBytesMin; bytes <= kRingBytesMax; bytes = bytes * 5 / 3) {
    const Geometry g = plan_ring(bytes);
    EXPECT_LE(g.file_bytes, bytes);
    EXPECT_GE(g.slots_offset, kPageBytes);
    EXPECT_LE(g.slots_offset + g.slot_count * sizeof(ThreadSlot), g.chunk_headers_offset);
    EXPECT_LE(g.chunk_headers_offset + g.chunk_count * sizeof(ChunkHeader), g.directory_offset);
    EXPECT_GT(g.directory_bytes, 16'000u) << bytes;
    EXPECT_LE(g.directory_offset + g.directory_bytes, g.cells_offset);
    EXPECT_GT(g.cells_bytes, 40'000u);
    EXPECT_LE(g.cells_offset + g.cells_bytes, g.chunks_offset);
    EXPECT_EQ(g.chunks_offset + std::uint64_t{g.chunk_count} * g.chunk_bytes, g.file_bytes);
    EXPECT_EQ(std::gcd(g.chunk_step, g.chunk_count), 1U) << "not every chunk would be met";
  }
}

TEST_F(Writing, FreeChunksAreTakenBeforeAnyFullOne) {
  ChunkWriter writer;
  writer.attach(map_, 0);
  for (std::uint32_t i = 0; i < map_.geometry.chunk_count; ++i) fill_chunk(writer);
  EXPECT_EQ(count(ChunkState::full) + count(ChunkState::owned), map_.geometry.chunk_count);
  for (std::uint32_t i = 0; i < map_.geometry.chunk_count; ++i) EXPECT_EQ(generation_of(map_.chunk(i).word), 1u) << i;
}

TEST_F(Writing, WithoutAnEngineTheOldestGoesFirst) {
  ChunkWriter writer;
  writer.attach(map_, 0);
  for (std::uint32_t i = 0; i < 3 * map_.geometry.chunk_count; ++i) {
    std::uint64_t oldest = ~std::uint64_t{0};
    for (std::uint32_t c = 0; c < map_.geometry.chunk_count; ++c)
      if (state_of(map_.chunk(c).word) == ChunkState::full) oldest = std::min(oldest, map_.chunk(c).seq.load());
    const bool was_all = count(ChunkState::free) == 0;
    fill_chunk(writer);
    if (!was_all) continue;
    for (std::uint32_t c = 0; c < map_.geometry.chunk_count; ++c)
      EXPECT_NE(map_.chunk(c).seq, oldest) << "a newer chunk was taken";
  }
}

TEST_F(Writing, ReleasedChunksGoBeforeUnreleasedOlderOnes) {
  ChunkWriter writer;
  writer.attach(map_, 0);
  for (std::uint32_t i = 0; i < map_.geometry.chunk_count; ++i) fill_chunk(writer);
  std::uint32_t newest = 0;
  std::uint64_t seq = 0;
  for (std::uint32_t c = 0; c < map_.geometry.chunk_count; ++c)
    if (state_of(map_.chunk(c).word) == ChunkState::full && map_.chunk(c).seq > seq)
      seq = map_.chunk(c).seq, newest = c;
  map_.chunk(newest).released = generation_of(map_.chunk(newest).word);
  fill_chunk(writer);
  EXPECT_EQ(owned_by(0), newest);
}

TEST_F(Writing, AReleaseOfAnOlderGenerationIsNone) {
  ChunkWriter writer;
  writer.attach(map_, 0);
  for (std::uint32_t i = 0; i < 2 * map_.geometry.chunk_count; ++i) fill_chunk(writer);
  std::uint32_t newest = 0;
  std::uint64_t seq = 0;
  for (std::uint32_t c = 0; c < map_.geometry.chunk_count; ++c)
    if (state_of(map_.chunk(c).word) == ChunkState::full && map_.chunk(c).seq > seq)
      seq = map_.chunk(c).seq, newest = c;
  map_.chunk(newest).released = generation_of(map_.chunk(newest).word) - 1;
  fill_chunk(writer);
  EXPECT_NE(owned_by(0), newest);
}

TEST_F(Writing, OwnedAndSlotChunksAreNeverTaken) {
  const std::uint32_t chunks = map_.geometry.chunk_count;
  std::vector<ChunkWriter> writers(chunks - 1);
  for (std::uint32_t i = 0; i + 1 < chunks; ++i) {
    writers[i].attach(map_, i);
    ASSERT_TRUE(write(writers[i], 64));
  }
  const std::int64_t carved = ChunkWriter::claim_chunk(map_, 0);
  ASSERT_GE(carved, 0);
  map_.chunk(static_cast<std::uint32_t>(carved)).word = make_word(1, 0, ChunkState::slots);
  ChunkWriter late;
  late.attach(map_, chunks);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(write(late, 64));
  EXPECT_EQ(count(ChunkState::owned), chunks - 1);
  EXPECT_EQ(count(ChunkState::slots), 1u);
  EXPECT_EQ(sealed(chunks), 10u) << "drops by arithmetic";
}

TEST_F(Writing, TheNextHolderOfASlotGoesOnCounting) {
  std::uint64_t expected = 0;
  for (int holder = 0; holder < 50; ++holder) {
    ChunkWriter writer;
    writer.attach(map_, 3);
    EXPECT_EQ(writer.next_ordinal(), expected);
    for (int i = 0; i < 7; ++i, ++expected) ASSERT_TRUE(write(writer, 512, static_cast<RecordClass>(i % 3)));
    writer.detach();
    writer.detach();
    EXPECT_EQ(sealed(3), expected);
    EXPECT_EQ(count(ChunkState::owned), 0u);
  }
}

TEST_F(Writing, AChunkSaysWithWhichOrdinalsItBegins) {
  ChunkWriter writer;
  writer.attach(map_, 0);
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(write(writer, 8192, RecordClass::kept_span));
  const auto own = owned_by(0);
  ASSERT_GE(own, 0);
  const ChunkHeader& chunk = map_.chunk(static_cast<std::uint32_t>(own));
  EXPECT_EQ(chunk.first[0] + chunk.committed / 8192, 9u);
  EXPECT_EQ(chunk.first[1] + chunk.first[2], 0u);
  EXPECT_EQ(sealed(0), chunk.first[0]);
}

TEST_F(Writing, ManyThreadsAccountForEveryRecord) {
  constexpr int kThreads = 16, kTimes = 20'000;  // more threads than chunks
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < kThreads; ++t)
    threads.emplace_back([this, t] {
      ChunkWriter writer;
      writer.attach(map_, t);
      for (int i = 0; i < kTimes; ++i) (void)write(writer, 200);
      writer.detach();
    });
  for (auto& thread : threads) thread.join();
  for (std::uint32_t t = 0; t < kThreads; ++t) EXPECT_EQ(sealed(t), static_cast<std::uint64_t>(kTimes));
  EXPECT_EQ(count(ChunkState::owned) + count(ChunkState::claim), 0u);
  std::uint64_t highest = 0;
  for (std::uint32_t c = 0; c < map_.geometry.chunk_count; ++c) {
    EXPECT_EQ(map_.chunk(c).committed % 200, 0u);
    highest = std::max(highest, map_.chunk(c).seq.load());
  }
  EXPECT_EQ(highest + 1, map_.header().next_seq);
}

TEST_F(Writing, TheDirectoryAndTheCellsRefuseWhatDoesNotFit) {
  const std::vector<std::uint8_t> text(1000);
  std::uint32_t entries = 0;
  while (append_entry(map_, EntryType::text, 0, 0, entries, text)) ++entries;
  EXPECT_EQ(entries, map_.geometry.directory_bytes / 1016);
  EXPECT_LE(map_.header().directory_used, map_.geometry.directory_bytes);
  std::uint32_t blocks = 0;
  while (append_block(map_, BlockType::slab, 1000, 0, 0, 1) != nullptr) ++blocks;
  EXPECT_EQ(blocks, map_.geometry.cells_bytes / 1024);
}

}  // namespace
}  // namespace honeylink::telemetry::ring
