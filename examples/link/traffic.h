// What an application would send: control, real-time and bulk packets with random gaps, bulk often in bursts. Seeded.
// Belongs to one thread; time is given, never asked.
#pragma once
#include <cstdint>
#include <random>

#include "scheduler.h"

namespace honeylink::link {

class Traffic {
 public:
  Traffic(double packets_per_s, std::uint32_t packet_bytes_max, std::uint64_t seed, Time now)
      : random_(seed), gap_s_(kPacketsPerEvent / packets_per_s), packet_bytes_max_(packet_bytes_max), next_(now) {}

  /// Calls offer(packet) for everything that is due. After a pause of the thread no more than half a second is made up
  /// for.
  template <class F>
  void due(Time now, F&& offer) {
    using namespace std::chrono_literals;
    if (now - next_ > 500ms) next_ = now - 500ms;
    while (next_ <= now) {
      next_ += std::chrono::nanoseconds(static_cast<std::int64_t>(gap_s_(random_) * 1e9));
      const double kind = share_(random_);
      if (kind < kBurstShare) {
        const int count = burst_(random_);
        for (int i = 0; i < count; ++i) offer(QueuedPacket{Priority::bulk, packet_bytes_max_});
      } else if (kind < 0.15) {
        offer(QueuedPacket{Priority::control, 96});
      } else if (kind < 0.65) {
        offer(QueuedPacket{Priority::realtime, 256});
      } else {
        offer(QueuedPacket{Priority::bulk, packet_bytes_max_ / 2});
      }
    }
  }

 private:
  // exponential_distribution takes a rate; named for what it yields.
  struct Gap {
    explicit Gap(double mean) : distribution(1.0 / mean) {}
    double operator()(std::mt19937_64& random) { return distribution(random); }
    std::exponential_distribution<> distribution;
  };
  static constexpr double kBurstShare = 0.03;
  static constexpr int kBurstMin = 8, kBurstMax = 24;
  static constexpr double kPacketsPerEvent = 1 - kBurstShare + kBurstShare * (kBurstMin + kBurstMax) / 2;
  std::mt19937_64 random_;
  std::uniform_real_distribution<> share_{0.0, 1.0};
  std::uniform_int_distribution<int> burst_{kBurstMin, kBurstMax};
  Gap gap_s_;
  std::uint32_t packet_bytes_max_;
  Time next_;
};

}  // namespace honeylink::link
