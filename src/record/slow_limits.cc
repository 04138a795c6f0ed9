// See slow_limits.h.
#include "record/slow_limits.h"

#include <limits>

namespace honeylink::telemetry::internal {
namespace {

struct Limits {
  ring::RecorderOpts opts;
  bool set = false;
};
constinit Limits limits{};

}  // namespace

void set_slow_limits(const ring::RecorderOpts& opts) noexcept {
  limits.opts = opts;
  limits.set = true;
}

double slow_limit_for(std::string_view metric) noexcept {
  if (!limits.set) set_slow_limits(ring::default_recorder_opts());
  for (std::uint32_t i = 0; i < limits.opts.slow_limit_count; ++i)
    if (metric == limits.opts.slow_limits[i].metric) return limits.opts.slow_limits[i].limit;
  return std::numeric_limits<double>::infinity();
}

int exemplar_name_of(std::string_view counter) noexcept {
  if (!limits.set) set_slow_limits(ring::default_recorder_opts());
  for (std::uint32_t i = 0; i < limits.opts.slow_limit_count; ++i) {
    const ring::SlowLimit& asked = limits.opts.slow_limits[i];
    if (asked.limit == ring::kKeepsExemplar && counter == asked.metric) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace honeylink::telemetry::internal
