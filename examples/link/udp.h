// Sockets on 127.0.0.1, owned and closed. Nothing here listens on any other address.
#pragma once
#include <netinet/in.h>

#include <chrono>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace honeylink::link {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

inline constexpr std::size_t kDatagramBytesMax =
    2048;  // above every datagram of ours; what is longer is cut, then refused

/// Owns a file descriptor; empty is -1. Belongs to one thread at a time.
class Fd {
 public:
  Fd() noexcept = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool ok() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

[[nodiscard]] sockaddr_in loopback(std::uint16_t port) noexcept;
[[nodiscard]] Fd bind_udp();                       ///< On a free port; not ok() where that fails.
[[nodiscard]] Fd connect_udp(std::uint16_t port);  ///< From a free port to this one.
[[nodiscard]] std::uint16_t local_port(int fd) noexcept;
/// Waits until the socket is readable; false at the deadline or on a signal.
[[nodiscard]] bool wait_readable(int fd, Time deadline) noexcept;
/// One datagram from a connected socket into `buffer`; empty where there is none. An ICMP refusal counts as none.
[[nodiscard]] ByteView receive(int fd, std::span<std::uint8_t> buffer) noexcept;
[[nodiscard]] bool send(int fd, ByteView datagram) noexcept;

}  // namespace honeylink::link
