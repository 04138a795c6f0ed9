// Points out of metrics.db as cumulative requests: a window of four hours after the other, in it a group of series
// after the other, in each series by time. Owned by the thread that sends; reads in short transactions.
//
// Positions are numbers of 10 s ticks: Unix seconds / 10. Must stay true: what a point carries is the total before the
// gap plus every stored difference up to the point's time.
#pragma once
#include <deque>
#include <optional>
#include <string>

#include "export/batch.h"
#include "export/metric_totals.h"
#include "export/series_names.h"
#include "store/sqlite.h"

namespace honeylink::telemetry::exporting {

inline constexpr std::int64_t kTickSeconds = 10;

class StoredPoints {
 public:
  StoredPoints(std::string database, std::int64_t start_unix_ns);

  /// Adds every stored difference of [from, to) to `totals`. False: it cannot be read now.
  [[nodiscard]] bool add(Range ticks, MetricTotals& totals);
  /// The next request of the gap; `totals` are those at its beginning, and move on with what was read. The batch that
  /// ends a window has its range. Empty: it cannot be read now.
  [[nodiscard]] std::optional<Batch> next(Range gap, std::size_t bytes_max, MetricTotals& totals);
  /// A window that begins there is partly read.
  [[nodiscard]] bool is_reading(std::uint64_t first) const noexcept {
    return window_.first != window_.last && window_.first == first;
  }
  /// The batch that ended the window has arrived: `totals` may stand behind it. False: they went back meanwhile.
  [[nodiscard]] bool acknowledge(Range window);
  /// What was read of the window is read again; `totals` go back to its beginning.
  void restart(MetricTotals& totals);
  [[nodiscard]] const SeriesInfo* series(std::uint32_t sid);

 private:
  bool open();
  bool begin_window(Range gap, const MetricTotals& totals);
  bool read_group(std::size_t bytes_max, MetricTotals& totals);

  const std::string path_;
  const std::int64_t start_unix_ns_;
  store::Connection connection_;
  std::optional<SeriesNames> names_;

  Range window_;
  MetricTotals before_window_;
  std::vector<std::uint32_t> sids_;
  std::size_t next_sid_ = 0;
  bool whole_ = false;  // all of the window was handed out, and has not arrived yet
  std::deque<Batch> ready_;
};

}  // namespace honeylink::telemetry::exporting
