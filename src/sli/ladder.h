// The rules of DESIGN 9 by which levels are reached and left, for one SLI: numbers in, a level out. No clock, no
// metrics, no texts.
//
// A rung is reached after `required` consecutive evaluations over its threshold that all lie inside the evaluation
// window, and left after kClearAfter consecutive ones at or below it. An evaluation without data is none: it is not
// handed in, only its time passes. The level is the highest rung that is held. Values; any thread.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "base/events.h"

namespace honeylink::telemetry::sli {

inline constexpr std::uint32_t kClearAfter = 3;
inline constexpr std::size_t kRungs = 3;  // Yellow, Orange, Red

struct Rung {
  bool held = false;
  std::uint32_t clears = 0;        // consecutive evaluations at or below it, while held
  std::vector<std::int64_t> ages;  // ns since each of the last consecutive evaluations over it, oldest first
  friend bool operator==(const Rung&, const Rung&) = default;
};

struct Ladder {
  std::array<Rung, kRungs> rungs;
  [[nodiscard]] Level level() const noexcept;
  [[nodiscard]] Rung& rung(Level level) noexcept { return rungs[static_cast<std::size_t>(level) - 1]; }
  [[nodiscard]] const Rung& rung(Level level) const noexcept { return rungs[static_cast<std::size_t>(level) - 1]; }
  friend bool operator==(const Ladder&, const Ladder&) = default;
};

struct LadderRule {
  std::array<std::uint32_t, kRungs> required{3, 3, 1};
  std::int64_t window_ns = 300'000'000'000;
};

/// Time passes, with or without data.
void age(Ladder& ladder, std::int64_t elapsed_ns);
/// An evaluation with data: which thresholds it was over.
void climb(Ladder& ladder, const LadderRule& rule, const std::array<bool, kRungs>& over);
/// How many of the `required` breaches there are: of the next level; where none is above, or the one above is not
/// nearer, of the level itself.
[[nodiscard]] std::uint32_t consecutive_breaches(const Ladder& ladder, const LadderRule& rule) noexcept;

}  // namespace honeylink::telemetry::sli
