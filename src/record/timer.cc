// DurationHistogram::Timer: reads the recorder's own clock twice.
#include "honeylink/metrics.h"
#include "record/process.h"
#include "record/ticks.h"

namespace honeylink::telemetry {
namespace {

std::int64_t monotonic_ns() noexcept {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

}  // namespace

DurationHistogram::Timer::Timer(Bound bound) noexcept : bound_(bound), start_(monotonic_ns()) {}

Duration DurationHistogram::Timer::stop() noexcept {
  Duration elapsed;
  elapsed.ns = monotonic_ns() - start_;
  if (armed_) bound_.record(elapsed);
  armed_ = false;
  return elapsed;
}

}  // namespace honeylink::telemetry
