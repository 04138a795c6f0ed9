// One request and what it stands for. A plain value.
#pragma once
#include <cstdint>
#include <string>

#include "export/acked.h"

namespace honeylink::telemetry::exporting {

struct Batch {
  std::string request;  // empty: there is nothing to be sent of the range
  Range range;          // acknowledged by its delivery; empty where more of the same range follows
  std::uint64_t items = 0;
  std::uint64_t unreadable = 0;  // damaged, or without the keys that make their ids
  std::uint64_t expired = 0;     // no longer stored
  bool live = false;
  bool part = false;  // its delivery settles nothing: more of the same records follows, or newer values will
};

/// A request of earlier records: small, so that live ones never wait for long.
inline constexpr std::size_t kBackfillBytes = std::size_t{512} << 10;

}  // namespace honeylink::telemetry::exporting
