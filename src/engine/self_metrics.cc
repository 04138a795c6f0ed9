// See self_metrics.h. Names are the interface: dashboards and `honeytel health` know them.
#include "engine/self_metrics.h"

#include <bit>

#include "base/counters.h"
#include "export/exporter.h"

namespace honeylink::telemetry::engine {

struct SelfMetrics {
  std::map<std::string, std::uint32_t> ids;          // by a key made of name and labels
  std::map<std::uint32_t, std::uint64_t> told, now;  // counters: cumulative; gauges: bits of the value
};

Core::Core() : self_metrics(std::make_unique<SelfMetrics>()) {}
Core::~Core() = default;

namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

std::uint32_t series_of(Core& core, MetricType kind, const std::string& name, const char* unit, const Labels& labels,
                        const ResourceInfo* resource) {
  SelfMetrics& self = *core.self_metrics;
  std::string key = name;
  for (const auto& [label, value] : labels) key += '\n' + label + '=' + value;
  if (resource != nullptr)
    key += '\n' + resource->service_name + '\n' + resource->module + '\n' + resource->environment;
  const auto [at, fresh] = self.ids.try_emplace(key, 0U);
  if (fresh) {
    SeriesInfo info;
    info.name = name, info.unit = unit, info.kind = kind, info.labels = labels;
    info.scope_name = "honeytel.engine";
    info.service_name = resource == nullptr ? "honeytel" : resource->service_name;
    info.module = resource == nullptr ? "telemetry" : resource->module;
    info.environment = resource == nullptr ? core.config.telemetry.environment : resource->environment;
    at->second = core.metrics->series_id(info);
    core.slis.learn(core, at->second, info);
  }
  return at->second;
}

class Teller {
 public:
  Teller(Core& core, Gains& gains) : core_(core), self_(*core.self_metrics), gains_(gains) {}

  /// A cumulative count; the difference is told.
  void counter(const std::string& name, const char* unit, const Labels& labels, std::uint64_t total) {
    if (total == 0) return;
    const std::uint32_t sid = series_of(core_, MetricType::counter, name, unit, labels, nullptr);
    self_.now[sid] = total;
    const std::uint64_t gained = total - self_.told[sid];
    if (gained == 0) return;
    SeriesGain gain;
    gain.kind = MetricType::counter, gain.changed = true, gain.integer = gained;
    add(sid, gain);
  }
  void gauge(const std::string& name, const char* unit, const Labels& labels, double value) {
    const std::uint32_t sid = series_of(core_, MetricType::gauge, name, unit, labels, nullptr);
    self_.now[sid] = std::bit_cast<std::uint64_t>(value + 1);  // 0 is "never told"
    if (self_.told[sid] == self_.now[sid]) return;
    SeriesGain gain;
    gain.kind = MetricType::gauge, gain.changed = true, gain.real = value;
    add(sid, gain);
  }
  [[nodiscard]] std::size_t told() const noexcept { return told_; }

 private:
  void add(std::uint32_t sid, const SeriesGain& gain) { merge_gain(gains_[sid], gain), ++told_; }
  Core& core_;
  SelfMetrics& self_;
  Gains& gains_;
  std::size_t told_ = 0;
};

void tell_signal(Teller& tell, const char* event_type, const char* processor, const store::Counts& totals) {
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

}  // namespace

std::size_t add_self_metrics(Core& core, Gains& gains) {
  Teller tell(core, gains);
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
  Teller tell(core, gains);
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
    const std::uint32_t sid = series_of(core, MetricType::counter, "telemetry_recorder_refusals_total", "{call}",
                                        {{"reason", std::string(kProcessCounterNames[i])}}, &ring.source().resource);
    merge_gain(gains[sid], gain);
  }
}

void settle_self_metrics(Core& core) { core.self_metrics->told = core.self_metrics->now; }
void forget_self_series(Core& core) {
  // Differences go on from what was told, under the new numbers: told again from here.
  core.self_metrics->ids.clear();
  core.self_metrics->told.clear();
  core.self_metrics->now.clear();
}

}  // namespace honeylink::telemetry::engine
