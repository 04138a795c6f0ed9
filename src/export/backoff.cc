// See backoff.h.
#include "export/backoff.h"

#include <algorithm>

namespace honeylink::telemetry::exporting {

std::int64_t Backoff::next(std::int64_t asked_ns, bool refusal) {
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  };
  if (refusal) return between(kRefusalWaitNs, kRefusalWaitNs * 12 / 10);
  if (asked_ns > 0) {  // at least that, and a little more, so that not all clients come back at once (C4)
    step_ns_ = std::min(asked_ns, kLongestWaitNs);
    return between(asked_ns, asked_ns + asked_ns / 5);
  }
  step_ns_ = step_ns_ == 0 ? kFirstWaitNs : std::min(step_ns_ * 2, kLongestWaitNs);
  return between(step_ns_ / 2, step_ns_);
}

}  // namespace honeylink::telemetry::exporting
