// The rings themselves, looked at while they are written: what has changed since the last look, and what the running
// tick has gathered so far, although points are stored every ten seconds only. Counts as the engine does
// (ring/cell_gains.h), over baselines of its own; reads by pread, maps nothing, rings nobody: recording does not
// notice. What leaves a ring passes scrub (I-6).
//
// One thread. Costs nothing between two looks but the descriptors of the rings.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/events.h"
#include "base/file.h"
#include "ring/cell_gains.h"
#include "scrub/scrubber.h"

namespace honeylink::telemetry::query {

/// One series over all processes that this reader has seen, those that ended meanwhile included.
struct LiveSeries {
  SeriesInfo info;  // scrubbed, as metrics.db has it
  // Since its processes began: counters and up_downs in `integer`, counter_real, gauge (the last value) and the sum of
  // a histogram in `real`, its observations in `count`.
  std::uint64_t integer = 0, count = 0;
  double real = 0;
  std::uint64_t changed_at = 0;  // number of the look
  std::int64_t tick = 0;         // that `gain` is of
  ring::SeriesGain gain;         // of the running tick
};

class LiveReader {
 public:
  /// Scrubs as the home's config says; no key is made for it.
  explicit LiveReader(const std::string& home);
  ~LiveReader();
  LiveReader(const LiveReader&) = delete;
  LiveReader& operator=(const LiveReader&) = delete;

  void look(std::int64_t now_unix_ns);
  /// Readable when a ring has appeared; -1: only looks find them. A process may begin, record and end between two
  /// looks, and an engine clear it away: who calls note_arrivals() at once sees its values at the next look.
  [[nodiscard]] int arrivals_fd() const noexcept { return arrivals_.get(); }
  void note_arrivals();

  [[nodiscard]] std::uint64_t looks() const noexcept { return looks_; }        // the first is 1
  [[nodiscard]] std::size_t recorders() const noexcept { return recorders_; }  // processes that live
  /// By name; they stay where they are.
  [[nodiscard]] const std::vector<const LiveSeries*>& series() const noexcept { return sorted_; }
  /// Series of this metric, whatever their labels and services.
  [[nodiscard]] std::vector<const LiveSeries*> of_metric(std::string_view name) const;
  /// What the running tick holds of it; nullptr: nothing yet.
  [[nodiscard]] const ring::SeriesGain* tick_of(const LiveSeries& series) const noexcept {
    return series.tick == tick_ && series.gain.changed ? &series.gain : nullptr;
  }

 private:
  struct Ring;
  void list_rings();
  void watch_directories() noexcept;
  void look_at(Ring& ring);
  LiveSeries* series_of(Ring& ring, std::uint32_t id);
  void add(LiveSeries& series, const ring::SeriesGain& gain, bool is_of_tick);

  const std::string home_;
  const Fd arrivals_;
  scrub::Scrubber scrubber_;
  std::map<std::string, std::unique_ptr<Ring>> rings_;  // by path
  std::map<std::string, std::unique_ptr<LiveSeries>> series_;
  std::vector<const LiveSeries*> sorted_;
  std::uint64_t looks_ = 0, next_serial_ = 1;
  std::size_t recorders_ = 0;
  std::int64_t tick_ = 0;
};

}  // namespace honeylink::telemetry::query
