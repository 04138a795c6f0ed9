#include "base/ulid.h"

#include <gtest/gtest.h>

namespace honeylink::telemetry {
namespace {

TEST(Ulid, IsTheSpecificationsForm) {
  // 01ARZ3NDEK is the time of the specification's own example, 1469922850259 ms.
  EXPECT_EQ(ulid_of(1'469'922'850'259'000'000, {}).substr(0, 10), "01ARZ3NDEK");
  EXPECT_EQ(ulid_of(0, {}), "00000000000000000000000000");
  std::array<std::uint8_t, 10> ones{};
  ones.fill(0xff);
  EXPECT_EQ(ulid_of(0, ones), "0000000000ZZZZZZZZZZZZZZZZ");
}

TEST(Ulid, SortsByTime) {
  std::string before;
  for (std::int64_t ms = 0; ms < 1'000'000'000'000'000; ms = ms * 3 + 1) {
    const std::string id = ulid_of(ms * 1'000, {});
    EXPECT_LE(before, id);
    before = id;
  }
}

}  // namespace
}  // namespace honeylink::telemetry
