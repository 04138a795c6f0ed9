// See upkeep.h.
#include "engine/upkeep.h"

#include "base/limits.h"
#include "engine/commit.h"
#include "engine/metric_tick.h"

namespace honeylink::telemetry::engine {
namespace {

constexpr std::int64_t kBudgetNs = 5'000'000;  // of each 20 ms under load: 400,000 spans/s at the least
// Points do not wait for each other: an hour is packed when it is over, and without ticks only time makes work.
constexpr std::int64_t kMetricsIdleNs = 600'000'000'000;

bool tend_traces(Core& core, std::int64_t now) {
  Upkeep& upkeep = core.upkeep;
  if (now < upkeep.traces_at_ns) return false;
  const store::Upkeep did = core.traces->maintain(core.clock->realtime_ns(), kBudgetNs);
  const bool goes_on = did.more && did.result == store::CommitResult::ok;
  upkeep.traces_at_ns = goes_on ? now : now + kTickNs;
  if (did.result == store::CommitResult::damaged) store_failed(core, kTraceSink, did.result, core.traces->why());
  return goes_on;
}

bool tend_metrics(Core& core, std::int64_t now) {
  Upkeep& upkeep = core.upkeep;
  const bool ticked = core.last_tick_unix_ns != upkeep.metrics_seen_unix_ns;
  if (core.metrics_failing || (!ticked && now < upkeep.metrics_at_ns)) return false;
  const store::MetricUpkeep did = core.metrics->maintain(core.clock->realtime_ns() / 1'000'000'000, kBudgetNs);
  const bool goes_on = did.more && did.result == store::CommitResult::ok;
  if (!goes_on) upkeep.metrics_seen_unix_ns = core.last_tick_unix_ns;
  upkeep.metrics_at_ns = goes_on ? now : now + kMetricsIdleNs;
  if (did.result == store::CommitResult::damaged) metrics_failed(core, did.result);
  return goes_on;
}

}  // namespace

bool tend_stores(Core& core) {
  const std::int64_t now = core.now_ns();
  const bool traces = tend_traces(core, now);
  return tend_metrics(core, now) || traces;
}

}  // namespace honeylink::telemetry::engine
