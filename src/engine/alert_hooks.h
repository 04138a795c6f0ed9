// Who is told of alerts, after they are committed; nobody where a function is empty. Called on the engine's thread:
// none of them may block.
#pragma once
#include <functional>
#include <span>

#include "base/events.h"

namespace honeylink::telemetry::engine {

struct AlertHooks {
  std::function<void(const AlertEvent&)> fired, cleared;
  std::function<void(std::span<const AlertEvent>)> restore;  // these fire, and were told by an earlier engine
};

}  // namespace honeylink::telemetry::engine
