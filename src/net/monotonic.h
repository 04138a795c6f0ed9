// The clock by which this room waits: CLOCK_MONOTONIC, as ngtcp2 and poll(2) have it. Any thread.
#pragma once
#include <time.h>

#include <cstdint>

namespace honeylink::telemetry::net {

inline std::int64_t now_ns() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

}  // namespace honeylink::telemetry::net
