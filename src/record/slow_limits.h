// What the engine asks of metrics by name (run/recorder.opts): from which value on an observation marks its span as slow
// (DESIGN 9, orange thresholds), and which counters keep an exemplar. Set by start().
#pragma once
#include <string_view>

#include "ring/recorder_opts.h"

namespace honeylink::telemetry::internal {

void set_slow_limits(const ring::RecorderOpts& opts) noexcept;
/// In the metric's own unit; +infinity where it has none.
[[nodiscard]] double slow_limit_for(std::string_view metric) noexcept;
/// The number of a counter's name among those that keep an exemplar; negative: it keeps none.
[[nodiscard]] int exemplar_name_of(std::string_view counter) noexcept;

}  // namespace honeylink::telemetry::internal
