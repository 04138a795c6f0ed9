// See budget.h.
#include "sli/budget.h"

#include <algorithm>

#include "base/limits.h"

namespace honeylink::telemetry::sli {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
// History lies before this, and no slot has a negative number.
constexpr std::int64_t kLineBegin = std::int64_t{40} * 86'400 * kSecondNs;

// Evaluations come every ten seconds with some milliseconds of jitter: half a tick keeps each in its slot.
std::int64_t slot_of(std::size_t window, std::int64_t at_ns) noexcept {
  return (at_ns + kTickNs / 2) / (kWindowShapes[window].step_s * kSecondNs);
}

std::size_t place(const std::vector<Share>& ring, std::int64_t slot) noexcept {
  return static_cast<std::size_t>(slot) % ring.size();
}

}  // namespace

Budget::Budget() : line_ns_(kLineBegin) {
  for (std::size_t w = 0; w < kWindows; ++w) {
    windows_[w].ring.resize(static_cast<std::size_t>(kWindowShapes[w].length_s / kWindowShapes[w].step_s));
    windows_[w].newest = slot_of(w, line_ns_);
  }
}

void Budget::put(std::size_t window, std::int64_t at_ns, const Share& share) {
  Slots& slots = windows_[window];
  const auto size = static_cast<std::int64_t>(slots.ring.size());
  const std::int64_t slot = slot_of(window, at_ns);
  if (slot <= slots.newest - size) return;
  for (std::int64_t i = std::max(slots.newest + 1, slot - size + 1); i <= slot; ++i)
    slots.ring[place(slots.ring, i)] = {};
  slots.newest = std::max(slots.newest, slot);
  slots.ring[place(slots.ring, slot)] += share;
}

void Budget::load(std::int64_t age_ns, const Share& share) {
  const std::int64_t at = line_ns_ - std::max<std::int64_t>(0, age_ns);
  if (at < 0) return;
  for (std::size_t w = 0; w < kWindows; ++w) put(w, at, share);
}

void Budget::add(std::int64_t elapsed_ns, const Share& share) {
  line_ns_ += std::max<std::int64_t>(0, elapsed_ns);
  for (std::size_t w = 0; w < kWindows; ++w) put(w, line_ns_, share);
}

Share Budget::over(Window window, std::int64_t elapsed_ns, const Share& share) const noexcept {
  const auto w = static_cast<std::size_t>(window);
  const Slots& slots = windows_[w];
  const auto size = static_cast<std::int64_t>(slots.ring.size());
  const std::int64_t now = slot_of(w, line_ns_ + std::max<std::int64_t>(0, elapsed_ns));
  Share sum = share;
  for (std::int64_t i = std::max(slots.newest, now) - size + 1; i <= slots.newest; ++i)
    sum += slots.ring[place(slots.ring, i)];
  return sum;
}

}  // namespace honeylink::telemetry::sli
