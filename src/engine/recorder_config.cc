// See recorder_config.h. Slow limits are the orange thresholds of the levels that are quantiles of a histogram; the
// numerators of ratios keep an exemplar.
#include "engine/recorder_config.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace honeylink::telemetry::engine {

ring::RecorderOpts recorder_opts_of(const config::Config& config) noexcept {
  ring::RecorderOpts opts;
  const auto copy = [](auto& to, std::string_view from) {
    const std::size_t n = std::min(from.size(), sizeof to - 1);
    std::memset(to, 0, sizeof to);
    std::memcpy(to, from.data(), n);
  };
  const config::TelemetryConfig& telemetry = config.telemetry;
  copy(opts.environment, telemetry.environment);
  opts.retroactive = telemetry.retroactive ? 1 : 0;
  opts.ring_bytes = static_cast<std::uint64_t>(telemetry.ring_mb) << 20;
  opts.sampler_arg = telemetry.sampler_arg;
  // The default sampler depends on the environment ("development" keeps all), so only another choice is handed on.
  const config::TelemetryConfig usual;
  if (telemetry.sampler == "always_on") opts.sampler = ring::SamplerOption::always_on;
  else if (telemetry.sampler == "always_off" || telemetry.sampler == "parentbased_always_off")
    opts.sampler = ring::SamplerOption::always_off;
  else if (telemetry.sampler == "traceidratio") opts.sampler = ring::SamplerOption::ratio;
  else if (telemetry.sampler == "parentbased_always_on") opts.sampler = ring::SamplerOption::parent_based_always_on;
  else if (telemetry.sampler_arg != usual.sampler_arg) opts.sampler = ring::SamplerOption::parent_based_ratio;
  for (const auto& sli : config.slis) {
    const std::string& metric = sli.ratio.size() == 2 ? sli.ratio[0] : sli.of;
    if (metric.empty() || metric.size() >= sizeof(ring::SlowLimit::metric) ||
        opts.slow_limit_count >= ring::kSlowLimitsMax)
      continue;
    ring::SlowLimit& limit = opts.slow_limits[opts.slow_limit_count++];
    copy(limit.metric, metric);
    limit.limit = sli.of.empty() ? ring::kKeepsExemplar : sli.orange;
  }
  return opts;
}

}  // namespace honeylink::telemetry::engine
