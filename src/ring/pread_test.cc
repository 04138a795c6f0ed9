// What docs/decisions/0002 rests on: the kernel copies aligned words of a shared page whole. A thread toggles words
// between all zeros and all ones in a mapping; the same page is read by pread. One mixed word in any of the readings
// would end the design.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "ring/layout.h"
#include "ring/test_ring.h"

namespace honeylink::telemetry::ring {
namespace {

constexpr std::size_t kWords = kPageBytes / 8;
constexpr int kPreads = 200'000;  // of a whole page of tmpfs, where rings are; fewer of the other shapes

struct Tally {
  std::uint64_t zeros = 0, ones = 0, mixed = 0;
  void add(std::uint64_t word) noexcept { word == 0 ? ++zeros : word == ~std::uint64_t{0} ? ++ones : ++mixed; }
};

// Reads `bytes` at `offset` of a page that is being toggled; the buffer is misaligned by `skew`. At least `preads`
// times, and on until the two met: on a busy machine the toggler may not have run once when the readings are done.
Tally read_toggled(int file, std::size_t offset, std::size_t bytes, std::size_t skew, int preads) {
  auto* words = static_cast<std::uint64_t*>(::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
  EXPECT_NE(words, MAP_FAILED);
  std::atomic<bool> stop{false};
  std::thread toggler([&] {
    for (std::uint64_t value = 0; !stop.load(std::memory_order_relaxed); value = ~value) {
      for (std::size_t i = 0; i < kWords; ++i)
        std::atomic_ref<std::uint64_t>(words[i]).store(value, std::memory_order_relaxed);
    }
  });
  Tally tally;
  alignas(64) std::uint8_t buffer[kPageBytes + 64];
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  const auto met = [&] { return tally.zeros > 0 && tally.ones > 0; };
  for (int n = 0; n < preads || (!met() && std::chrono::steady_clock::now() < patience); ++n) {
    std::atomic_thread_fence(std::memory_order_acquire);
    if (!read_exactly(file, buffer + skew, bytes, offset)) ADD_FAILURE() << "pread failed";
    for (std::size_t at = 0; at < bytes; at += 8) {
      std::uint64_t word;
      std::memcpy(&word, buffer + skew + at, sizeof word);
      tally.add(word);
    }
  }
  stop = true;
  toggler.join();
  ::munmap(words, kPageBytes);
  return tally;
}

TEST(RingPread, AlignedWordsDoNotTear) {
  for (const bool tmpfs : {true, false}) {
    std::string pattern = testing::TempDir() + "honeylink-pread.XXXXXX";
    const Fd file(tmpfs ? ::memfd_create("pread", MFD_CLOEXEC) : ::mkstemp(pattern.data()));
    if (!tmpfs) ::unlink(pattern.c_str());
    ASSERT_EQ(::posix_fallocate(file.get(), 0, kPageBytes), 0);
    // A whole page (slots, chunk headers, cells), one header of a chunk, one word; then into a buffer as a vector may
    // have it.
    const struct {
      std::size_t offset, bytes, skew;
      int preads;
    } shapes[] = {{0, kPageBytes, 0, tmpfs ? kPreads : kPreads / 8},
                  {64, 64, 0, kPreads / 4},
                  {128, 8, 0, kPreads / 4},
                  {0, kPageBytes, 16, kPreads / 8},
                  {8, 152, 8, kPreads / 8}};
    for (const auto& shape : shapes) {
      const Tally tally = read_toggled(file.get(), shape.offset, shape.bytes, shape.skew, shape.preads);
      EXPECT_EQ(tally.mixed, 0U) << shape.bytes << " bytes at " << shape.offset << (tmpfs ? " of tmpfs" : " of a disk");
      // The test proves nothing where the two never met.
      EXPECT_GT(tally.zeros, 0U);
      EXPECT_GT(tally.ones, 0U);
    }
  }
}

}  // namespace
}  // namespace honeylink::telemetry::ring
