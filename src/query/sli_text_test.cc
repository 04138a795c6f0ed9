// Values of levels as people read them: always in a unit of their size.
#include "query/sli_text.h"

#include <gtest/gtest.h>

#include <cmath>

namespace honeylink::telemetry::query {
namespace {

TEST(LevelValue, StandsInTheUnitOfItsSize) {
  EXPECT_EQ(level_value(0.6505, "s"), "650.5 ms");
  EXPECT_EQ(level_value(0.5, "s"), "500 ms");
  EXPECT_EQ(level_value(0.000003574, "s"), "3.57 µs");
  EXPECT_EQ(level_value(45, "us"), "45 µs");
  EXPECT_EQ(level_value(0.00000007, "s"), "70 ns");
  EXPECT_EQ(level_value(0, "s"), "0 ms");
  EXPECT_EQ(level_value(12.5, "ms"), "12.5 ms");
  EXPECT_EQ(level_value(30, "s"), "30 s");
  EXPECT_EQ(level_value(0.052, "1"), "0.052");
  EXPECT_EQ(level_value(512, "By"), "512 By");
  EXPECT_EQ(level_value(std::nan(""), "s"), "–");
}

}  // namespace
}  // namespace honeylink::telemetry::query
