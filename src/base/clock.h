// Time as the engine and the tool see it: injectable. The recorder does not come here; it reads ticks (record/ticks.h).
#pragma once
#include <atomic>
#include <cstdint>

namespace honeylink::telemetry {

/// Where the time comes from. Two implementations: the system's, and one that tests move by hand. Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual std::int64_t realtime_ns() const noexcept = 0;   // Unix time; may jump
  [[nodiscard]] virtual std::int64_t monotonic_ns() const noexcept = 0;  // never jumps; stops while suspended
  [[nodiscard]] virtual std::int64_t boottime_ns() const noexcept = 0;   // as monotonic, and runs while suspended
};

[[nodiscard]] const Clock& system_clock() noexcept;

/// For tests: stands still until told.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t realtime) noexcept : realtime_(realtime) {}
  [[nodiscard]] std::int64_t realtime_ns() const noexcept override { return realtime_; }
  [[nodiscard]] std::int64_t monotonic_ns() const noexcept override { return monotonic_; }
  [[nodiscard]] std::int64_t boottime_ns() const noexcept override { return monotonic_; }
  void advance(std::int64_t ns) noexcept { realtime_ += ns, monotonic_ += ns; }
  void step(std::int64_t ns) noexcept { realtime_ += ns; }  // as NTP or a person would

 private:
  std::atomic<std::int64_t> realtime_, monotonic_{1'000'000'000};  // threads that send look at it, too
};

}  // namespace honeylink::telemetry
