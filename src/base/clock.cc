// The system's clocks behind clock.h. The object lives as long as the process: nothing runs at its end.
#include "base/clock.h"

#include <time.h>

#include <new>

namespace honeylink::telemetry {
namespace {

std::int64_t read_ns(clockid_t id) noexcept {
  timespec now{};
  clock_gettime(id, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t realtime_ns() const noexcept override { return read_ns(CLOCK_REALTIME); }
  [[nodiscard]] std::int64_t monotonic_ns() const noexcept override { return read_ns(CLOCK_MONOTONIC); }
  [[nodiscard]] std::int64_t boottime_ns() const noexcept override { return read_ns(CLOCK_BOOTTIME); }
};

}  // namespace

const Clock& system_clock() noexcept {
  alignas(SystemClock) static unsigned char memory[sizeof(SystemClock)];
  static const Clock* const clock = ::new (static_cast<void*>(memory)) SystemClock;
  return *clock;
}

}  // namespace honeylink::telemetry
