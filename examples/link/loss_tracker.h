// Turns sent packets into acknowledged and lost ones: lost is what no report named within the time-out. Loss is
// measured here and nowhere else; the relay's setting is not known to this side. Belongs to one thread; time is given,
// never asked.
#pragma once
#include <deque>

#include "window.h"

namespace honeylink::link {

class LossTracker {
 public:
  explicit LossTracker(std::chrono::nanoseconds timeout) noexcept : timeout_(timeout) {}

  void sent(std::uint64_t counter, Time now) {
    waiting_.push_back({counter, now});
    if (!silent_) silent_since_ = now;
    silent_ = true;
  }
  /// Calls acknowledged(counter) for each packet that the report names for the first time.
  template <class F>
  void report(const Report& report, F&& acknowledged) {
    silent_ = false;
    std::erase_if(waiting_, [&](const Waiting& packet) {
      if (!report.has(packet.counter)) return false;
      acknowledged(packet.counter);
      return true;
    });
  }
  /// Calls lost(counter) for each packet whose time is over.
  template <class F>
  void expire(Time now, F&& lost) {
    while (!waiting_.empty() && now - waiting_.front().at >= timeout_) {
      lost(waiting_.front().counter);
      waiting_.pop_front();
    }
  }
  [[nodiscard]] bool idle() const noexcept { return waiting_.empty(); }
  /// How long ago the first packet was sent that no report has followed; 0 where nothing is owed.
  [[nodiscard]] std::chrono::nanoseconds silence(Time now) const noexcept {
    return silent_ ? now - silent_since_ : std::chrono::nanoseconds(0);
  }

 private:
  struct Waiting {
    std::uint64_t counter;
    Time at;
  };
  std::deque<Waiting> waiting_;  // in the order of sending, so that the front expires first
  std::chrono::nanoseconds timeout_;
  bool silent_ = false;
  Time silent_since_{};
};

}  // namespace honeylink::link
