// Numbers as bytes and checksums: published vectors, borders, and what a Decoder does with bytes that end too early.
#include "base/coding.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "base/crc32c.h"

namespace honeylink::telemetry {
namespace {

const std::uint64_t kBorders[] = {0,          1,    127, 128, 16383, 16384, 0xffffffffULL, 1ULL << 32, (1ULL << 63) - 1,
                                  1ULL << 63, ~0ULL};

TEST(Coding, VarintsComeBackAndSayTheirSize) {
  for (const std::uint64_t n : kBorders) {
    std::string bytes;
    put_varint(bytes, n);
    EXPECT_EQ(bytes.size(), varint_bytes(n));
    Decoder decoder(bytes);
    EXPECT_EQ(decoder.varint(), n);
    EXPECT_TRUE(decoder.ok() && decoder.at_end());
  }
}
TEST(Coding, SignedNumbersComeBack) {
  for (const std::uint64_t n : kBorders) {
    const auto value = static_cast<std::int64_t>(n);
    EXPECT_EQ(unzigzag(zigzag(value)), value);
    std::string bytes;
    put_signed(bytes, value);
    EXPECT_EQ(Decoder(bytes).signed_varint(), value);
  }
  EXPECT_EQ(zigzag(-1), 1U);
  EXPECT_EQ(zigzag(1), 2U);
  EXPECT_EQ(zigzag(INT64_MIN), ~0ULL);
}
TEST(Coding, FixedNumbersAreLittleEndian) {
  std::string bytes;
  put_fixed<std::uint32_t>(bytes, 0x01020304);
  EXPECT_EQ(bytes, "\x04\x03\x02\x01");
  put_fixed(bytes, 2.5);
  put_text(bytes, "abc");
  Decoder decoder(bytes);
  EXPECT_EQ(decoder.fixed<std::uint32_t>(), 0x01020304U);
  EXPECT_EQ(decoder.fixed<double>(), 2.5);
  EXPECT_EQ(decoder.text(), "abc");
  EXPECT_TRUE(decoder.ok() && decoder.at_end());
}
TEST(Coding, TruncatedVarint) {
  for (std::size_t length = 0; length < 10; ++length) {
    Decoder decoder(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").substr(0, length));
    EXPECT_EQ(decoder.varint(), 0U);
    EXPECT_FALSE(decoder.ok());
  }
}
TEST(Coding, VarintOfMoreThan64Bits) {
  for (const std::string_view bytes : {std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10),
                                       std::string_view("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11)}) {
    Decoder decoder(bytes);
    EXPECT_EQ(decoder.varint(), 0U);
    EXPECT_FALSE(decoder.ok());
  }
}
TEST(Coding, TextLongerThanItsBytes) {
  std::string bytes;
  put_varint(bytes, ~0ULL);
  bytes += "abc";
  Decoder decoder(bytes);
  EXPECT_EQ(decoder.text(), "");
  EXPECT_FALSE(decoder.ok());
}
TEST(Coding, AFailedDecoderStaysFailed) {
  Decoder decoder("\x01");
  EXPECT_EQ(decoder.fixed<std::uint64_t>(), 0U);
  EXPECT_EQ(decoder.varint(), 0U);
  EXPECT_FALSE(decoder.ok());
  EXPECT_TRUE(decoder.at_end());
}

// RFC 3720, B.4.
TEST(Crc32c, GivesTheVectorsOfRfc3720) {
  std::vector<std::uint8_t> bytes(32, 0);
  EXPECT_EQ(crc32c(bytes), 0x8a9136aaU);
  std::fill(bytes.begin(), bytes.end(), std::uint8_t{0xff});
  EXPECT_EQ(crc32c(bytes), 0x62a8ab43U);
  for (std::uint8_t i = 0; i < 32; ++i) bytes[i] = i;
  EXPECT_EQ(crc32c(bytes), 0x46dd794eU);
  for (std::uint8_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::uint8_t>(31 - i);
  EXPECT_EQ(crc32c(bytes), 0x113fdb5cU);
  EXPECT_EQ(crc32c("123456789", 9), 0xe3069283U);
  EXPECT_EQ(crc32c_portable({reinterpret_cast<const std::uint8_t*>("123456789"), 9}), 0xe3069283U);
  EXPECT_EQ(crc32c(nullptr, 0), 0U);
}
TEST(Crc32c, ThePortableFormEqualsTheInstructionAndPartsEqualTheWhole) {
  std::mt19937 random(5);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::uint8_t> bytes(random() % (round % 2 == 0 ? 100 : 5'000));
    for (auto& b : bytes) b = static_cast<std::uint8_t>(random());
    const std::span<const std::uint8_t> all(bytes);
    ASSERT_EQ(crc32c(all), crc32c_portable(all));
    const std::size_t cut = bytes.empty() ? 0 : random() % bytes.size();
    ASSERT_EQ(crc32c(all.subspan(cut), crc32c(all.first(cut))), crc32c(all));
  }
}

}  // namespace
}  // namespace honeylink::telemetry
