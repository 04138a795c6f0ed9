// When to try again: 1, 2, 4, … times the first delay, at most the longest, each shortened by up to a quarter at random
// so that devices that lost the same peer do not come back together. A value; one thread.
#pragma once
#include <algorithm>
#include <cstdint>
#include <random>

namespace honeylink::telemetry::alert {

class BackOff {
 public:
  void limits(std::int64_t first_ms, std::int64_t max_ms) noexcept {
    first_ns_ = std::max<std::int64_t>(first_ms, 1) * 1'000'000;
    max_ns_ = std::max(first_ns_, max_ms * 1'000'000);
  }
  void failed(std::int64_t now_ns) {
    delay_ns_ = delay_ns_ == 0 ? first_ns_ : std::min(delay_ns_ * 2, max_ns_);
    last_ns_ = now_ns;
    next_ns_ = now_ns + delay_ns_ - std::uniform_int_distribution<std::int64_t>(0, delay_ns_ / 4)(random_);
  }
  void succeeded() noexcept { delay_ns_ = next_ns_ = 0; }
  /// Something new is worth a try before its time, but not one after the other.
  void hasten() noexcept { next_ns_ = std::min(next_ns_, last_ns_ + kHasteNs); }
  void now() noexcept { next_ns_ = 0; }
  /// Monotonic; 0: at once.
  [[nodiscard]] std::int64_t next_ns() const noexcept { return next_ns_; }

 private:
  static constexpr std::int64_t kHasteNs = 2'000'000'000;
  std::int64_t first_ns_ = 500'000'000, max_ns_ = 60'000'000'000, delay_ns_ = 0, next_ns_ = 0, last_ns_ = 0;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace honeylink::telemetry::alert
