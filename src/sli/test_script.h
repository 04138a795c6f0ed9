// For the tests of levels: an SLI whose values are written down, tick by tick, on a clock that can be stepped.
#pragma once
#include <memory>
#include <sstream>
#include <string>

#include "sli/state_text.h"
#include "sli/tracker.h"

namespace honeylink::telemetry::sli {

inline constexpr std::int64_t kSecond = 1'000'000'000;

/// packet_loss_rate of DESIGN 9: Yellow over 0.05, Orange over 0.10, Red over 0.20, objective 0.01.
inline Definition packet_loss() {
  Definition d;
  d.name = "packet_loss_rate", d.module = "transport", d.ratio = {"packets_lost_total", "packets_sent_total"};
  d.yellow = 0.05, d.orange = 0.1, d.red = 0.2, d.objective = 0.01;
  return d;
}

inline TickData lost_of(double lost, double sent) {
  TickData data;
  data.numerator = lost, data.denominator = sent, data.environment = "production";
  return data;
}

/// A tracker and its clock. What restart() leaves behind is what the tables keep.
class Played {
 public:
  explicit Played(const Definition& definition = packet_loss())
      : definition(definition), tracker(std::make_unique<Tracker>(definition)) {}

  void pass(std::int64_t ns) { now.unix_ns += ns, now.boottime_ns += ns; }
  Outcome evaluate(const TickData& data) {
    Outcome outcome = tracker->evaluate(data, now, "production");
    if (!outcome.cleared.empty()) told += std::string(outcome.cleared.size(), 'c'), firing.clear();
    for (const AlertEvent& event : outcome.fired) told += letter(event.severity), firing = {event};
    tracker->settle(outcome);
    return outcome;
  }
  void restart() {
    const auto state = state_from(to_text(tracker->state()));
    const Reading reading = tracker->reading();
    tracker = std::make_unique<Tracker>(definition);
    tracker->restore(*state, reading, firing);
  }
  /// "12 - few +290s step-3600s boot restart": lost per thousand, no data, a tick with too little, and what may happen
  /// before a tick. The levels after each evaluation, as letters.
  std::string play(const std::string& script) {
    std::istringstream words(script);
    std::string levels;
    for (std::string word; words >> word;) {
      if (word[0] == '+') pass(std::stoll(word.substr(1)) * kSecond);
      else if (word.starts_with("step")) now.unix_ns += std::stoll(word.substr(4)) * kSecond;
      else if (word == "boot") now.boottime_ns = 7 * kSecond, ++now.boot;
      else if (word == "restart") restart();
      else {
        pass(10 * kSecond);
        evaluate(word == "-" ? TickData{} : word == "few" ? lost_of(99, 99) : lost_of(std::stod(word), 1000));
        levels += letter(tracker->level());
      }
    }
    return levels;
  }
  static char letter(Level level) { return "oYOR"[static_cast<std::size_t>(level)]; }

  Definition definition;
  std::unique_ptr<Tracker> tracker;
  Moment now{1'790'000'000 * kSecond, 1'000 * kSecond, 1};
  std::string told;  // Y, O, R: an alert of that level fired; c: one was cleared
  std::vector<AlertEvent> firing;
};

}  // namespace honeylink::telemetry::sli
