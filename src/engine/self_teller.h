// How the engine tells figures of its own as ordinary series: sums as differences since the last committed tick. Used
// by self_metrics.cc and export_metrics.cc while a tick is gathered. The engine's thread.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/core.h"
#include "engine/series_gain.h"

namespace honeylink::telemetry::engine {

struct SelfMetrics {
  std::map<std::string, std::uint32_t> ids;          // by a key made of name and labels
  std::map<std::uint32_t, std::uint64_t> told, now;  // sums: cumulative; gauges: bits of the value
};

using SelfLabels = std::vector<std::pair<std::string, std::string>>;

/// The series of this name and labels; of service "honeytel" where `resource` is none.
[[nodiscard]] std::uint32_t self_series(Core& core, MetricType kind, const std::string& name, const char* unit,
                                        const SelfLabels& labels, const ResourceInfo* resource);

class SelfTeller {
 public:
  SelfTeller(Core& core, Gains& gains) : core_(core), self_(*core.self_metrics), gains_(gains) {}

  /// A cumulative count; the difference is told.
  void counter(const std::string& name, const char* unit, const SelfLabels& labels, std::uint64_t total);
  /// The same of what may fall.
  void up_down(const std::string& name, const char* unit, const SelfLabels& labels, std::uint64_t value);
  void gauge(const std::string& name, const char* unit, const SelfLabels& labels, double value);
  /// What was observed since the last committed tick.
  void histogram(const std::string& name, const char* unit, const SelfLabels& labels, const Sketch& gained);
  [[nodiscard]] std::size_t told() const noexcept { return told_; }

 private:
  void sum(MetricType kind, const std::string& name, const char* unit, const SelfLabels& labels, std::uint64_t value);
  void add(std::uint32_t sid, const SeriesGain& gain) { merge_gain(gains_[sid], gain), ++told_; }
  Core& core_;
  SelfMetrics& self_;
  Gains& gains_;
  std::size_t told_ = 0;
};

}  // namespace honeylink::telemetry::engine
