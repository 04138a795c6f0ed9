// See exports.h.
#include "engine/exports.h"

#include <algorithm>
#include <limits>

#include "base/sketch.h"
#include "engine/rings.h"
#include "export/exporter.h"
#include "ring/cell_gains.h"

namespace honeylink::telemetry::engine {
namespace {

using consent::Signal;

constexpr std::int64_t kTendNs = 1'000'000'000;
constexpr std::int64_t kMillisecondNs = 1'000'000;
constexpr std::int64_t kQuietAfterNs = 1'000'000'000, kQuietLookNs = 1'000'000'000;

exporting::StorePositions positions_of(const Core& core) {
  return {core.traces->spans_stored(), exporting::log_position(core.logs->file_number(), core.logs->committed_bytes()),
          core.last_tick_unix_ns / 1'000'000'000};
}

void count(Core& core, const exporting::ExportReport& report) {
  const exporting::DeliveryReport& its = report.delivery;
  const std::string signal(consent::name_of(report.signal)), transport(exporting::name_of(its.protocol));
  ExportCounts& counts = core.exports.counts[{signal, transport}];
  counts.totals.add(its);
  counts.backlog += report.backlog, counts.in_flight += report.in_flight;
  merge(counts.took_s, its.took_s), merge(counts.failed_after_s, its.failed_after_s);
  for (const std::string& words : its.words) {
    core.own_log->say(OwnLog::kWarn, its.failures != 0 ? "export.failed" : "export.said",
                      {{"exporter_type", transport},
                       {"endpoint", report.endpoint},
                       {"signal", signal},
                       {"retry_count", std::to_string(its.failures)}},
                      words);
  }
  if (report.ended)
    core.own_log->say(OwnLog::kInfo, "export.ended", {{"endpoint", report.endpoint}, {"signal", signal}});
}

/// The audit log says from when to when somebody is sent to.
void write_down(Core& core, const exporting::ExportReport& report) {
  const bool said = report.ended ? core.exports.audited.erase({report.endpoint, report.signal}) != 0
                                 : core.exports.audited.insert({report.endpoint, report.signal}).second;
  if (!said) return;
  core.audit->note(report.ended ? "export.end" : "export.begin",
                   {{"endpoint", report.endpoint}, {"signal", std::string(consent::name_of(report.signal))}});
}

void follow(Core& core) {
  std::vector<std::string> words;
  const bool changed = core.exporter->follow_receipts(positions_of(core), words);
  for (const std::string& said : words) core.own_log->say(OwnLog::kWarn, "export.not_served", {}, said);
  if (!changed) return;
  const bool spans = core.exporter->wants(Signal::traces);
  core.traces->tell_names(spans);
  core.traces->set_span_groups(
      spans ? [exporter = core.exporter.get()](std::uint64_t first,
                                               std::uint64_t last) { return exporter->span_group(first, last); }
            : std::function<int(std::uint64_t, std::uint64_t)>());
  core.exports.spans = spans;
  core.exports.logs = core.exporter->wants(Signal::logs);
  core.exports.metrics = core.exporter->wants(Signal::metrics);
  core.own_log->say(OwnLog::kInfo, "export.serves",
                    {{"traces", spans ? "yes" : "no"},
                     {"logs", core.exports.logs ? "yes" : "no"},
                     {"metrics", core.exports.metrics ? "yes" : "no"}});
}

// Cells do not ring (decision 0008): where nothing has changed for a while, looking less often is what is left.
std::int64_t next_look_ns(const Core& core, std::int64_t now_ns, bool no_rings) {
  if (no_rings) return now_ns + kQuietLookNs;
  const std::int64_t quiet = now_ns - core.exports.cells_changed_ns;
  const std::int64_t interval = core.config.export_.metrics_interval_ms * kMillisecondNs;
  return now_ns + (quiet < kQuietAfterNs ? interval : std::max(interval, std::min(quiet / 10, kQuietLookNs)));
}

void add_gains(Core& core, RingState& ring, std::map<std::uint32_t, SeriesGain>& sums) {
  std::vector<SeriesGain> gains;
  MetricBases next;
  if (!read_gains(*ring.reader, ring.bases, ring.epochs, core.last_tick_unix_ns, gains, next)) return;
  for (std::uint32_t i = 0; i < gains.size(); ++i) {
    if (!gains[i].changed) continue;
    const bool named = i < ring.series_ids.size() && ring.series_ids[i] != kUnknownSeries;
    if (named) merge_gain(sums[ring.series_ids[i]], gains[i]);
    else core.exports.new_series = true;
  }
}

void put_gain(exporting::MetricHandOver& to, std::uint32_t sid, const SeriesGain& gain) {
  exporting::MetricHandOver::Gain& its = to.gains.emplace_back();
  its.delta.sid = sid, its.delta.kind = gain.kind, its.delta.integer = gain.integer, its.delta.real = gain.real;
  its.delta.exemplar = gain.exemplar;
  its.sketch = gain.sketch;
}

}  // namespace

void tend_exports(Core& core, std::int64_t now_ns) {
  if (now_ns < core.exports.tend_at_ns) return;
  core.exports.tend_at_ns = now_ns + kTendNs;
  if (core.exporter == nullptr) {
    const std::string& compression = core.config.export_.compression;
    core.exporter = std::make_unique<exporting::Exporter>(
        exporting::ExporterOptions{core.home, core.clock, static_cast<std::size_t>(core.config.export_.batch_kb) * 1000,
                                   compression == "gzip"   ? exporting::Compression::gzip
                                   : compression == "none" ? exporting::Compression::none
                                                           : exporting::Compression::automatic});
  }
  follow(core);
  for (auto& [of, counts] : core.exports.counts) counts.backlog = counts.in_flight = 0;
  for (const exporting::ExportReport& report : core.exporter->take_reports()) {
    count(core, report);
    write_down(core, report);
  }
}

void hand_over_spans(Core& core) {
  if (!core.exports.spans) return;
  auto spans = std::make_shared<store::SpanHandOver>();
  if (core.traces->hand_over(*spans)) core.exporter->put_spans(std::move(spans));
}

void spans_were_committed(Core& core) {
  if (core.exports.spans) core.exporter->spans_committed(core.traces->spans_stored());
}

void spans_were_discarded(Core& core) {
  if (core.exports.spans) core.exporter->spans_discarded(core.traces->spans_stored());
}

void logs_were_committed(Core& core) {
  if (core.exports.logs)
    core.exporter->logs_committed(exporting::log_position(core.logs->file_number(), core.logs->committed_bytes()));
}

void tick_was_committed(Core& core, std::int64_t tick_unix_s, std::int64_t now_unix_ns,
                        std::span<const MetricDelta> deltas) {
  core.exports.new_series = false;
  if (!core.exports.metrics) return;
  auto gains = std::make_shared<exporting::MetricHandOver>();
  gains->tick = true, gains->tick_unix_s = tick_unix_s, gains->time_unix_ns = now_unix_ns;
  for (const MetricDelta& delta : deltas) {
    exporting::MetricHandOver::Gain& its = gains->gains.emplace_back();
    its.delta = delta;
    if (delta.sketch != nullptr) its.sketch = *delta.sketch;
    its.delta.sketch = nullptr;
  }
  core.exporter->put_metrics(std::move(gains));
}

bool look_at_cells(Core& core, std::int64_t now_ns) {
  if (!core.exports.metrics || now_ns < core.exports.cells_at_ns) return false;
  std::vector<RingState*> rings;
  bool changed = false;
  for (auto& [serial, ring] : core.rings) {
    if (ring->quarantined || ring->phase != RingPhase::live || !ring->reader->same_boot()) continue;
    if (!ring->reader->refresh()) continue;
    changed = ring->reader->cells_changed() || changed;
    rings.push_back(ring.get());
  }
  if (changed) core.exports.cells_changed_ns = now_ns;
  core.exports.cells_at_ns = next_look_ns(core, now_ns, rings.empty());
  if (!changed) return false;
  std::map<std::uint32_t, SeriesGain> sums;
  for (RingState* ring : rings) add_gains(core, *ring, sums);
  auto gains = std::make_shared<exporting::MetricHandOver>();
  gains->time_unix_ns = core.clock->realtime_ns();
  for (const auto& [sid, gain] : sums)
    if (gain.changed) put_gain(*gains, sid, gain);
  if (gains->gains.empty()) return false;
  core.exporter->put_metrics(std::move(gains));
  return true;
}

std::int64_t exports_deadline_ns(const Core& core) {
  std::int64_t deadline = std::numeric_limits<std::int64_t>::max();
  if (core.exports.spans || core.exports.logs || core.exports.metrics) deadline = core.exports.tend_at_ns;
  if (core.exports.metrics) deadline = std::min(deadline, core.exports.cells_at_ns);
  return deadline;
}

}  // namespace honeylink::telemetry::engine
