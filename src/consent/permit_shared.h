// What the copies of a permit share. For gate.cc, which makes it, and refusals.cc; nobody else includes this.
#pragma once
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "consent/gate.h"

namespace honeylink::telemetry::consent {

struct Permit::Shared {
  Receipt receipt;
  std::string home, path, ca_pem;
  FileIdentity identity;
  const Clock* clock = nullptr;
  std::int64_t boottime_end_ns = 0;  // a clock that is set back prolongs nothing
};

}  // namespace honeylink::telemetry::consent
