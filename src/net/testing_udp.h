// For tests: a UDP socket on a free port of 127.0.0.1 with a thread behind it. TestUdp answers each datagram as it is
// told; TestRelay passes datagrams on between one client and a target, loses some of them, and counts.
#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <random>
#include <string>
#include <thread>

#include "net/monotonic.h"

namespace honeylink::telemetry::net {

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  here.sin_port = htons(port);
  return here;
}

class TestUdp {
 public:
  /// What to answer to a datagram; an empty text: nothing.
  using Answering = std::function<std::string(const std::string& datagram)>;
  explicit TestUdp(Answering answering) : answering_(std::move(answering)) {
    socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in here = loopback(0);
    socklen_t size = sizeof here;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&here), size), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&here), &size), 0);
    port_ = ntohs(here.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~TestUdp() {
    ends_ = true;
    thread_.join();
    ::close(socket_);
  }
  TestUdp(const TestUdp&) = delete;
  TestUdp& operator=(const TestUdp&) = delete;
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] int datagrams() const noexcept { return datagrams_; }

 private:
  void run() {
    std::array<char, 65536> bytes{};
    while (!ends_) {
      pollfd waited{socket_, POLLIN, 0};
      if (::poll(&waited, 1, 20) <= 0) continue;
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const ssize_t n = ::recvfrom(socket_, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (n < 0) continue;
      ++datagrams_;
      const std::string answer = answering_({bytes.data(), static_cast<std::size_t>(n)});
      if (!answer.empty())
        (void)!::sendto(socket_, answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }
  Answering answering_;
  int socket_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> ends_{false};
  std::atomic<int> datagrams_{0};
  std::thread thread_;
};

class TestRelay {
 public:
  explicit TestRelay(std::uint16_t target, double loss = 0) : loss_(loss) {
    for (int* side : {&front_, &back_}) {
      *side = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      const int roomy = 4 << 20;
      ::setsockopt(*side, SOL_SOCKET, SO_RCVBUF, &roomy, sizeof roomy);
    }
    sockaddr_in here = loopback(0), there = loopback(target);
    socklen_t size = sizeof here;
    EXPECT_EQ(::bind(front_, reinterpret_cast<sockaddr*>(&here), size), 0);
    EXPECT_EQ(::getsockname(front_, reinterpret_cast<sockaddr*>(&here), &size), 0);
    EXPECT_EQ(::connect(back_, reinterpret_cast<sockaddr*>(&there), sizeof there), 0);
    port_ = ntohs(here.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~TestRelay() {
    ends_ = true;
    thread_.join();
    ::close(front_), ::close(back_);
  }
  TestRelay(const TestRelay&) = delete;
  TestRelay& operator=(const TestRelay&) = delete;
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] int dropped() const noexcept { return dropped_; }
  /// From the client: datagrams, those of a handshake among them, and when the newest came.
  [[nodiscard]] int datagrams() const noexcept { return datagrams_; }
  [[nodiscard]] int handshake_datagrams() const noexcept { return handshake_datagrams_; }
  [[nodiscard]] std::int64_t newest_ns() const noexcept { return newest_ns_; }

 private:
  void run() {
    std::array<char, 65536> bytes{};
    std::mt19937 random(42);
    std::bernoulli_distribution lost(loss_);
    while (!ends_) {
      std::array<pollfd, 2> waited{{{front_, POLLIN, 0}, {back_, POLLIN, 0}}};
      ::poll(waited.data(), waited.size(), 20);
      socklen_t size = sizeof client_;
      for (ssize_t n; (n = ::recvfrom(front_, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&client_),
                                      &size)) >= 0;) {
        ++datagrams_, newest_ns_ = now_ns();
        if (n > 0 && (bytes[0] & 0x80) != 0) ++handshake_datagrams_;
        if (lost(random)) ++dropped_;
        else (void)!::send(back_, bytes.data(), static_cast<std::size_t>(n), 0);
      }
      for (ssize_t n; (n = ::recv(back_, bytes.data(), bytes.size(), 0)) >= 0;) {
        if (lost(random)) ++dropped_;
        else
          (void)!::sendto(front_, bytes.data(), static_cast<std::size_t>(n), 0,
                          reinterpret_cast<const sockaddr*>(&client_), sizeof client_);
      }
    }
  }
  const double loss_;
  int front_ = -1, back_ = -1;
  std::uint16_t port_ = 0;
  sockaddr_in client_{};
  std::atomic<bool> ends_{false};
  std::atomic<int> datagrams_{0}, handshake_datagrams_{0}, dropped_{0};
  std::atomic<std::int64_t> newest_ns_{0};
  std::thread thread_;
};

}  // namespace honeylink::telemetry::net
