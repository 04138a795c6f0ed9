// The recorder's clock: the TSC where the kernel itself uses it as its clock source (then it is invariant and in step
// on all processors), else CLOCK_MONOTONIC. Converted to time by whoever reads the ring (ring::TickScale).
#pragma once
#include <time.h>

#include <cstdint>
#ifdef __x86_64__
#include <x86intrin.h>
#endif

#include "ring/layout.h"

namespace honeylink::telemetry::internal {

/// What this machine allows; looked up once per process.
[[nodiscard]] ring::ClockSource detect_clock_source() noexcept;

[[gnu::visibility("hidden")]] extern constinit bool ticks_are_tsc;  // set at first use, before any record

/// Where a function should have no call in its middle, it exists once for each clock.
enum class Clock : std::uint8_t { tsc, monotonic };
template <Clock kClock>
[[nodiscard]] inline std::uint64_t read_clock() noexcept {
#ifdef __x86_64__
  if constexpr (kClock == Clock::tsc) return __rdtsc();
#endif
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000ULL + static_cast<std::uint64_t>(now.tv_nsec);
}
[[nodiscard]] inline std::uint64_t ticks_now() noexcept {
  return ticks_are_tsc ? read_clock<Clock::tsc>() : read_clock<Clock::monotonic>();
}

[[nodiscard]] inline std::int64_t unix_ns_now() noexcept {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace honeylink::telemetry::internal
