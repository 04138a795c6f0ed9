// When something was, so that a clock that is put forward or back changes nothing (F52): the wall's time for people,
// the kernel's time since boot for distances. Values; any thread.
#pragma once
#include <algorithm>
#include <cstdint>

#include "base/limits.h"

namespace honeylink::telemetry::sli {

struct Moment {
  std::int64_t unix_ns = 0;
  std::int64_t boottime_ns = 0;
  std::uint64_t boot = 0;  // which boot; 0: not known, and only the wall's time counts
  friend bool operator==(const Moment&, const Moment&) = default;
};

/// Time from one to the other, never negative: by the kernel's clock within a boot, else by the wall's.
[[nodiscard]] constexpr std::int64_t elapsed_ns(const Moment& from, const Moment& to) noexcept {
  const bool same_boot = from.boot != 0 && from.boot == to.boot && to.boottime_ns >= from.boottime_ns;
  return same_boot ? to.boottime_ns - from.boottime_ns : std::max<std::int64_t>(0, to.unix_ns - from.unix_ns);
}

/// The end of the tick of the wall clock that was over last.
[[nodiscard]] constexpr std::int64_t tick_begin_ns(std::int64_t unix_ns) noexcept {
  return unix_ns - ((unix_ns % kTickNs) + kTickNs) % kTickNs;
}

/// Is the next evaluation due? At the first commit of another tick of the wall clock, half a tick after the last one at
/// the least. In the second half of a tick only one that is late: a clock step makes one evaluation of 5 to 15 seconds,
/// never an empty one or one twice.
[[nodiscard]] constexpr bool evaluation_due(const Moment& last, const Moment& now) noexcept {
  const std::int64_t begin = tick_begin_ns(now.unix_ns), elapsed = elapsed_ns(last, now);
  if (tick_begin_ns(last.unix_ns) == begin || elapsed < kTickNs / 2) return false;
  return now.unix_ns - begin < kTickNs / 2 || elapsed >= kTickNs * 3 / 2;
}

}  // namespace honeylink::telemetry::sli
