// A bar with the time left, on stderr, only where that is a terminal and only after half a second (UX 18). One thread.
#pragma once
#include <chrono>
#include <string>

#include "cli/terminal.h"

namespace honeylink::telemetry::cli {

class Progress {
 public:
  Progress(const Terminal& terminal, std::string what) : terminal_(terminal), what_(std::move(what)) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// 0 … 1. Draws at most ten times a second.
  void update(double share);
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  const Terminal& terminal_;
  std::string what_;
  Clock::time_point began_ = Clock::now(), drawn_{};
  bool visible_ = false;
};

}  // namespace honeylink::telemetry::cli
