// QoS: three priority queues before one token bucket. When all queues together are full, the newest packet of the
// lowest priority gives way; a newcomer that is itself the lowest is refused. Belongs to one thread; time is given,
// never asked.
#pragma once
#include <array>
#include <deque>
#include <optional>

#include "udp.h"

namespace honeylink::link {

enum class Priority : std::uint8_t { control, realtime, bulk };  // highest first
inline constexpr std::size_t kPriorities = 3;

struct QueuedPacket {
  Priority priority{};
  std::uint32_t bytes = 0;
};

class Scheduler {
 public:
  /// `burst_bytes`: what may go at once after a pause; at least one packet of the largest size, else that one never
  /// goes.
  Scheduler(std::size_t packets_max, double bytes_per_s, double burst_bytes, Time now) noexcept;

  /// The packet that had to be dropped, which may be the offered one; nullopt where there was room.
  [[nodiscard]] std::optional<QueuedPacket> offer(QueuedPacket packet);
  /// The next to send, if the bucket allows it now.
  [[nodiscard]] std::optional<QueuedPacket> next(Time now);
  /// Takes out the newest of the lowest priority: the next to be given up.
  [[nodiscard]] std::optional<QueuedPacket> discard();
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  std::array<std::deque<QueuedPacket>, kPriorities> queues_;
  std::size_t size_ = 0;
  std::size_t packets_max_;
  double bytes_per_s_, burst_bytes_, tokens_;
  Time filled_;
};

}  // namespace honeylink::link
