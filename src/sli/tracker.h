// One SLI over time: its levels, its budget, the alerts that fire. evaluate() changes nothing: what it answers becomes
// true with settle(), after the caller has committed it, so that a commit that fails or a kill in between neither
// repeats nor loses an alert.
//
// Made and called by the engine's thread. Must stay true: there is a firing alert of a ladder exactly while its level
// is not ok.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/events.h"
#include "sli/budget.h"
#include "sli/definition.h"
#include "sli/ladder.h"
#include "sli/measure.h"
#include "sli/moment.h"

namespace honeylink::telemetry::sli {

/// Alerts of thresholds, and of the error budget's burn rate.
enum class Track : std::uint8_t { threshold = 0, burn = 1 };
inline constexpr std::size_t kTracks = 2;
inline constexpr std::string_view kUpper = "upper", kBurnRate = "burn_rate";  // AlertEvent::threshold_type

/// 14.4 times the rate that would use the budget up in 30 days, over 1 h and 5 min, is Red: 2 % of it an hour. 6 times
/// over 6 h and 30 min is Orange. Both windows: what is over does not alert for hours.
inline constexpr double kBurnRed = 14.4, kBurnOrange = 6;

struct State {
  Moment at;  // of the last evaluation
  std::array<Ladder, kTracks> ladders;
  friend bool operator==(const State&, const State&) = default;
};

/// What people are shown.
struct Reading {
  std::optional<double> value;            // of the last evaluation that had data
  bool enough = false;                    // that was the last one
  double samples = 0;                     // of the last evaluation that had any
  std::int64_t newest_point_unix_ns = 0;  // end of the last tick with a point; 0: never
  std::string trace_id;                   // of the value's worst observation
  std::string unit;
  std::uint32_t consecutive = 0;
  std::optional<double> budget_left;
  std::array<std::optional<double>, 5> burn;  // 5 min, 30 min, 1 h, 6 h, 3 d: by Window
};

struct Outcome {
  State state;
  Reading reading;
  std::vector<AlertEvent> cleared, fired;  // cleared ones first
  Share added;
  std::int64_t elapsed_ns = 0;
  Level level = Level::ok;  // the highest of all tracks
};

class Tracker {
 public:
  explicit Tracker(Definition definition) : definition_(std::move(definition)) {}
  [[nodiscard]] const Definition& definition() const noexcept { return definition_; }
  /// Other thresholds, the same levels.
  void redefine(Definition definition) { definition_ = std::move(definition); }

  /// As an earlier engine left it. A firing alert whose level is not in `state` brings it back: it is held until it
  /// clears.
  void restore(State state, Reading reading, std::vector<AlertEvent> firing);
  [[nodiscard]] Budget& budget() noexcept { return budget_; }

  /// `alert_id`: called for each alert that fires.
  [[nodiscard]] Outcome evaluate(const TickData& data, const Moment& now, const std::string& environment) const;
  void settle(Outcome outcome);
  /// The definition is gone: what fires, cleared.
  [[nodiscard]] std::vector<AlertEvent> give_up(std::int64_t unix_ns) const;

  [[nodiscard]] const State& state() const noexcept { return state_; }
  [[nodiscard]] const Reading& reading() const noexcept { return reading_; }
  [[nodiscard]] Level level() const noexcept;
  /// Is there something that an evaluation without data would change in what people see?
  [[nodiscard]] bool would_go_silent() const noexcept { return reading_.enough; }

 private:
  void judge_burn(Outcome& outcome, bool any) const;
  void change(Track track, Outcome& outcome, double value, double threshold, const TickData& data, const Moment& now,
              const std::string& environment) const;
  [[nodiscard]] LadderRule rule() const noexcept;

  Definition definition_;
  State state_;
  Reading reading_;
  Budget budget_;
  std::array<std::optional<AlertEvent>, kTracks> firing_;
};

}  // namespace honeylink::telemetry::sli
