// See self_teller.h.
#include "engine/self_teller.h"

#include <bit>

namespace honeylink::telemetry::engine {

std::uint32_t self_series(Core& core, MetricType kind, const std::string& name, const char* unit,
                          const SelfLabels& labels, const ResourceInfo* resource) {
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

void SelfTeller::sum(MetricType kind, const std::string& name, const char* unit, const SelfLabels& labels,
                     std::uint64_t value) {
  const std::uint32_t sid = self_series(core_, kind, name, unit, labels, nullptr);
  self_.now[sid] = value;
  const std::uint64_t gained = value - self_.told[sid];
  if (gained == 0) return;
  SeriesGain gain;
  gain.kind = kind, gain.changed = true, gain.integer = gained;
  add(sid, gain);
}

void SelfTeller::counter(const std::string& name, const char* unit, const SelfLabels& labels, std::uint64_t total) {
  if (total != 0) sum(MetricType::counter, name, unit, labels, total);
}

void SelfTeller::up_down(const std::string& name, const char* unit, const SelfLabels& labels, std::uint64_t value) {
  sum(MetricType::up_down, name, unit, labels, value);
}

void SelfTeller::gauge(const std::string& name, const char* unit, const SelfLabels& labels, double value) {
  const std::uint32_t sid = self_series(core_, MetricType::gauge, name, unit, labels, nullptr);
  self_.now[sid] = std::bit_cast<std::uint64_t>(value + 1);  // 0 is "never told"
  if (self_.told[sid] == self_.now[sid]) return;
  SeriesGain gain;
  gain.kind = MetricType::gauge, gain.changed = true, gain.real = value;
  add(sid, gain);
}

void SelfTeller::histogram(const std::string& name, const char* unit, const SelfLabels& labels, const Sketch& gained) {
  if (gained.count == 0) return;
  SeriesGain gain;
  gain.kind = MetricType::histogram, gain.changed = true, gain.sketch = gained;
  add(self_series(core_, MetricType::histogram, name, unit, labels, nullptr), gain);
}

}  // namespace honeylink::telemetry::engine
