// Looks at a home for the terminal view, on a thread of its own, so that no query ever holds up a key. It looks at what
// the page needs and no more, as often as that is cheap: a look that took long is repeated ten times later at the
// earliest. Owned by the loop (terminal_view.cc); want() and take() are called from its thread.
//
// Reads only. While paused, or of a file, everything is looked at once.
#pragma once
#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "view/terminal_model.h"

namespace honeylink::telemetry::view {

/// What of the reader's place decides what is looked at.
struct Wants {
  Page page = Page::levels;
  std::array<std::string, kPages> filters;
  std::string level_name, trace_id, span_id;
  std::int64_t window_s = 1800;
  bool paused = false;
  friend bool operator==(const Wants&, const Wants&) = default;
};
[[nodiscard]] Wants wants_of(const ViewState& state);

class Source {
 public:
  /// `wake_fd`: an eventfd that is told when take() has something.
  Source(std::string home, bool live, int wake_fd);
  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  void want(const Wants& wants);
  /// False: nothing new. `accepted_now`: of all records, paused or not.
  [[nodiscard]] bool take(Findings& findings, std::uint64_t& accepted_now);

 private:
  class Looks;
  void run();

  const std::string home_;
  const bool live_;
  const int wake_fd_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Wants wants_;  // under mutex_, as are these
  Findings findings_;
  std::uint64_t accepted_now_ = 0;
  bool fresh_ = false, stop_ = false;
  std::thread thread_;
};

}  // namespace honeylink::telemetry::view
