// Adding up the points of one series into the ticks of a grid: rows of an hour into a window of four, ten seconds into
// a minute, minutes into an hour. Pure: no file, no clock. Called by MetricStore's maintenance.
//
// Must stay true (I-10): count, sum, min and max are exact; a sum of decimal numbers is their decimal sum. The order of
// rows decides nothing but ties: of two gauge values at one time the later row's wins.
#pragma once
#include "store/segment_blob.h"

namespace honeylink::telemetry::store {

/// Not thread-safe; reused for one series after the other.
class Rollup {
 public:
  explicit Rollup(const SegmentGrid& to) : to_(to) {}
  void begin(std::uint32_t sid, MetricType kind);
  /// Points of this series on a grid that is as fine or finer; rows in the order of their ids. Ticks outside the target
  /// are left out.
  void add(const SeriesPoints& from, const SegmentGrid& grid);
  /// The sum of all. False where there was nothing.
  bool finish(SeriesPoints& result);

 private:
  struct Input {
    std::uint32_t tick = 0;
    std::int64_t time = 0;
    std::uint64_t count = 0, last = 0, min = 0, max = 0, sum = 0;
  };
  struct Cell {
    std::int64_t time = 0;
    std::uint64_t inputs = 0, count = 0, last = 0, min = 0, max = 0, sum = 0;
    double real_sum = 0, lost = 0;  // and what its rounding left out
    bool any_number = false;
  };
  struct Histogram {
    Sketch sketch;
    int live_scale = 127;
    bool present = false;
  };

  void add_scalars(const SeriesPoints& from, const SegmentGrid& grid);
  void add_histograms(const SeriesPoints& from, const SegmentGrid& grid);
  void add_up(const Input& input, Cell& cell) const;
  void sum_up(std::vector<Cell>& cells);
  [[nodiscard]] bool less(std::uint64_t a, std::uint64_t b) const noexcept;
  void put_cells(const std::vector<Cell>& cells, SeriesPoints& result) const;
  void put_exemplars(SeriesPoints& result);

  SegmentGrid to_;
  std::uint32_t sid_ = 0;
  MetricType kind_ = MetricType::counter;
  std::uint64_t points_ = 0;
  std::vector<Input> inputs_;
  std::vector<std::uint64_t> bits_, whole_;
  std::vector<Histogram> histograms_;
  std::vector<TickExemplar> exemplars_;
};

}  // namespace honeylink::telemetry::store
