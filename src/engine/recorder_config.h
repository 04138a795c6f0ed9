// What recorders need of config.toml, for run/recorder.opts.
#pragma once
#include "config/config.h"
#include "ring/recorder_opts.h"

namespace honeylink::telemetry::engine {

[[nodiscard]] ring::RecorderOpts recorder_opts_of(const config::Config& config) noexcept;

}  // namespace honeylink::telemetry::engine
