// Ids: the published vectors, the two forms of AES against each other, the inverse, and golden ids so that the format
// never changes.
#include "base/ids.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "base/text.h"

namespace honeylink::telemetry {
namespace {

using Block = std::array<std::uint8_t, 16>;

Block block(std::string_view digits) {
  Block b{};
  EXPECT_TRUE(unhex(digits, b));
  return b;
}
const Block kTraceKey = block("404142434445464748494a4b4c4d4e4f"), kSpanKey = block("808182838485868788898a8b8c8d8e8f");

TEST(Ids, Aes128GivesTheVectorsOfFips197) {
  const Aes128 appendix_c(block("000102030405060708090a0b0c0d0e0f"));
  EXPECT_EQ(hex(appendix_c.encrypt(block("00112233445566778899aabbccddeeff"))), "69c4e0d86a7b0430d8cdb78070b4c55a");
  EXPECT_EQ(hex(appendix_c.encrypt_portable(block("00112233445566778899aabbccddeeff"))),
            "69c4e0d86a7b0430d8cdb78070b4c55a");
  EXPECT_EQ(hex(appendix_c.decrypt(block("69c4e0d86a7b0430d8cdb78070b4c55a"))), "00112233445566778899aabbccddeeff");
  const Aes128 appendix_b(block("2b7e151628aed2a6abf7158809cf4f3c"));
  EXPECT_EQ(hex(appendix_b.encrypt(block("3243f6a8885a308d313198a2e0370734"))), "3925841d02dc09fbdc118597196a0b32");
}

TEST(Ids, ThePortableFormEqualsTheInstruction) {
  std::mt19937_64 random(20260101);
  for (int i = 0; i < 300; ++i) {
    Block key, plain;
    for (auto& b : key) b = static_cast<std::uint8_t>(random());
    for (auto& b : plain) b = static_cast<std::uint8_t>(random());
    const Aes128 aes(key);
    ASSERT_EQ(aes.encrypt(plain), aes.encrypt_portable(plain));
    ASSERT_EQ(aes.decrypt(plain), aes.decrypt_portable(plain));
    ASSERT_EQ(aes.decrypt(aes.encrypt(plain)), plain);
  }
}

TEST(Ids, EveryCounterComesBackFromItsIds) {
  const IdCipher cipher(kTraceKey, kSpanKey);
  std::mt19937_64 random(7);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t counter = i < 10   ? static_cast<std::uint64_t>(i)
                                  : i < 20 ? ~static_cast<std::uint64_t>(i - 10)
                                           : random();
    std::uint64_t back = 0;
    ASSERT_TRUE(cipher.trace_counter(cipher.trace_id(counter), back));
    ASSERT_EQ(back, counter);
    ASSERT_EQ(cipher.span_counter(cipher.span_id(counter)), counter);
  }
}

TEST(Ids, AForeignTraceIdIsToldFromOnesOwn) {
  const IdCipher cipher(kTraceKey, kSpanKey), other(kSpanKey, kTraceKey);
  std::uint64_t counter = 0;
  EXPECT_FALSE(cipher.trace_counter(other.trace_id(1), counter));
  EXPECT_FALSE(cipher.trace_counter(block("0af7651916cd43dd8448eb211c80319c"), counter));
}

TEST(Ids, GoldenValuesSoThatOldFilesKeepTheirIds) {
  const IdCipher cipher(kTraceKey, kSpanKey);
  EXPECT_EQ(hex(cipher.trace_id(1)), "450e115197d569c7056b7c977de56327");
  EXPECT_EQ(hex(cipher.trace_id(0x0123456789abcdefULL)), "697e2721e33e559e73500cb73f29fc9b");
  EXPECT_EQ(hex(cipher.span_id(1)), "379f9db29a3c6484");
  EXPECT_EQ(hex(cipher.span_id(0x0123456789abcdefULL)), "72989b8187dbbcff");
}

TEST(Ids, EightAtOnceAreTheSameAsOneByOne) {
  const IdCipher cipher(kTraceKey, kSpanKey);
  for (const std::uint64_t counter : {std::uint64_t{0}, std::uint64_t{0x0123456789abcdef}, ~std::uint64_t{3}}) {
    const auto low = cipher.next_trace_ids_low(counter);
    for (std::size_t i = 0; i < low.size(); ++i) {
      const auto id = cipher.trace_id(counter + i);
      std::uint64_t expected = 0;
      for (std::size_t b = 8; b < 16; ++b) expected = expected << 8 | id[b];
      EXPECT_EQ(low[i], expected);
    }
  }
}

TEST(Ids, EightWholeIdsAtOnceAreTheSameAsOneByOne) {
  const IdCipher ids(kTraceKey, kSpanKey);
  for (const std::uint64_t from :
       {std::uint64_t{0}, std::uint64_t{1'000'003}, (std::uint64_t{1} << 32) - 3, UINT64_MAX - 2}) {
    const auto traces = ids.next_trace_ids(from);
    const auto spans = ids.next_span_ids(from);
    for (std::size_t i = 0; i < 8; ++i) {
      EXPECT_EQ(hex(traces[i]), hex(ids.trace_id(from + i))) << from;
      EXPECT_EQ(hex(spans[i]), hex(ids.span_id(from + i))) << from;
    }
  }
}

TEST(Ids, NeighbouringCountersShareNoIdAndLookUnrelated) {
  const IdCipher cipher(kTraceKey, kSpanKey);
  std::set<std::array<std::uint8_t, 8>> seen;
  std::set<std::uint8_t> first_bytes;
  for (std::uint64_t i = 0; i < 4096; ++i) {
    seen.insert(cipher.span_id(i));
    first_bytes.insert(cipher.span_id(i)[0]);
  }
  EXPECT_EQ(seen.size(), 4096U);
  EXPECT_EQ(first_bytes.size(), 256U);
}

}  // namespace
}  // namespace honeylink::telemetry
