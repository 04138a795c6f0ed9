// See self_metrics.h. Names are the interface: dashboards and `honeytel health` know them.
#include "engine/self_metrics.h"

#include "base/counters.h"
#include "engine/export_metrics.h"
#include "engine/self_teller.h"
#include "export/exporter.h"

namespace honeylink::telemetry::engine {

Core::Core() : self_metrics(std::make_unique<SelfMetrics>()) {}
Core::~Core() = default;

namespace {

void tell_signal(SelfTeller& tell, const char* event_type, const char* processor, const store::Counts& totals) {
  tell.counter("telemetry_events_recorded_total", "{event}", {{"event_type", event_type}, {"result", "stored"}},
               totals.stored);
  for (const auto& [reason, n] : totals.dropped)
    tell.counter("telemetry_events_recorded_total", "{event}", {{"event_type", event_type}, {"result", reason}}, n);
  if (processor == nullptr) return;
  tell.counter(processor, std::string_view(event_type) == "span" ? "{span}" : "{log_record}",
               {{"otel.component.type", "honeylink_engine"}}, totals.stored);
  for (const auto& [reason, n] : totals.dropped) {
    if (reason != "sampled_out")
      tell.counter(processor, std::string_view(event_type) == "span" ? "{span}" : "{log_record}",
                   {{"error.type", reason}, {"otel.component.type", "honeylink_engine"}}, n);
  }
}

void tell_way(SelfTeller& tell, const char* way, const alert::WayCounts& counts) {
  const auto counter = [&](const char* result, std::uint64_t n) {
    tell.counter("telemetry_alert_deliveries_total", "{alert}", {{"way", way}, {"result", result}}, n);
  };
  counter("delivered", counts.delivered), counter("superseded", counts.superseded), counter("refused", counts.refused);
  counter("failed", counts.failed), counter("unreachable", counts.unreachable);
  counter("not_allowed", counts.not_allowed);
}

}  // namespace

std::size_t add_self_metrics(Core& core, Gains& gains) {
  SelfTeller tell(core, gains);
  tell_signal(tell, "span", "otel.sdk.processor.span.processed", core.traces->totals());
  store::Counts logs = core.logs->totals();
  tell_signal(tell, "log", "otel.sdk.processor.log.processed", logs);
  tell.counter("telemetry_events_recorded_total", "{event}", {{"event_type", "metric"}, {"result", "stored"}},
               core.self.metrics_stored);
  double rings = 0;
  for (const auto& [serial, ring] : core.rings) rings += static_cast<double>(ring->reader->header().file_bytes);
  tell.gauge("telemetry_buffer_size_bytes", "By", {{"buffer_type", "rings"}}, rings);
  tell.gauge("otel.sdk.processor.span.queue.capacity", "{span}", {{"otel.component.type", "honeylink_engine"}},
             rings / 88);
  if (const alert::Outbox* outbox = core.ways.outbox(); outbox != nullptr) {
    const alert::OutboxCounts counts = outbox->counts();
    tell_way(tell, "toast", counts.toast);
    tell_way(tell, "alertmanager", counts.alertmanager);
  }
  tell.counter("telemetry_retroactive_refused_total", "{trace}", {}, core.retro.over_budget);
  tell.counter("telemetry_rings_ignored_total", "{ring}", {}, core.self.hostile_rings);
  tell.counter("telemetry_config_problems_total", "{problem}", {}, core.self.config_problems);
  tell.counter("telemetry_clock_steps_total", "{step}", {}, core.self.clock_steps);
  tell.counter("telemetry_commits_failed_total", "{commit}", {}, core.self.commits_failed);
  const scrub::ScrubCounts& scrubbed = core.scrubber->counts();
  const char* const kName = "telemetry_scrubbed_total";
  tell.counter(kName, "{item}", {{"result", "hashed"}}, scrubbed.hashed);
  tell.counter(kName, "{item}", {{"result", "refused_key"}}, scrubbed.refused_key);
  tell.counter(kName, "{item}", {{"result", "refused_no_key"}}, scrubbed.refused_no_key);
  tell.counter(kName, "{item}", {{"result", "refused_size"}}, scrubbed.refused_size);
  tell.counter(kName, "{item}", {{"result", "invalid_utf8"}}, scrubbed.invalid_utf8);
  for (std::size_t i = 1; i < scrubbed.refused_value.size(); ++i)
    tell.counter(kName, "{item}",
                 {{"result", "refused_" + std::string(scrub::finding_name(static_cast<scrub::Finding>(i)))}},
                 scrubbed.refused_value[i]);
  return tell.told();
}

std::size_t add_alert_counters(Core& core, Gains& gains, const SliWatch::Triggered& triggered) {
  SelfTeller tell(core, gains);
  for (const auto& [of, n] : triggered)
    tell.counter("telemetry_alerts_triggered_total", "{alert}", {{"severity", of.first}, {"sli_name", of.second}}, n);
  return tell.told();
}

void add_recorder_counters(Core& core, RingState& ring, MetricBases& next, Gains& gains) {
  const auto& counters = ring.reader->live().counters;
  next.counters = ring.bases.counters;
  for (std::size_t i = 0; i < kProcessCounterNames.size(); ++i) {
    const std::uint64_t gained = counters[i] - next.counters[i];
    if (gained == 0) continue;
    next.counters[i] = counters[i];
    SeriesGain gain;
    gain.kind = MetricType::counter, gain.changed = true, gain.integer = gained;
    const std::uint32_t sid = self_series(core, MetricType::counter, "telemetry_recorder_refusals_total", "{call}",
                                          {{"reason", std::string(kProcessCounterNames[i])}}, &ring.source().resource);
    merge_gain(gains[sid], gain);
  }
}

void settle_self_metrics(Core& core) {
  core.self_metrics->told = core.self_metrics->now;
  settle_export_metrics(core);
}
void forget_self_series(Core& core) {
  // Differences go on from what was told, under the new numbers: told again from here.
  core.self_metrics->ids.clear();
  core.self_metrics->told.clear();
  core.self_metrics->now.clear();
}

}  // namespace honeylink::telemetry::engine
