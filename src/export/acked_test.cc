// Ranges of acknowledged positions against a plain set of numbers.
#include "export/acked.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace honeylink::telemetry::exporting {
namespace {

TEST(Acked, IsThePlainSetOfWhatWasAcknowledged) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    const std::uint64_t floor = random() % 20, head = 120;
    Acked acked(floor);
    std::set<std::uint64_t> model;
    for (std::uint64_t i = 0; i < floor; ++i) model.insert(i);
    for (int step = 0; step < 40; ++step) {
      if (random() % 10 == 0) {
        const std::uint64_t from = random() % head;
        acked.forget_from(from);
        std::erase_if(model, [&](std::uint64_t i) { return i >= from; });
      } else {
        const std::uint64_t first = random() % 100, last = first + random() % 12;
        acked.add({first, last});
        for (std::uint64_t i = first; i < last; ++i) model.insert(i);
      }
      const auto again = Acked::parse(acked.text());
      ASSERT_TRUE(again.has_value()) << acked.text();
      EXPECT_EQ(again->text(), acked.text());
      ASSERT_EQ(acked.missing(head), head - model.size()) << acked.text();
      std::uint64_t first = 0;
      while (model.contains(first)) ++first;
      std::uint64_t last = first;
      while (last < head && !model.contains(last)) ++last;
      const auto gap = acked.first_gap(head);
      ASSERT_TRUE(gap.has_value());
      EXPECT_EQ(*gap, (Range{first, last})) << acked.text();
      const std::uint64_t a = random() % 100, b = a + 1 + random() % 15;
      std::uint64_t held = 0;
      for (std::uint64_t i = a; i < b; ++i) held += model.contains(i);
      EXPECT_EQ(acked.of({a, b}), held == 0 ? Acked::Part::none : held == b - a ? Acked::Part::all : Acked::Part::some);
    }
  }
}

TEST(Acked, AFileThatIsNoneIsRefused) {
  for (const char* text : {"", " ", "x", "5 ", "5 6", "5 6-", "5 6-6", "5 7-6", "5 3-4", "5 8-9 9-10", "5 8-9 7-10",
                           "5 8-9x", "-1", "99999999999999999999999"})
    EXPECT_FALSE(Acked::parse(text).has_value()) << text;
}

TEST(Acked, MoreGapsThanItMayHaveAreSentAgainAndNothingIsSkipped) {
  Acked acked;
  for (std::uint64_t i = 0; i < 3 * kAckedRangesMax; ++i) acked.add({10 * i + 5, 10 * i + 8});
  EXPECT_LE(acked.ranges().size(), kAckedRangesMax);
  EXPECT_EQ(acked.first_gap(1000)->first, 0U);
}

}  // namespace
}  // namespace honeylink::telemetry::exporting
