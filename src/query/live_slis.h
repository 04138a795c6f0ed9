// Service levels between two ticks: what the running tick holds so far, by the definitions that the engine judges by.
// The levels themselves are the engine's and change at a tick only. Pure; any thread.
#pragma once
#include <cstdint>
#include <vector>

#include "query/live_reader.h"
#include "query/sli_reader.h"

namespace honeylink::telemetry::query {

struct LiveSli {
  double value = 0;  // NaN: too few samples to judge by
  double count = 0;  // observations, or the denominator, since the tick began
};
[[nodiscard]] LiveSli live_sli(const LiveReader& reader, const SliView& sli);

}  // namespace honeylink::telemetry::query
