// Integer and real columns: what was encoded comes back bit for bit, whatever it is.
#include "store/segment_integers.h"

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
using Random = std::mt19937_64;

std::uint64_t bits_of(double value) { return std::bit_cast<std::uint64_t>(value); }

void expect_integers_back(const Column& values, SegmentWorkspace& work) {
  Bytes bytes;
  encode_integers(values, work, bytes);
  bytes.push_back(0xa5);  // whatever follows a column is left alone
  Decoder in(as_text(bytes));
  Column back(values.size());
  ASSERT_TRUE(decode_integers(in, work, back));
  ASSERT_EQ(back, values);
  ASSERT_EQ(in.rest().size(), 1U);
}

void expect_reals_back(const Column& values, SegmentWorkspace& work) {
  Bytes bytes;
  encode_reals(values, work, bytes);
  bytes.push_back(0xa5);
  Decoder in(as_text(bytes));
  Column back(values.size());
  ASSERT_TRUE(decode_reals(in, work, back));
  ASSERT_EQ(back, values);
  ASSERT_EQ(in.rest().size(), 1U);
}

Column filled(std::size_t size, const std::function<std::uint64_t(std::size_t)>& value) {
  Column column(size);
  for (std::size_t i = 0; i < size; ++i) column[i] = value(i);
  return column;
}

struct Seeded : testing::Test {
  unsigned seed = std::random_device()();
  Random random{seed};
  testing::ScopedTrace trace{__FILE__, __LINE__, "seed " + std::to_string(seed)};
  SegmentWorkspace work;
  std::size_t any_size() { return random() % 4 == 0 ? random() % 4 : random() % 1500; }
};
using IntegerColumn = Seeded;
using RealColumn = Seeded;

TEST_F(IntegerColumn, AnythingComesBack) {
  for (int round = 0; round < 60; ++round) {
    const std::size_t n = any_size();
    const unsigned width = static_cast<unsigned>(random() % 64) + 1;
    const std::uint64_t start = random(), mask = ~std::uint64_t{0} >> (64 - width), unit = random() % 5000;
    std::uint64_t walk = start, speed = 0;
    expect_integers_back(filled(n, [&](std::size_t) { return random() & mask; }), work);
    expect_integers_back(filled(n, [&](std::size_t) { return start; }), work);
    expect_integers_back(filled(n, [&](std::size_t) { return walk += (random() & mask) - mask / 2; }), work);
    expect_integers_back(filled(n, [&](std::size_t) { return walk += speed += random() % 3 - 1; }), work);
    expect_integers_back(filled(n, [&](std::size_t) { return start + unit * (random() & (mask >> 16)); }), work);
    expect_integers_back(filled(n, [&](std::size_t) { return random() >> (random() % 64); }), work);
  }
}

TEST_F(IntegerColumn, TheEndsOfTheRangeComeBack) {
  constexpr std::uint64_t kHalf = std::uint64_t{1} << 63;
  expect_integers_back({0, kHalf}, work);
  expect_integers_back({kHalf, 0, kHalf, 0}, work);
  expect_integers_back({~std::uint64_t{0}, 0, kHalf, kHalf - 1, 1}, work);
  expect_integers_back({kHalf - 1, kHalf, kHalf + 1, kHalf + 2}, work);
  expect_integers_back({5, 5 + kHalf, 5}, work);
  expect_integers_back({7}, work);
  expect_integers_back({}, work);
}

TEST_F(IntegerColumn, EachFormIsChosenWhereItIsTheCheapest) {
  const auto form = [&](const Column& values) {
    Bytes bytes;
    encode_integers(values, work, bytes);
    return static_cast<IntegerForm>(bytes[0] & kIntegerFormMask);
  };
  std::uint64_t walk = 0, speed = 1000;
  EXPECT_EQ(form(filled(500, [](std::size_t) { return 9; })), IntegerForm::constant);
  EXPECT_EQ(form(filled(500, [&](std::size_t) { return random() % 16; })), IntegerForm::plain);
  EXPECT_EQ(form(filled(500, [&](std::size_t) { return walk += random() % 4; })), IntegerForm::delta);
  EXPECT_EQ(form(filled(500, [&](std::size_t) { return walk += speed += random() % 3; })), IntegerForm::delta_of_delta);
}

TEST_F(IntegerColumn, ATruncatedColumnIsRefusedAndNeverReadPastItsEnd) {
  Bytes bytes;
  encode_integers(filled(300, [&](std::size_t) { return random() % 100'000; }), work, bytes);
  Column back(300);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    Decoder in(as_text(cut));
    ASSERT_FALSE(decode_integers(in, work, back)) << size;
  }
}

TEST_F(RealColumn, AnythingComesBack) {
  constexpr double kOdd[] = {-0.0,    INFINITY, -INFINITY,          1e300,
                             -1e-300, 5e-324,   9007199254740993.0, 1.8446744073709552e19};
  for (int round = 0; round < 40; ++round) {
    const std::size_t n = any_size();
    const double unit = std::pow(10.0, -static_cast<double>(random() % 14));
    const auto decimal = [&] { return static_cast<double>(random() % 100'000) * unit; };
    const auto rounded = [&] { return std::nearbyint(static_cast<double>(random() % 100'000)) / std::pow(10.0, 3); };
    const auto full = [&] { return std::bit_cast<double>((random() >> 12) | 0x3ff0'0000'0000'0000U); };
    double walk = 100;
    expect_reals_back(filled(n, [&](std::size_t) { return bits_of(decimal()); }), work);
    expect_reals_back(filled(n, [&](std::size_t) { return bits_of(rounded()); }), work);
    expect_reals_back(filled(n, [&](std::size_t) { return bits_of(full()); }), work);
    expect_reals_back(filled(n, [&](std::size_t) { return bits_of(walk *= 1 + full() * 1e-3 - 1.5e-3); }), work);
    expect_reals_back(filled(n, [&](std::size_t) { return random(); }), work);
    expect_reals_back(filled(n, [&](std::size_t) { return bits_of(kOdd[random() % std::size(kOdd)]); }), work);
    expect_reals_back(filled(n, [&](std::size_t) { return bits_of(random() % 20 == 0 ? full() : rounded()); }), work);
    expect_reals_back(
        filled(n,
               [&](std::size_t i) { return i / 50 % 3 == 0 ? 0x7ff8'0000'0000'0000U | i / 50 : bits_of(rounded()); }),
        work);
    const double few[] = {full(), full(), full(), full()};
    expect_reals_back(filled(n, [&](std::size_t) { return bits_of(few[random() % 4]); }), work);
  }
}

TEST_F(RealColumn, NotANumberAndStrayNumbersDoNotSpoilADecimalColumn) {
  Column values = filled(1440, [&](std::size_t) { return bits_of(static_cast<double>(random() % 1000) / 10); });
  Bytes without, with;
  encode_reals(values, work, without);
  for (std::size_t i = 100; i < 400; ++i) values[i] = 0x7ff8'0000'0000'0001U;
  values[7] = bits_of(std::sqrt(2.0));
  values[1439] = bits_of(-0.0);
  encode_reals(values, work, with);
  EXPECT_LT(with.size(), without.size() + 40);
  expect_reals_back(values, work);
}

TEST_F(RealColumn, IntegersAboveTwoToThe53StayIntegers) {
  const Column values = filled(1440, [&](std::size_t i) { return bits_of(0x1p60 + static_cast<double>(i) * 1024); });
  Bytes bytes;
  encode_reals(values, work, bytes);
  EXPECT_LT(bytes.size(), 60U);
  expect_reals_back(values, work);
}

TEST_F(RealColumn, ATruncatedColumnIsRefusedInEveryForm) {
  const double few[] = {std::sqrt(2.0), std::sqrt(3.0), std::sqrt(5.0)};
  Column planes = filled(400, [&](std::size_t) { return random() & 0xff00'ff00'0000'ff00U; });
  Column nan = filled(400, [&](std::size_t i) { return i < 20 ? 0x7ff8'0000'0000'0000U : bits_of(0.5); });
  for (const Column& values :
       {planes, nan, filled(400, [&](std::size_t) { return bits_of(few[random() % 3]); }),
        filled(400, [&](std::size_t) { return bits_of(1 / (1.0 + static_cast<double>(random() % 100'000))); })}) {
    Bytes bytes;
    encode_reals(values, work, bytes);
    Column back(values.size());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      Decoder in(as_text(cut));
      ASSERT_FALSE(decode_reals(in, work, back)) << "form " << int{bytes[0]} << " cut to " << size;
    }
    expect_reals_back(values, work);
  }
}

}  // namespace
}  // namespace honeylink::telemetry::store
