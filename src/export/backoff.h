// When to try again: exponential from 200 ms to 30 s with jitter (OTLP: a MUST), or what the server asked for, or a
// minute where only a person can help. A value; one thread.
#pragma once
#include <cstdint>
#include <random>

namespace honeylink::telemetry::exporting {

inline constexpr std::int64_t kFirstWaitNs = 200'000'000, kLongestWaitNs = 30'000'000'000;
inline constexpr std::int64_t kRefusalWaitNs = 60'000'000'000;

class Backoff {
 public:
  explicit Backoff(std::uint64_t seed) : random_(seed) {}
  /// `asked_ns`: the server's RetryInfo or Retry-After, 0: none. `refusal`: TLS that cannot succeed by itself.
  [[nodiscard]] std::int64_t next(std::int64_t asked_ns, bool refusal);
  void reset() noexcept { step_ns_ = 0; }

 private:
  std::mt19937_64 random_;
  std::int64_t step_ns_ = 0;
};

}  // namespace honeylink::telemetry::exporting
