// What a program might have recorded over thirteen months, each value a function of series and tick: days and weeks,
// regimes that change, counters that seldom move, restarts, gaps. The generator of `bench --history` asks for it once,
// its check a second time: nothing has to be kept. Pure; any thread.
#pragma once
#include <cstdint>
#include <vector>

#include "base/events.h"

namespace honeylink::telemetry::cli {

class HistoryData {
 public:
  HistoryData(std::size_t scalars, std::size_t histograms);
  [[nodiscard]] std::size_t scalars() const noexcept { return scalars_; }
  [[nodiscard]] std::size_t histograms() const noexcept { return histograms_; }
  /// Scalars first, then histograms.
  [[nodiscard]] SeriesInfo info(std::size_t series) const;
  [[nodiscard]] MetricType kind(std::size_t series) const noexcept;

  /// Ticks count from the beginning of the history. Nothing runs in this one: the device is off, or starts again.
  [[nodiscard]] bool is_silent(std::int64_t tick) const noexcept;
  [[nodiscard]] bool restarts_at(std::int64_t tick) const noexcept;
  /// What a scalar did in a tick that is not silent: a difference, or the bits of a gauge. False: it did not move.
  bool scalar(std::size_t series, std::int64_t tick, std::uint64_t& value) const noexcept;
  /// What a histogram observed in such a tick; `values` is replaced. At most 100.
  void observations(std::size_t series, std::int64_t tick, std::vector<double>& values) const;

  static constexpr std::int64_t kTickSeconds = 10, kDayTicks = 8'640;

 private:
  [[nodiscard]] double level(std::size_t series, std::int64_t tick) const noexcept;
  std::size_t scalars_, histograms_;
  std::vector<float> day_;  // 0 … 1 over the ticks of a day
};

}  // namespace honeylink::telemetry::cli
