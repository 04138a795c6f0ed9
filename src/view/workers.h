// Threads that answer whole requests: a few, for people ask one thing at a time, and what takes long is bounded itself.
// Made and stopped by one thread.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "view/reception.h"

namespace honeylink::telemetry::view {

class Workers {
 public:
  Workers(std::size_t threads, std::function<void(Arrival)> serve);
  /// What waits is dropped; what runs, finishes.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Never waits. Beyond kConnectionsMax that wait already, the connection is closed.
  void take(Arrival arrival);

 private:
  void run();
  const std::function<void(Arrival)> serve_;
  std::mutex mutex_;
  std::condition_variable some_;
  std::deque<Arrival> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

/// Writes all of it; false where the client is gone or has taken nothing for five seconds.
[[nodiscard]] bool send_all(int socket, std::string_view bytes) noexcept;

}  // namespace honeylink::telemetry::view
