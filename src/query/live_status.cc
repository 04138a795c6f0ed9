// See live_status.h.
#include "query/live_status.h"

#include "query/database.h"
#include "query/ledger.h"
#include "query/paths.h"
#include "query/status.h"
#include "store/metric_scan.h"

namespace honeylink::telemetry::query {

LiveStatus read_live_status(const std::string& home) {
  LiveStatus status;
  status.engine = read_engine(home).mode;
  if (const auto balance = read_balance(home); balance.ok()) {
    for (const SignalBalance* signal : {&balance.value().metrics, &balance.value().spans, &balance.value().logs}) {
      status.in_ring += signal->in_ring;
      for (const auto& [reason, n] : signal->counts.dropped) status.lost += is_loss(reason) ? n : 0;
    }
  }
  if (auto metrics = open_database(metrics_path(home)); metrics.ok()) {
    const std::int64_t tick = metrics.value().integer(
        "SELECT max(t) FROM (SELECT max(tick) AS t FROM hot UNION ALL SELECT max(t1) - 10 FROM seg)", 0);
    if (tick != 0) status.newest_point_unix_s = tick + store::kTiers[0].step_s;
  }
  return status;
}

}  // namespace honeylink::telemetry::query
