// See udp.h. Plain POSIX; buffers are enlarged because a relay's burst must not be lost by the kernel and then measured
// as loss.
#include "udp.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace honeylink::link {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}
Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

sockaddr_in loopback(std::uint16_t port) noexcept {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Fd bind_udp() {
  Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.ok()) return fd;
  constexpr int kBufferBytes = 1 << 20;
  for (const int side : {SO_RCVBUF, SO_SNDBUF}) {
    if (::setsockopt(fd.get(), SOL_SOCKET, side, &kBufferBytes, sizeof kBufferBytes) != 0) return Fd();
  }
  const sockaddr_in address = loopback(0);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return Fd();
  return fd;
}

Fd connect_udp(std::uint16_t port) {
  Fd fd = bind_udp();
  const sockaddr_in address = loopback(port);
  if (!fd.ok() || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return Fd();
  return fd;
}

std::uint16_t local_port(int fd) noexcept {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.sin_port);
}

bool wait_readable(int fd, Time deadline) noexcept {
  const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline - Clock::now()).count();
  const long long ns = left > 0 ? left : 0;
  const timespec timeout{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
  pollfd poll{fd, POLLIN, 0};
  return ::ppoll(&poll, 1, &timeout, nullptr) > 0;
}

ByteView receive(int fd, std::span<std::uint8_t> buffer) noexcept {
  const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  return size > 0 ? ByteView(buffer.data(), static_cast<std::size_t>(size)) : ByteView();
}

bool send(int fd, ByteView datagram) noexcept {
  return ::send(fd, datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
         static_cast<ssize_t>(datagram.size());
}

}  // namespace honeylink::link
