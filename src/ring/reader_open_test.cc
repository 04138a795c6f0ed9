// RingReader::open() on rings built by hand: a catalogue of headers that it refuses, each with what it says.
#include <gtest/gtest.h>

#include "ring/reader.h"
#include "ring/test_ring.h"

namespace honeylink::telemetry::ring {
namespace {

std::string refusal(TestRing& ring) {
  std::string why;
  EXPECT_EQ(ring.reader(why), nullptr);
  return why;
}
#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST(RingReaderOpen, EmptyFile) {
  TestRing ring;
  ASSERT_EQ(ftruncate(ring.fd(), 0), 0);
  EXPECT_SAYS(refusal(ring), "too short");
}
TEST(RingReaderOpen, TruncatedHeader) {
  TestRing ring;
  ASSERT_EQ(ftruncate(ring.fd(), 300), 0);
  EXPECT_SAYS(refusal(ring), "too short");
}
TEST(RingReaderOpen, TruncatedFile) {
  TestRing ring;
  ASSERT_EQ(ftruncate(ring.fd(), TestRing::kFileBytes - 1), 0);
  EXPECT_SAYS(refusal(ring), "truncated");
}
TEST(RingReaderOpen, NotARegularFile) {
  std::string why;
  EXPECT_EQ(RingReader::open(Fd(::open("/dev/zero", O_RDONLY)), "zero", false, why), nullptr);
  EXPECT_SAYS(why, "regular file");
  EXPECT_EQ(RingReader::open(Fd(), "none", false, why), nullptr);
}
TEST(RingReaderOpen, WrongMagic) {
  TestRing ring;
  ring.header().magic ^= 1;
  EXPECT_SAYS(refusal(ring), "magic");
}
TEST(RingReaderOpen, FutureVersion) {
  TestRing ring;
  ring.header().version = kVersion + 1;
  EXPECT_SAYS(refusal(ring), "version 2");
}
TEST(RingReaderOpen, CountsBeyondTheirBounds) {
  const auto refuses = [](auto change) {
    TestRing ring;
    change(ring.header());
    EXPECT_FALSE(refusal(ring).empty());
  };
  refuses([](Header& h) { h.slot_count = 0; });
  refuses([](Header& h) { h.slot_count = 4097; });
  refuses([](Header& h) { h.chunk_count = 0; });
  refuses([](Header& h) { h.chunk_count = 65537; });
  refuses([](Header& h) { h.chunk_bytes = 0; });
  refuses([](Header& h) { h.chunk_bytes = kPageBytes; });  // less than two of the largest record
  refuses([](Header& h) { h.chunk_bytes = 0xfffff000; });
  refuses([](Header& h) { h.directory_bytes = (std::uint64_t{64} << 20) + 8; });
  refuses([](Header& h) { h.cells_bytes = ~std::uint64_t{0}; });
  refuses([](Header& h) { h.file_bytes = ~std::uint64_t{0}; });
  refuses([](Header& h) { h.file_bytes = std::uint64_t{2} << 30; });
  refuses([](Header& h) { h.clock_source = static_cast<ClockSource>(2); });
}
TEST(RingReaderOpen, OffsetsOutside) {
  for (auto offset : {&Header::slots_offset, &Header::chunk_headers_offset, &Header::directory_offset,
                      &Header::cells_offset, &Header::chunks_offset}) {
    for (const std::uint64_t value :
         {TestRing::kFileBytes, TestRing::kFileBytes - 64, ~std::uint64_t{63}, std::uint64_t{1} << 63}) {
      TestRing ring;
      ring.header().*offset = value;
      EXPECT_SAYS(refusal(ring), "outside");
    }
  }
}
TEST(RingReaderOpen, OffsetsOverlap) {
  for (auto offset : {&Header::slots_offset, &Header::chunk_headers_offset, &Header::directory_offset,
                      &Header::cells_offset, &Header::chunks_offset}) {
    TestRing ring;
    ring.header().*offset = 0;  // the header itself
    EXPECT_SAYS(refusal(ring), "overlap");
  }
  TestRing ring;
  ring.header().cells_offset = ring.header().directory_offset;
  EXPECT_SAYS(refusal(ring), "overlap");
}
TEST(RingReaderOpen, MisalignedOffsets) {
  TestRing ring;
  ring.header().slots_offset += 8;
  EXPECT_SAYS(refusal(ring), "misaligned");
}

}  // namespace
}  // namespace honeylink::telemetry::ring
