// See workers.h.
#include "view/workers.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace honeylink::telemetry::view {
namespace {
constexpr int kStalledMs = 5'000;
}  // namespace

Workers::Workers(std::size_t threads, std::function<void(Arrival)> serve) : serve_(std::move(serve)) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting_.clear();
  }
  some_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Workers::take(Arrival arrival) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() >= kConnectionsMax) return;
    waiting_.push_back(std::move(arrival));
  }
  some_.notify_one();
}

void Workers::run() {
  for (;;) {
    Arrival arrival;
    {
      std::unique_lock lock(mutex_);
      some_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      arrival = std::move(waiting_.front());
      waiting_.pop_front();
    }
    serve_(std::move(arrival));
  }
}

bool send_all(int socket, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
      continue;
    }
    if (errno == EINTR) continue;
    pollfd waiting{socket, POLLOUT, 0};
    if (errno != EAGAIN || ::poll(&waiting, 1, kStalledMs) <= 0) return false;
  }
  return true;
}

}  // namespace honeylink::telemetry::view
