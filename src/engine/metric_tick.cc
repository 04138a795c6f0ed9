// See metric_tick.h. Order: gains from the cells, bases into the other file, then rows + file number + checksum in one
// commit.
#include "engine/metric_tick.h"

#include <algorithm>

#include "base/killpoint.h"
#include "base/limits.h"
#include "engine/bases.h"
#include "engine/export_metrics.h"
#include "engine/exports.h"
#include "engine/ledger.h"
#include "engine/retro_keep.h"
#include "engine/self_metrics.h"

namespace honeylink::telemetry::engine {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

std::uint32_t series_of(Core& core, RingState& ring, std::uint32_t id) {
  if (ring.series_ids.size() <= id) ring.series_ids.resize(ring.reader->series().size(), kUnknownSeries);
  std::uint32_t& known = ring.series_ids[id];
  if (known == kUnknownSeries) {
    SeriesInfo info = ring.reader->series()[id].info;
    const ResourceInfo& resource = ring.source().resource;
    info.service_name = resource.service_name, info.module = resource.module, info.environment = resource.environment;
    core.scrubber->clean(info);
    known = core.metrics->series_id(info);
    core.slis.learn(core, known, info);
  }
  return known;
}

struct Tick {
  Gains gains;
  AllBases bases;
  std::map<std::uint64_t, MetricBases> next;  // by serial
};

void gather(Core& core, RingState& ring, Tick& tick) {
  if (!core.metrics_failing && ring.phase == RingPhase::live) {
    ring.epochs.before = ring.epochs.now;
    if (ring.reader->set_tick_epoch(ring.epochs.now + 1)) ++ring.epochs.now;
  }
  std::vector<SeriesGain> gains;
  MetricBases next;
  if (!ring.reader->refresh() ||
      !read_gains(*ring.reader, ring.bases, ring.epochs, core.last_tick_unix_ns, gains, next)) {
    tick.bases[ring.id] = ring.bases;
    return;
  }
  for (std::uint32_t i = 0; i < gains.size(); ++i) {
    if (!gains[i].changed) continue;
    if (gains[i].exemplar.present) mark_trace_id(core, ring, gains[i].exemplar.trace_id, "exemplar");
    merge_gain(tick.gains[series_of(core, ring, i)], gains[i]);
  }
  add_recorder_counters(core, ring, next, tick.gains);
  tick.bases[ring.id] = next;
  tick.next.emplace(ring.serial, std::move(next));
}

std::vector<MetricDelta> deltas_of(const Tick& tick) {
  std::vector<MetricDelta> deltas;
  for (const auto& [sid, gain] : tick.gains) {
    if (!gain.changed) continue;
    MetricDelta delta;
    delta.sid = sid, delta.kind = gain.kind, delta.integer = gain.integer, delta.real = gain.real;
    if (gain.kind == MetricType::histogram) delta.sketch = &gain.sketch;
    delta.exemplar = gain.exemplar;
    deltas.push_back(delta);
  }
  return deltas;
}

// Dead rings whose last differences are committed may go.
void settle(Core& core, Tick& tick) {
  for (auto& [serial, next] : tick.next) {
    RingState* ring = find_ring(core, serial);
    if (ring == nullptr) continue;
    ring->bases = std::move(next);
    if (ring->phase == RingPhase::awaiting_tick) ring->phase = RingPhase::unlink;
  }
}

bool awaits_tick(const Core& core) {
  return std::any_of(core.rings.begin(), core.rings.end(),
                     [](const auto& known) { return known.second->phase == RingPhase::awaiting_tick; });
}

}  // namespace

void restore_bases(Core& core) {
  const store::BaseSlot slot = core.metrics->base_slot();
  core.bases_lost = slot.number >= 0 && !read_bases(core.home, slot, core.known_bases);
}

void metrics_failed(Core& core, store::CommitResult result) {
  ++core.self.commits_failed;
  if (result == store::CommitResult::fenced) core.fenced = true;
  std::string said;
  if (result == store::CommitResult::damaged && core.metrics->recover(said)) {
    core.own_log->say(OwnLog::kError, "store.damaged", {{"store", "metrics"}}, said);
    for (auto& [serial, ring] : core.rings) ring->series_ids.clear();
    forget_self_series(core);
    core.slis.forget_series();
  } else if (!core.metrics_failing && result != store::CommitResult::fenced) {
    core.own_log->say(OwnLog::kWarn, "store.failing", {{"store", "metrics"}, {"result", std::string(name_of(result))}},
                      core.metrics->why());
  }
  core.metrics_failing = true;
  core.metrics_retry_at_ns = core.now_ns() + kSecondNs;
}

bool commit_tick(Core& core, bool durable) {
  Tick tick;
  for (auto& [serial, ring] : core.rings) {
    if (!ring->quarantined && ring->reader->same_boot()) gather(core, *ring, tick);
  }
  std::size_t own = add_self_metrics(core, tick.gains);
  const store::SliTick& slis = core.slis.judge(core, tick.gains);
  own += add_alert_counters(core, tick.gains, core.slis.triggered());
  own += add_export_metrics(core, tick.gains);
  const std::vector<MetricDelta> deltas = deltas_of(tick);
  store::Counts counts = core.metric_pending;
  counts.accepted += deltas.size(), counts.stored += deltas.size();
  const store::LedgerSnapshot ledger = take_ledger(core, counts);
  const bool ledger_same = core.last_ledger && same_ledger(*core.last_ledger, ledger);
  if (deltas.empty() && ledger_same && !awaits_tick(core) && core.metric_pending.empty() &&
      !core.slis.worth_a_commit()) {
    core.slis.settle(core);
    return true;
  }
  const store::BaseSlot before = core.metrics->base_slot();
  const int number = before.number == 0 ? 1 : 0;
  std::uint64_t crc = 0;
  std::string why;
  killpoint("sli.after_judging");
  killpoint("metric.before_bases");
  if (!write_bases(core.home, number, core.metrics->next_commit_no(), tick.bases, crc, why))
    return metrics_failed(core, store::CommitResult::no_space), false;
  killpoint("metric.after_bases");
  const std::int64_t now = core.clock->realtime_ns();
  const std::int64_t tick_s = now / kTickNs * (kTickNs / kSecondNs);
  const auto result = core.metrics->commit_tick(tick_s, deltas, number, crc, counts, ledger, durable, &slis);
  if (result != store::CommitResult::ok) return metrics_failed(core, result), false;
  killpoint("metric.after_tick");
  core.metrics_failing = false;
  core.metric_pending = {};
  core.last_ledger = ledger;
  core.last_tick_unix_ns = now;
  core.self.metrics_stored += deltas.size() - own;
  tick_was_committed(core, tick_s, now, deltas);
  settle_self_metrics(core);
  settle(core, tick);
  killpoint("sli.after_commit");
  core.slis.settle(core);
  killpoint("sli.after_telling");
  return true;
}

std::int64_t next_tick_ns(const Core& core) {
  if (core.metrics_failing) return core.metrics_retry_at_ns;
  const std::int64_t wall = core.clock->realtime_ns();
  const std::int64_t into = ((wall % kTickNs) + kTickNs) % kTickNs;
  return core.now_ns() + kTickNs - into;
}

}  // namespace honeylink::telemetry::engine
