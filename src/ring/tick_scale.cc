// Ticks to time: TickScale and read_clocks() of reader.h. Called once per drain and ring, never on a recording path.
#include <time.h>

#include "ring/reader.h"
#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace honeylink::telemetry::ring {
namespace {

constexpr std::int64_t kOne = std::int64_t{1} << 48;   // TickScale's fixed point
constexpr std::int64_t kReadingsApartNs = 50'000'000;  // two readings, each right to about 50 ns: 2 parts in a million
constexpr std::int64_t kMeasureNs = 10'000'000;
constexpr double kHzMin = 1e6, kHzMax = 1e11;  // outside: a hostile or broken pair of readings

std::int64_t clock_ns(clockid_t id) noexcept {
  timespec t{};
  clock_gettime(id, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

std::uint64_t ticks_now() noexcept {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return static_cast<std::uint64_t>(clock_ns(CLOCK_MONOTONIC));
#endif
}

// 0: the two readings do not tell.
std::int64_t scale_between(const ClockReading& a, const ClockReading& b) noexcept {
  if (b.ticks <= a.ticks || a.monotonic_ns < 0 || b.monotonic_ns <= a.monotonic_ns) return 0;
  const auto ns = static_cast<double>(b.monotonic_ns - a.monotonic_ns), ticks = static_cast<double>(b.ticks - a.ticks);
  const double hz = ticks / ns * 1e9;
  if (hz < kHzMin || hz > kHzMax) return 0;
  return static_cast<std::int64_t>(static_cast<long double>(ns) / static_cast<long double>(ticks) *
                                   static_cast<long double>(kOne));
}

std::int64_t processor_scale() noexcept {
#if defined(__x86_64__)
  // Leaf 0x15: tsc = crystal * ebx / eax. Leaf 0x16 is a rounded nominal frequency and not good enough.
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid_count(0x15, 0, &eax, &ebx, &ecx, &edx) != 0 && eax != 0 && ebx != 0 && ecx != 0) {
    const double hz = static_cast<double>(ecx) * ebx / eax;
    if (hz >= kHzMin && hz <= kHzMax) return static_cast<std::int64_t>(1e9 / hz * static_cast<double>(kOne));
  }
#endif
  const ClockReading before = read_clocks(ClockSource::tsc);
  const timespec pause{0, kMeasureNs};
  nanosleep(&pause, nullptr);
  const std::int64_t measured = scale_between(before, read_clocks(ClockSource::tsc));
  return measured != 0 ? measured : kOne;
}

std::int64_t tsc_scale(const ClockReading& created, const ClockReading& now) noexcept {
  if (created.monotonic_ns >= 0 && now.monotonic_ns - kReadingsApartNs >= created.monotonic_ns) {
    if (const std::int64_t scale = scale_between(created, now); scale != 0) return scale;
  }
  static const std::int64_t cached = processor_scale();
  return cached;
}

}  // namespace

ClockReading read_clocks(ClockSource source) noexcept {
  ClockReading r{};
  // The tightest of a few: an interrupt between the reading of ticks and of the clock would shift every time of the
  // ring.
  std::uint64_t tightest = ~std::uint64_t{0};
  for (int i = 0; i < 5; ++i) {
    const std::uint64_t before = ticks_now();
    const std::int64_t monotonic = clock_ns(CLOCK_MONOTONIC), realtime = clock_ns(CLOCK_REALTIME);
    const std::uint64_t spent = ticks_now() - before;
    if (spent >= tightest) continue;
    tightest = spent;
    r.ticks = source == ClockSource::tsc ? before + spent / 2 : static_cast<std::uint64_t>(monotonic);
    r.monotonic_ns = monotonic;
    r.realtime_ns = realtime;
  }
  r.boottime_ns = clock_ns(CLOCK_BOOTTIME);
  return r;
}

TickScale::TickScale(ClockSource source, const ClockReading& created, const ClockReading& now) noexcept
    : ns_per_tick_(source == ClockSource::tsc ? tsc_scale(created, now) : kOne),
      ticks_(now.ticks),
      unix_ns_(now.realtime_ns) {}

}  // namespace honeylink::telemetry::ring
