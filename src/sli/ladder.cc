// See ladder.h.
#include "sli/ladder.h"

#include <algorithm>

#include "base/limits.h"

namespace honeylink::telemetry::sli {
namespace {

// An evaluation judges the tick before it: it is inside the window if that whole tick is. Ticks come with some
// milliseconds of jitter, hence half of one.
bool inside(std::int64_t age_ns, const LadderRule& rule) noexcept { return age_ns + kTickNs / 2 < rule.window_ns; }

}  // namespace

Level Ladder::level() const noexcept {
  for (std::size_t i = kRungs; i > 0; --i) {
    if (rungs[i - 1].held) return static_cast<Level>(i);
  }
  return Level::ok;
}

void age(Ladder& ladder, std::int64_t elapsed_ns) {
  for (Rung& rung : ladder.rungs) {
    for (std::int64_t& age : rung.ages) age += elapsed_ns;
  }
}

void climb(Ladder& ladder, const LadderRule& rule, const std::array<bool, kRungs>& over) {
  for (std::size_t i = 0; i < kRungs; ++i) {
    Rung& rung = ladder.rungs[i];
    if (!over[i]) {
      rung.ages.clear();
      if (rung.held && ++rung.clears >= kClearAfter) rung.held = false, rung.clears = 0;
      continue;
    }
    rung.clears = 0;
    rung.ages.push_back(0);
    while (rung.ages.size() > rule.required[i]) rung.ages.erase(rung.ages.begin());
    if (rung.ages.size() == rule.required[i] && inside(rung.ages.front(), rule)) rung.held = true;
  }
}

std::uint32_t consecutive_breaches(const Ladder& ladder, const LadderRule& rule) noexcept {
  const auto breaches = [&](std::size_t i) {
    const auto& ages = ladder.rungs[i].ages;
    return static_cast<std::uint32_t>(
        std::count_if(ages.begin(), ages.end(), [&](std::int64_t age_ns) { return inside(age_ns, rule); }));
  };
  // Red takes one: what is on its way up counts towards Yellow or Orange.
  switch (ladder.level()) {
    case Level::ok:
      return breaches(0);
    case Level::yellow:
      return breaches(1) > 0 ? breaches(1) : breaches(0);
    default:
      return breaches(static_cast<std::size_t>(ladder.level()) - 1);
  }
}

}  // namespace honeylink::telemetry::sli
