// The table of histogram_index.h against long double arithmetic: every bound, both neighbours of every bound, every
// guess.
#include "record/histogram_index.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace honeylink::telemetry::internal {
namespace {

// OpenTelemetry: (2^(i/64), 2^((i+1)/64)] is bucket i. 64 bits of mantissa settle all doubles that are not within 2^-60
// of a bound.
std::int32_t model(double value) {
  const int exponent = std::ilogb(value);
  const double mantissa = std::scalbn(value, -exponent);
  if (mantissa == 1.0) return exponent * 64 - 1;
  return exponent * 64 + static_cast<std::int32_t>(std::ceil(std::log2(static_cast<long double>(mantissa)) * 64)) - 1;
}

TEST(HistogramIndex, EveryBoundIsWhereMathematicsPutsIt) {
  for (std::uint32_t k = 0; k < 64; ++k) {
    const long double bound = std::exp2(static_cast<long double>(k) / 64);
    const auto below = static_cast<std::uint64_t>(std::floor((bound - 1) * 0x1p52L));
    EXPECT_EQ(histogram_index.bound[k], below) << k;
  }
  EXPECT_GT(histogram_index.bound[64], (std::uint64_t{1} << 52) - 2);
}

TEST(HistogramIndex, NeighboursOfEveryBoundInEveryOctave) {
  for (const int exponent : {-1022, -1000, -64, -1, 0, 1, 63, 500, 1023})
    for (std::uint32_t k = 0; k < 64; ++k) {
      const double at = std::ldexp(1.0 + std::ldexp(static_cast<double>(histogram_index.bound[k]), -52), exponent);
      for (const double value :
           {std::nextafter(at, 0.0), at, std::nextafter(at, std::numeric_limits<double>::infinity())}) {
        if (value < std::numeric_limits<double>::min() || !std::isfinite(value)) continue;
        ASSERT_EQ(bucket_index(value), model(value)) << value << " bound " << k << " octave " << exponent;
      }
    }
}

TEST(HistogramIndex, EveryGuessIsTheBucketOrTheOneBefore) {
  for (std::uint32_t g = 0; g < 256; ++g) {
    const std::uint64_t first = std::uint64_t{g} << 44, last = first | ((std::uint64_t{1} << 44) - 1);
    for (const std::uint64_t mantissa : {first, last}) {
      std::uint32_t k = 0;
      while (k < 63 && mantissa >= histogram_index.bound[k + 1]) ++k;
      EXPECT_TRUE(histogram_index.guess[g] == k || histogram_index.guess[g] + 1u == k) << g;
    }
  }
}

TEST(HistogramIndex, RandomValuesOfAllMagnitudes) {
  std::mt19937_64 random(20261123);
  for (int i = 0; i < 1'000'000; ++i) {
    const double value = std::bit_cast<double>(random() & 0x7fff'ffff'ffff'ffffULL);
    if (!std::isfinite(value) || value < std::numeric_limits<double>::min()) continue;
    ASSERT_EQ(bucket_index(value), model(value)) << value;
  }
}

TEST(HistogramIndex, PowersOfTwoBelongToTheBucketBelow) {
  for (int e = -1021; e <= 1023; ++e) EXPECT_EQ(bucket_index(std::ldexp(1.0, e)), e * 64 - 1);
}

TEST(HistogramIndex, SubnormalNumbersCountAsTheSmallestNormalOne) {
  const std::int32_t smallest = bucket_index(std::numeric_limits<double>::min());
  EXPECT_EQ(bucket_index(std::numeric_limits<double>::denorm_min()), smallest);
  EXPECT_EQ(smallest, -1022 * 64 - 1);
}

}  // namespace
}  // namespace honeylink::telemetry::internal
