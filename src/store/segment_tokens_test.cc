// Tokens: what was written comes back, in every form, for next to what its entropy is; what is broken is refused.
#include "store/segment_tokens.h"

#include <cmath>
#include <functional>
#include <random>

#include "store/bytes.h"
#include "store/test_support.h"

namespace honeylink::telemetry::store {
namespace {

using Column = std::vector<std::uint64_t>;

struct Tokens : testing::Test {
  unsigned seed = std::random_device()();
  std::mt19937_64 random{seed};
  testing::ScopedTrace trace{__FILE__, __LINE__, "seed " + std::to_string(seed)};
  SegmentWorkspace work;

  Column filled(std::size_t size, const std::function<std::uint64_t(std::size_t)>& value) {
    Column column(size);
    for (std::size_t i = 0; i < size; ++i) column[i] = value(i);
    return column;
  }
  TokenForm expect_back(const Column& numbers, std::size_t* size = nullptr) {
    Bytes bytes;
    const TokenForm form = put_tokens(numbers, work, bytes);
    if (size != nullptr) *size = bytes.size();
    bytes.push_back(0xa5);  // whatever follows is left alone
    Decoder in(as_text(bytes));
    EXPECT_TRUE(get_tokens(in, work, form, numbers.size()));
    EXPECT_EQ(work.numbers, numbers);
    EXPECT_EQ(in.rest().size(), 1U);
    return form;
  }
};

TEST_F(Tokens, OfAnyNumbersComeBackInTheFormThatIsShortest) {
  EXPECT_EQ(expect_back({}), TokenForm::plain);
  EXPECT_EQ(expect_back({~std::uint64_t{0}, 0}), TokenForm::plain);
  EXPECT_EQ(expect_back(filled(1440, [](std::size_t) { return 5; })), TokenForm::ranged);
  EXPECT_EQ(expect_back(filled(1440, [&](std::size_t) { return random() % 900; })), TokenForm::ranged);
  EXPECT_EQ(expect_back(filled(1440, [](std::size_t i) { return i % 40 == 0 ? 3 : i % 5; })), TokenForm::framed);
}

TEST_F(Tokens, AnythingComesBack) {
  for (int round = 0; round < 300; ++round) {
    const std::size_t n = random() % 4 == 0 ? random() % 6 : random() % 5'000;
    const auto width = static_cast<unsigned>(random() % 64);
    const std::uint64_t rare = random() % 1'000 + 1, few = random() % 30 + 1;
    expect_back(filled(n, [&](std::size_t) { return random() >> width; }));
    expect_back(filled(n, [&](std::size_t) { return random() >> (random() % 64); }));
    expect_back(filled(n, [&](std::size_t) { return random() % rare == 0 ? random() : random() % few; }));
    expect_back(filled(n, [&](std::size_t i) { return i == 0 ? ~std::uint64_t{0} : 0; }));
  }
}

TEST_F(Tokens, AllOfThemOnceComeBack) {  // each token has to get a share of the 4,096
  Column numbers;
  for (unsigned token = 0; token < kTokenSmall; ++token) numbers.push_back(token);
  for (unsigned bits = 4; bits <= 64; ++bits)
    for (std::uint64_t upper = 4; upper < 8; ++upper) numbers.push_back(upper << (bits - 3));
  ASSERT_EQ(numbers.size(), kTokenMax + 1);
  const Column once = numbers;
  expect_back(once);
  for (int more = 0; more < 3'000; ++more) numbers.push_back(9);
  expect_back(numbers);
  for (int more = 0; more < 200'000; ++more) numbers.push_back(9);
  expect_back(numbers);
}

TEST_F(Tokens, CostWhatTheirEntropySaysAndAFewBytes) {
  std::normal_distribution<double> noise;
  for (const double scale : {0.7, 3.0, 40.0, 1e5}) {
    const Column numbers = filled(1440, [&](std::size_t) { return zigzag(std::llround(scale * noise(random))); });
    TokenCounts counts;
    for (const std::uint64_t n : numbers) counts.add(n);
    std::size_t size = 0;
    expect_back(numbers, &size);
    EXPECT_LT(static_cast<double>(size), counts.bits() / 8 * 1.02 + 20) << scale;
  }
}

TEST_F(Tokens, TruncatedAreRefusedAndNeverReadPastTheirEnd) {
  for (const Column& numbers : {filled(700, [&](std::size_t) { return random() % 100'000; }),
                                filled(700, [&](std::size_t i) { return i % 7 + 1000 * (i % 90 == 0 ? 1U : 0U); }),
                                filled(30, [&](std::size_t) { return random(); })}) {
    Bytes bytes;
    const TokenForm form = put_tokens(numbers, work, bytes);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      Decoder in(as_text(cut));
      ASSERT_FALSE(get_tokens(in, work, form, numbers.size())) << size << " of " << bytes.size();
    }
  }
}

TEST_F(Tokens, HostileOnesGiveNumbersOrARefusal) {
  Bytes whole;
  const Column numbers = filled(300, [&](std::size_t) { return random() % 3'000; });
  const TokenForm form = put_tokens(numbers, work, whole);
  ASSERT_EQ(form, TokenForm::ranged);
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    Bytes broken = whole;
    const std::size_t at = random() % (round % 2 == 0 ? std::min<std::size_t>(broken.size(), 24) : broken.size());
    broken[at] = static_cast<std::uint8_t>(random());
    const Bytes exact(broken.begin(), broken.end());
    Decoder in(as_text(exact));
    if (get_tokens(in, work, form, numbers.size())) ASSERT_EQ(work.numbers.size(), numbers.size());
    else ++refused;
  }
  EXPECT_GT(refused, 100);
}

TEST_F(Tokens, ADirectoryThatNamesNoTokenIsRefused) {
  // From 3 to 4, both of level 0.
  const Bytes bytes{3, 4, 0x03, 0, 0, 1, 0};
  Decoder in(as_text(bytes));
  EXPECT_FALSE(get_tokens(in, work, TokenForm::ranged, 2));
}

}  // namespace
}  // namespace honeylink::telemetry::store
