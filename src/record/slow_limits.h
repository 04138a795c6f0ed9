// From which value on an observation marks its span as slow (DESIGN 9, orange thresholds; run/recorder.opts). Set by
// start().
#pragma once
#include <string_view>

#include "ring/recorder_opts.h"

namespace honeylink::telemetry::internal {

void set_slow_limits(const ring::RecorderOpts& opts) noexcept;
/// In the metric's own unit; +infinity where it has none.
[[nodiscard]] double slow_limit_for(std::string_view metric) noexcept;

}  // namespace honeylink::telemetry::internal
