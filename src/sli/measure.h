// What one tick of an SLI's metrics holds, over all processes and label sets, and what it comes to: a value, how much
// of it was bad. Values; any thread.
#pragma once
#include <string>

#include "base/events.h"
#include "sli/budget.h"
#include "sli/definition.h"

namespace honeylink::telemetry::sli {

/// Filled by the engine, series by series.
struct TickData {
  Sketch sketch;  // quantile
  double numerator = 0, denominator = 0;
  ExemplarInfo exemplar;    // of the largest value; of a ratio: of the numerator
  std::string environment;  // of the series with the largest part in it
  std::string unit;         // of the metric, where the definition says "1"
  double environment_part = 0;
  Share counted;  // what of this the budget has already: it was read out of the store
  [[nodiscard]] bool any() const noexcept { return sketch.count != 0 || numerator != 0 || denominator != 0; }

  void add_exemplar(const ExemplarInfo& other);
  void add_environment(const std::string& other, double part);
  /// Another part of the same tick.
  void merge(const TickData& other);
};

struct Measured {
  bool enough = false;  // at least min_samples
  double value = 0;     // where enough
  double samples = 0;   // observations, or denominators
  Share share;          // zero where there is no objective
};
[[nodiscard]] Measured measure(const Definition& definition, const TickData& data);
/// Observations above the objective, or the numerator, of all.
[[nodiscard]] Share share_of(const Definition& definition, const Sketch& sketch);

}  // namespace honeylink::telemetry::sli
