// For tests: a server on a free port of 127.0.0.1 that keeps every byte that arrives and answers as it is told. Real
// sockets; what is under test is the client's side of them.
#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace honeylink::telemetry::net {

class TestServer {
 public:
  /// What to answer once a request is whole; an empty text: nothing, and the connection stays open.
  using Answering = std::function<std::string(const std::string& request)>;

  explicit TestServer(Answering answering) : answering_(std::move(answering)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size), 0);
    port_ = ntohs(here.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~TestServer() {
    ends_ = true;
    thread_.join();
    for (const pollfd& open : open_) ::close(open.fd);
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  [[nodiscard]] std::string url(const std::string& scheme = "http") const {
    return scheme + "://127.0.0.1:" + std::to_string(port_);
  }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] int connections() const noexcept { return connections_; }
  /// Reads no faster than this: a slow peer.
  void read_at_most(std::size_t bytes_per_second) { rate_ = bytes_per_second; }
  [[nodiscard]] std::string received() const {
    const std::lock_guard lock(mutex_);
    return received_;
  }
  [[nodiscard]] std::size_t received_bytes() const {
    const std::lock_guard lock(mutex_);
    return received_.size();
  }

 private:
  void run() {
    open_.push_back({listener_, POLLIN, 0});
    requests_.emplace_back();
    while (!ends_) {
      ::poll(open_.data(), open_.size(), 5);
      if ((open_[0].revents & POLLIN) != 0) {
        if (const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC); fd >= 0) {
          const int small = 64 * 1024;
          if (rate_ != 0) ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
          open_.push_back({fd, POLLIN, 0}), requests_.emplace_back(), ++connections_;
        }
      }
      for (std::size_t i = 1; i < open_.size();) {
        if (open_[i].revents != 0 && !serve(i)) {
          ::close(open_[i].fd);
          open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
          requests_.erase(requests_.begin() + static_cast<std::ptrdiff_t>(i));
        } else {
          ++i;
        }
      }
    }
  }
  bool serve(std::size_t i) {
    std::vector<char> buffer(rate_ == 0 ? 65536 : rate_ / 50 + 1);
    const ssize_t n = ::read(open_[i].fd, buffer.data(), buffer.size());
    if (n <= 0) return false;
    {
      const std::lock_guard lock(mutex_);
      received_.append(buffer.data(), static_cast<std::size_t>(n));
    }
    if (rate_ != 0) ::poll(nullptr, 0, 20);
    std::string& request = requests_[i];
    request.append(buffer.data(), static_cast<std::size_t>(n));
    if (!whole(request)) return true;
    const std::string answer = answering_(std::exchange(request, {}));
    if (!answer.empty()) (void)!::send(open_[i].fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    return answer.find("connection: close") == std::string::npos;
  }
  static bool whole(const std::string& request) {
    const std::size_t end = request.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const std::size_t at = request.find("ontent-Length: ");
    return at == std::string::npos || request.size() - end - 4 >= std::stoul(request.substr(at + 15));
  }

  Answering answering_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> ends_{false};
  std::atomic<int> connections_{0};
  std::atomic<std::size_t> rate_{0};
  mutable std::mutex mutex_;
  std::string received_;
  std::vector<pollfd> open_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace honeylink::telemetry::net
