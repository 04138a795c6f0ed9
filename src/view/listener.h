// The one socket that listens: on 127.0.0.1 and nowhere else (I-5). Main thread.
#pragma once
#include <cstdint>
#include <string>

#include "base/file.h"
#include "query/problem.h"

namespace honeylink::telemetry::view {

struct Listener {
  Fd socket;
  std::uint16_t port = 0;
};
/// `port` 0: a free one. Where it is taken: environment, and `why` names who holds it, as far as /proc tells.
[[nodiscard]] query::Answer<Listener> listen_on_loopback(std::uint16_t port);

}  // namespace honeylink::telemetry::view
