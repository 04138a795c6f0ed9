// How cells of this process's rings have grown since a moment: for testing::Capture only. Reads the mappings directly;
// any thread may go on adding meanwhile.
#pragma once
#include <cstdint>
#include <map>
#include <optional>

#include "base/events.h"
#include "record/process.h"

namespace honeylink::telemetry::testing {

class CellBaseline {
 public:
  /// What all cells of all rings hold now.
  [[nodiscard]] static CellBaseline of_now();
  /// Growth of a counter or up-down counter, observations of a histogram, or the value of a gauge in `ring`. nullopt:
  /// nothing.
  [[nodiscard]] std::optional<double> grown(const internal::Ring& ring, std::uint32_t series, MetricType kind) const;

 private:
  std::map<const void*, std::uint64_t>
      held_;  // by the address of the cell or of the histogram's block; zeros are left out
};

/// Gauges of the ring become unset.
void forget_gauges(const internal::Ring& ring) noexcept;

}  // namespace honeylink::telemetry::testing
