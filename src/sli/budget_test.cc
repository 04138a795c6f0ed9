// Windows of the budget against a list of everything that was ever added.
#include "sli/budget.h"

#include <gtest/gtest.h>

#include <random>

namespace honeylink::telemetry::sli {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(Budget, AWindowHoldsExactlyItsTicks) {
  Budget budget;
  for (int i = 1; i <= 100; ++i) budget.add(10 * kSecond, {1, 10});
  EXPECT_EQ(budget.over(Window::m5).total, 300);
  EXPECT_EQ(budget.over(Window::m5).bad, 30);
  EXPECT_EQ(budget.over(Window::m30).total, 1000);
  // What is to come counts as if it were there, and pushes out what falls off.
  EXPECT_EQ(budget.over(Window::m5, 10 * kSecond, {5, 20}).total, 310);
  EXPECT_EQ(budget.over(Window::m5, 300 * kSecond, {}).total, 0);
  EXPECT_EQ(budget.over(Window::d30).total, 1000);
}

TEST(Budget, HistoryAndWhatComesLaterAreOne) {
  Budget budget;
  for (int i = 0; i < 360; ++i) budget.load(i * 10 * kSecond, {1, 1});
  EXPECT_EQ(budget.over(Window::h1).total, 360);
  EXPECT_EQ(budget.over(Window::h6).total, 360);
  budget.add(10 * kSecond, {1, 1});
  EXPECT_EQ(budget.over(Window::h1).total, 360);
  EXPECT_EQ(budget.over(Window::h6).total, 361);
  budget.load(-5 * kSecond, {0, 7});  // a clock that was ahead: now
  EXPECT_EQ(budget.over(Window::m5).total, 37);
  budget.load(std::int64_t{31} * 86'400 * kSecond, {0, 1'000});
  EXPECT_EQ(budget.over(Window::d30).total, 368);
}

TEST(Budget, EveryWindowIsRightToAStep) {
  const auto seed = static_cast<std::uint64_t>(std::random_device{}());
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  struct Added {
    std::int64_t at_ns;
    double total;
  };
  std::vector<Added> all;
  Budget budget;
  std::int64_t now = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t passed = random() % 200 == 0 ? static_cast<std::int64_t>(random() % 90'000) * kSecond
                                                    : 10 * kSecond + static_cast<std::int64_t>(random() % 20'000'000);
    now += passed;
    const auto total = static_cast<double>(random() % 1'000);
    budget.add(passed, {0, total});
    all.push_back({now, total});
    if (i % 97 != 0) continue;
    for (std::size_t w = 0; w < kWindows; ++w) {
      const auto sum_since = [&](std::int64_t age_ns) {
        double sum = 0;
        for (auto at = all.rbegin(); at != all.rend() && now - at->at_ns < age_ns; ++at) sum += at->total;
        return sum;
      };
      const auto [length_s, step_s] = kWindowShapes[w];
      const double got = budget.over(static_cast<Window>(w)).total;
      EXPECT_GE(got, sum_since((length_s - step_s - 5) * kSecond)) << "window " << w;
      EXPECT_LE(got, sum_since((length_s + 5) * kSecond)) << "window " << w;
    }
  }
}

}  // namespace
}  // namespace honeylink::telemetry::sli
