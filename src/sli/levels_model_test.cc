// Random series with gaps, clock steps and restarts, against a model of the rules that remembers everything and knows
// no state: for each evaluation it looks back over the list of all of them.
#include <gtest/gtest.h>

#include <random>

#include "sli/test_script.h"

namespace honeylink::telemetry::sli {
namespace {

struct Seen {
  std::int64_t true_ns;
  double value;
};

struct Model {
  Definition d;
  std::vector<Seen> all = {};  // evaluations with data
  std::array<bool, 3> held = {};

  Level level_after(std::int64_t true_ns, double value) {
    all.push_back({true_ns, value});
    const std::array<double, 3> limits{d.yellow, d.orange, d.red};
    for (std::size_t i = 0; i < 3; ++i) {
      const auto last = [&](std::size_t n, auto&& is) {
        return all.size() >= n && std::all_of(all.end() - static_cast<std::ptrdiff_t>(n), all.end(), is);
      };
      const std::size_t n = i == 2 ? 1 : static_cast<std::size_t>(d.consecutive_breaches_required);
      const bool breached = last(n, [&](const Seen& s) { return s.value > limits[i]; }) &&
                            true_ns - all[all.size() - n].true_ns + 5 * kSecond < d.evaluation_window_s * kSecond;
      held[i] = breached || (held[i] && !last(3, [&](const Seen& s) { return s.value <= limits[i]; }));
    }
    return held[2] ? Level::red : held[1] ? Level::orange : held[0] ? Level::yellow : Level::ok;
  }
};

void play(std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  Definition d = packet_loss();
  d.consecutive_breaches_required = static_cast<std::int64_t>(1 + below(4));
  d.evaluation_window_s =
      static_cast<std::int64_t>(d.consecutive_breaches_required * 10 + static_cast<std::int64_t>(below(40)) * 10);
  Played played(d);
  Model model{d};
  Level level = Level::ok;
  std::int64_t true_ns = 0;
  std::size_t changes = 0, told = 0;
  std::vector<std::string> ids;
  double mood = 0.02;
  for (int tick = 0; tick < 400; ++tick) {
    const std::int64_t passed = below(12) == 0 ? static_cast<std::int64_t>(10 + below(600)) * kSecond : 10 * kSecond;
    const std::int64_t jitter = static_cast<std::int64_t>(below(40)) * 1'000'000;
    played.pass(passed + jitter), true_ns += passed + jitter;
    if (below(10) == 0) played.now.unix_ns += (static_cast<std::int64_t>(below(20'000)) - 10'000) * kSecond;
    if (below(10) == 0) played.restart();
    if (below(6) == 0) mood = static_cast<double>(below(300)) / 1000;
    const bool data = below(4) != 0;
    const double lost = std::round(1000 * mood * (0.5 + static_cast<double>(below(1000)) / 1000));
    const Outcome outcome = played.evaluate(data ? lost_of(lost, 1000) : below(2) == 0 ? lost_of(50, 99) : TickData{});
    const Level before = level;
    if (data) level = model.level_after(true_ns, lost / 1000);
    ASSERT_EQ(played.tracker->level(), level) << "tick " << tick;
    changes += before != level && level != Level::ok;
    told += outcome.fired.size();
    ASSERT_EQ(told, changes) << "tick " << tick;
    ASSERT_EQ(outcome.cleared.size(), before != level && before != Level::ok ? 1U : 0U) << "tick " << tick;
    for (const AlertEvent& event : outcome.fired) {
      ids.push_back(event.alert_id);
      ASSERT_EQ(event.severity, level);
      ASSERT_EQ(event.threshold, d.threshold(level));
    }
  }
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
}

TEST(LevelsModel, RandomSeriesWithGapsClockStepsAndRestartsAgree) {
  const auto seed = static_cast<std::uint64_t>(std::random_device{}());
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  for (std::uint64_t i = 0; i < 200 && !testing::Test::HasFailure(); ++i) play(seed + i);
}

}  // namespace
}  // namespace honeylink::telemetry::sli
