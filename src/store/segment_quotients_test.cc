// Quotients of whole numbers are found, told in few bytes, and come back bit for bit beside what is none.
#include "store/segment_quotients.h"

#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "store/bytes.h"
#include "store/segment_reals.h"
#include "store/test_support.h"

namespace honeylink::telemetry::store {
namespace {

using Column = std::vector<std::uint64_t>;

std::uint64_t bits_of(double value) { return std::bit_cast<std::uint64_t>(value); }

struct Quotients : testing::Test {
  unsigned seed = std::random_device()();
  std::mt19937_64 random{seed};
  testing::ScopedTrace trace{__FILE__, __LINE__, "seed " + std::to_string(seed)};
  SegmentWorkspace work;

  Column shares(std::size_t n, std::uint64_t least, std::uint64_t most) {
    Column column(n);
    for (std::uint64_t& bits : column) {
      const std::uint64_t of = least + random() % (most - least);
      bits = bits_of(static_cast<double>(random() % of) / static_cast<double>(of));
    }
    return column;
  }
  std::size_t bytes_of(const Column& values) {
    Bytes bytes;
    encode_reals(values, work, bytes);
    bytes.push_back(0xa5);
    Decoder in(as_text(bytes));
    Column back(values.size());
    EXPECT_TRUE(decode_reals(in, work, back));
    EXPECT_EQ(back, values);
    EXPECT_EQ(in.rest().size(), 1U);
    return bytes.size() - 1;
  }
};

TEST_F(Quotients, AreFoundInLowestTerms) {
  for (int round = 0; round < 20'000; ++round) {
    const auto p = static_cast<std::int64_t>(random() % 1'000'000),
               q = static_cast<std::int64_t>(random() % 1'000'000 + 1);
    const double value = static_cast<double>(round % 2 == 0 ? p : -p) / static_cast<double>(q);
    if (p == 0) continue;
    const Fraction found = fraction_of(bits_of(value));
    const std::int64_t divisor = std::gcd(p, q);
    ASSERT_EQ(found.p, (round % 2 == 0 ? p : -p) / divisor) << p << " / " << q;
    ASSERT_EQ(found.q, static_cast<std::uint64_t>(q / divisor));
  }
  EXPECT_EQ(fraction_of(bits_of(0.0)).q, 1U);
  for (const double none : {-0.0, std::sqrt(2.0), 1e300, 5e-324, static_cast<double>(INFINITY),
                            std::numeric_limits<double>::quiet_NaN(), 0x1p31, 1 / 0x1p20})
    EXPECT_EQ(fraction_of(bits_of(none)).q, 0U) << none;
}

TEST_F(Quotients, CostAThirdOfEightBytes) {
  EXPECT_LT(bytes_of(shares(1440, 1000, 1050)), std::size_t{1440 * 8 / 3});
  EXPECT_LT(bytes_of(shares(1440, 20, 90)), std::size_t{1440 * 2});
}

TEST_F(Quotients, BesideWhatIsNoneComeBack) {
  for (int round = 0; round < 40; ++round) {
    Column values = shares(random() % 1500 + 1, 3, round % 2 == 0 ? 500 : 1'000'000);
    for (std::uint64_t& bits : values) {
      if (random() % 40 != 0) continue;
      const double odd[] = {std::numeric_limits<double>::quiet_NaN(), -0.0, 0.1 + static_cast<double>(random()), 1e-9};
      bits = bits_of(odd[random() % std::size(odd)]);
    }
    bytes_of(values);
  }
}

TEST_F(Quotients, OfNumbersThatAreNoneAreNotTried) {
  Column full(1440);
  for (std::uint64_t& bits : full) bits = bits_of(std::sqrt(static_cast<double>(random() % 1'000'000) + 0.5));
  Bytes bytes{1, 2, 3};
  EXPECT_FALSE(encode_quotients(full, work, bytes));
  EXPECT_EQ(bytes.size(), 3U);
}

TEST_F(Quotients, BrokenOnesGiveNumbersOrARefusal) {
  Bytes whole;
  Column values = shares(200, 900, 1000);
  values[7] = bits_of(std::sqrt(2.0));
  ASSERT_TRUE(encode_quotients(values, work, whole));
  ASSERT_EQ(whole[0], kRealQuotients);
  Column back(values.size());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    Decoder in(as_text(cut));
    ASSERT_FALSE(decode_reals(in, work, back)) << size;
  }
  for (int round = 0; round < 5'000; ++round) {
    Bytes broken = whole;
    broken[random() % broken.size()] = static_cast<std::uint8_t>(random());
    Decoder in(as_text(broken));
    (void)decode_reals(in, work, back);
  }
}

}  // namespace
}  // namespace honeylink::telemetry::store
