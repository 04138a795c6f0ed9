// See ticks.h.
#include "record/ticks.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

namespace honeylink::telemetry::internal {

constinit bool ticks_are_tsc = false;

ring::ClockSource detect_clock_source() noexcept {
#ifdef __x86_64__
  char name[16] = {};
  const int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ring::ClockSource::monotonic_ns;
  const ssize_t size = read(fd, name, sizeof name - 1);
  close(fd);
  if (size >= 3 && std::strncmp(name, "tsc", 3) == 0) return ring::ClockSource::tsc;
#endif
  return ring::ClockSource::monotonic_ns;
}

}  // namespace honeylink::telemetry::internal
