// What the series of a home gained in a tick, over all processes.
#pragma once
#include <cstdint>
#include <map>

#include "ring/cell_gains.h"

namespace honeylink::telemetry::engine {

using ring::SeriesGain;
using Gains = std::map<std::uint32_t, SeriesGain>;  // by series of the database

}  // namespace honeylink::telemetry::engine
