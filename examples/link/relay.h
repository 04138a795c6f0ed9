// The bad network: a UDP relay that loses, delays and reorders. Each client gets a socket of its own towards the
// target, as behind a NAT, so that answers find back. It records no telemetry: what it does must be found out from the
// ends.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <random>
#include <thread>

#include "udp.h"

namespace honeylink::link {

struct RelaySettings {
  double loss = 0;       // share, 0 … 1
  double delay_ms = 0;   // one way
  double jitter_ms = 0;  // more delay, evenly 0 … jitter: packets may overtake each other
};

/// Seeded decisions of one direction: equal seeds and equal settings lose the same datagrams, whatever the other
/// direction does.
class Impairment {
 public:
  explicit Impairment(std::uint64_t seed) noexcept : random_(seed) {}
  [[nodiscard]] bool loses(const RelaySettings& settings) { return uniform_(random_) < settings.loss; }
  [[nodiscard]] std::chrono::nanoseconds delay(const RelaySettings& settings) {
    const double ms = settings.delay_ms + settings.jitter_ms * uniform_(random_);
    return std::chrono::nanoseconds(static_cast<std::int64_t>(ms * 1e6));
  }

 private:
  std::mt19937_64 random_;
  std::uniform_real_distribution<> uniform_{0.0, 1.0};
};

struct RelayCounts {
  std::uint64_t forwarded = 0;  // handed to the receiver's socket
  std::uint64_t lost = 0;       // on purpose
  std::uint64_t refused = 0;    // too many clients or too much in flight: not the asked loss, so it is counted apart
};

/// Runs on a thread of its own from start() to its end. set() and counts() may be called from any thread.
class Relay {
 public:
  /// Null where no socket could be opened.
  [[nodiscard]] static std::unique_ptr<Relay> start(std::uint16_t target_port, const RelaySettings& settings,
                                                    unsigned seed);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  void set(const RelaySettings& settings);
  [[nodiscard]] RelayCounts towards_target() const;
  [[nodiscard]] RelayCounts towards_clients() const;

 private:
  struct Datagram;
  class Loop;
  Relay() = default;
  Fd wake_, front_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;  // settings_ and the counts
  RelaySettings settings_;
  RelayCounts out_, back_;
  std::thread thread_;
};

}  // namespace honeylink::link
