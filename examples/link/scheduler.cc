// See scheduler.h.
#include "scheduler.h"

#include <algorithm>

namespace honeylink::link {

Scheduler::Scheduler(std::size_t packets_max, double bytes_per_s, double burst_bytes, Time now) noexcept
    : packets_max_(packets_max),
      bytes_per_s_(bytes_per_s),
      burst_bytes_(burst_bytes),
      tokens_(burst_bytes),
      filled_(now) {}

std::optional<QueuedPacket> Scheduler::offer(QueuedPacket packet) {
  std::optional<QueuedPacket> dropped;
  if (size_ >= packets_max_) {
    const bool is_lowest = std::ranges::all_of(queues_.begin() + static_cast<std::ptrdiff_t>(packet.priority) + 1,
                                               queues_.end(), [](const auto& queue) { return queue.empty(); });
    if (is_lowest) return packet;
    dropped = discard();
  }
  queues_[static_cast<std::size_t>(packet.priority)].push_back(packet);
  ++size_;
  return dropped;
}

std::optional<QueuedPacket> Scheduler::discard() {
  const auto lowest = std::find_if(queues_.rbegin(), queues_.rend(), [](const auto& queue) { return !queue.empty(); });
  if (lowest == queues_.rend()) return std::nullopt;
  const QueuedPacket packet = lowest->back();
  lowest->pop_back();
  --size_;
  return packet;
}

std::optional<QueuedPacket> Scheduler::next(Time now) {
  if (now > filled_) {
    tokens_ = std::min(burst_bytes_, tokens_ + std::chrono::duration<double>(now - filled_).count() * bytes_per_s_);
    filled_ = now;
  }
  const auto first = std::ranges::find_if(queues_, [](const auto& queue) { return !queue.empty(); });
  if (first == queues_.end() || tokens_ < first->front().bytes) return std::nullopt;
  const QueuedPacket packet = first->front();
  tokens_ -= packet.bytes;
  first->pop_front();
  --size_;
  return packet;
}

}  // namespace honeylink::link
