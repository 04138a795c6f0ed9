// Geometry, formatting and the two append-only areas of a ring, for every size that a recorder may ask for.
#include "ring/ring_map.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "base/limits.h"

namespace honeylink::telemetry::ring {
namespace {

std::vector<std::uint64_t> sizes() {
  std::vector<std::uint64_t> all;
  for (std::uint64_t bytes = kRingBytesMin; bytes <= kRingBytesMax; bytes += bytes / 3) all.push_back(bytes);
  all.insert(all.end(), {kRingBytesDefault, kRingBytesMax, kRingBytesMin + 1, (1U << 20) - 1, 1U << 20});
  return all;
}

TEST(RingMap, AreasFollowEachOtherWithoutOverlapAtEverySize) {
  for (const std::uint64_t bytes : sizes()) {
    const Geometry g = plan_ring(bytes);
    EXPECT_LE(g.file_bytes, bytes);
    EXPECT_GT(g.file_bytes + kPageBytes, bytes);
    EXPECT_GE(g.slots_offset, sizeof(Header));
    EXPECT_GE(g.chunk_headers_offset, g.slots_offset + g.slot_count * sizeof(ThreadSlot));
    EXPECT_GE(g.directory_offset, g.chunk_headers_offset + g.chunk_count * sizeof(ChunkHeader));
    EXPECT_EQ(g.cells_offset, g.directory_offset + g.directory_bytes);
    EXPECT_GE(g.chunks_offset, g.cells_offset + g.cells_bytes);
    EXPECT_EQ(g.file_bytes, g.chunks_offset + std::uint64_t{g.chunk_count} * g.chunk_bytes) << bytes;
    EXPECT_EQ(g.chunks_offset % kPageBytes, 0U) << bytes;
    EXPECT_EQ(g.cells_offset % kPageBytes, 0U) << bytes;
    EXPECT_GE(g.chunk_count, 8U) << "fewer chunks than threads of a small program: " << bytes;
    EXPECT_GE(g.directory_bytes, 16U * 1024) << bytes;
    EXPECT_LT(g.cells_offset + g.cells_bytes - g.cells_offset, std::uint64_t{1} << 32)
        << "offsets of cells are 32 bits";
  }
}

TEST(RingMap, TheDefaultIsSevenTenthsRecordsAndAFifthCells) {
  const Geometry g = plan_ring(kRingBytesDefault);
  EXPECT_EQ(g.file_bytes, 10'485'760U);
  EXPECT_EQ(std::uint64_t{g.chunk_count} * g.chunk_bytes, 224U * 32768);
  EXPECT_EQ(g.cells_bytes, 2U * 1024 * 1024);
  EXPECT_GE(g.slot_count, g.chunk_count);
}

class Mapped : public testing::Test {
 protected:
  explicit Mapped(std::uint64_t bytes = kRingBytesMin) : memory_(bytes / sizeof(std::uint64_t)) {
    map_.base = reinterpret_cast<std::uint8_t*>(memory_.data());
    map_.geometry = plan_ring(bytes);
    identity_.pid = 4711;
    identity_.ring_id[3] = 7;
    identity_.clock_source = ClockSource::monotonic_ns;
    format_ring(map_, identity_);
  }
  std::vector<std::uint64_t> memory_;
  RingMap map_;
  RingIdentity identity_{};
};

TEST_F(Mapped, TheHeaderSaysWhatTheGeometrySays) {
  const Header& h = map_.header();
  EXPECT_EQ(h.magic, kMagic);
  EXPECT_EQ(h.version, kVersion);
  EXPECT_EQ(h.file_bytes, map_.geometry.file_bytes);
  EXPECT_EQ(h.directory_offset, map_.geometry.directory_offset);
  EXPECT_EQ(h.chunks_offset, map_.geometry.chunks_offset);
  EXPECT_EQ(h.pid, 4711U);
  EXPECT_EQ(h.ring_id[3], 7);
  EXPECT_EQ(h.clean, 0U);
  for (std::uint32_t i = 0; i < map_.geometry.chunk_count; ++i)
    EXPECT_EQ(state_of(map_.chunk(i).word), ChunkState::free);
}

TEST_F(Mapped, TheDirectoryTakesEntriesUntilItIsFullAndNeverAByteMore) {
  const std::vector<std::uint8_t> guard(map_.cells(), map_.cells() + 64);
  const std::uint8_t text[] = "a text of some length";
  std::uint32_t entries = 0;
  while (append_entry(map_, EntryType::text, 1, 2, entries, text)) ++entries;
  EXPECT_EQ(entries, map_.geometry.directory_bytes / ((sizeof(EntryHeader) + sizeof text + 7) / 8 * 8));
  EXPECT_FALSE(has_room(map_, sizeof text));
  const std::uint64_t used = map_.header().directory_used;
  EXPECT_FALSE(append_entry(map_, EntryType::text, 1, 2, entries, text));
  EXPECT_EQ(map_.header().directory_used, used) << "a refused entry is not begun";
  EXPECT_EQ(std::memcmp(guard.data(), map_.cells(), guard.size()), 0);
  EntryHeader last;
  const std::uint64_t each = used / entries;
  std::memcpy(&last, map_.directory() + used - each, sizeof last);
  EXPECT_EQ(last.id, entries - 1);
}

TEST_F(Mapped, HasRoomAnswersAsAppendEntryDoes) {
  for (std::size_t left = map_.geometry.directory_bytes; left > 0;) {
    const std::size_t payload = left > 4096 ? 4000 : left / 2;
    const std::vector<std::uint8_t> bytes(payload);
    const bool room = has_room(map_, payload);
    ASSERT_EQ(append_entry(map_, EntryType::text, 0, 0, 1, bytes), room) << left;
    if (!room) break;
    left = map_.geometry.directory_bytes - map_.header().directory_used;
  }
  EXPECT_FALSE(has_room(map_, 0x10000)) << "an entry's length is 16 bits";
}

TEST_F(Mapped, HeadAndTailOfAnEntryStandBesideEachOther) {
  const std::uint8_t head[] = {1, 2, 3}, tail[] = {4, 5};
  ASSERT_TRUE(append_entry(map_, EntryType::series, 9, 8, 7, head, tail));
  EntryHeader entry;
  std::memcpy(&entry, map_.directory(), sizeof entry);
  EXPECT_EQ(entry.size, 5U);
  EXPECT_EQ(entry.id, 7U);
  const std::uint8_t whole[] = {1, 2, 3, 4, 5};
  EXPECT_EQ(std::memcmp(map_.directory() + sizeof entry, whole, sizeof whole), 0);
}

TEST_F(Mapped, CellsAreGivenOutOnAlignedPlacesUntilThereAreNone) {
  std::uint64_t given = 0;
  for (std::uint32_t i = 0;; ++i) {
    const BlockHeader* block = append_block(map_, BlockType::slab, 100 + i % 7, 3, i, 5);
    if (block == nullptr) break;
    const auto at = static_cast<std::uint64_t>(reinterpret_cast<const std::uint8_t*>(block) - map_.cells());
    EXPECT_EQ(at % 64, 0U);
    EXPECT_EQ(at, given) << "blocks follow each other";
    EXPECT_EQ(block->series, i);
    given = at + block->bytes;
    ASSERT_LE(given, map_.geometry.cells_bytes);
  }
  EXPECT_GT(given + 128, map_.geometry.cells_bytes);
  EXPECT_EQ(map_.header().cells_used, given);
}

}  // namespace
}  // namespace honeylink::telemetry::ring
