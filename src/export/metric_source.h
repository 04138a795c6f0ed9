// Points for one destination: what the engine has just read from the rings, what it commits each tick, and what is
// stored. A position is the number of a 10 s tick.
//
// put() is the engine's, any thread; the rest belongs to the thread that sends. Must stay true: all points of a series
// carry totals since the grant, whichever way they took; within a series, times of young points do not go back.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "export/record_source.h"
#include "export/stored_points.h"

namespace honeylink::telemetry::exporting {

/// What series gained: since the tick before (a look), or in the tick that was just committed.
struct MetricHandOver {
  bool tick = false;
  std::int64_t tick_unix_s = 0, time_unix_ns = 0;
  struct Gain {
    MetricDelta delta;  // its sketch is the one beside
    Sketch sketch;
  };
  std::vector<Gain> gains;
};

struct MetricSourceOptions {
  std::string database, totals_file;
  std::int64_t from_unix_ns = 0;      // of the grant: the totals' beginning
  std::int64_t last_tick_unix_s = 0;  // what is committed now
};

class MetricSource final : public RecordSource {
 public:
  explicit MetricSource(MetricSourceOptions options);
  void put(std::shared_ptr<const MetricHandOver> gains);

  std::optional<Batch> live(std::size_t bytes_max) override;
  std::optional<Batch> stored(Range gap, std::size_t bytes_max) override;
  std::uint64_t stored_below() override;
  std::uint64_t first_allowed() override;
  bool has_live() const override;
  void restart() override { stored_.restart(past_); }
  void lost_live() override { ready_.clear(); }
  void settled(const Batch& batch, std::uint64_t floor) override;
  void save() override;

 private:
  void load();
  bool begin();
  std::optional<Batch> tick(const MetricHandOver& gains, std::size_t bytes_max);
  std::optional<Batch> take_ready();
  std::optional<Batch> look(const MetricHandOver& gains);

  const MetricSourceOptions options_;
  StoredPoints stored_;
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const MetricHandOver>> ticks_;
  std::shared_ptr<const MetricHandOver> look_;  // the newest
  std::uint64_t committed_ = 0;                 // ticks below are stored
  bool overflowed_ = false;

  // The thread's own.
  bool begun_ = false, loaded_ = false;
  std::uint64_t begins_at_ = 0;  // the first tick that is to be taken from the queue, or a later one
  MetricTotals now_;             // as of the last tick that was taken
  MetricTotals past_;            // as of past_at_, where the next gap begins
  std::uint64_t taken_ = 0, past_at_ = 0;
  struct Young {
    std::uint64_t integer = 0, count = 0;
    double real = 0;
    friend bool operator==(const Young&, const Young&) = default;
  };
  std::map<std::uint32_t, Young> young_;  // what was sent last
  std::vector<std::uint32_t> sids_;       // of the tick that was taken last
  std::deque<Batch> ready_;               // its requests
};

}  // namespace honeylink::telemetry::exporting
