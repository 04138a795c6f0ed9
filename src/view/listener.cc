// See listener.h. Without SO_REUSEPORT: with it a second program of the user could take half of the requests, and their
// tokens. SO_REUSEADDR alone lets a port be taken again while old connections linger.
#include "view/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace honeylink::telemetry::view {
namespace {

constexpr int kBacklog = 64;

/// The inode of the socket that listens on this port; 0: none that /proc shows.
std::uint64_t listening_inode(std::uint16_t port) {
  constexpr const char* kListen = "0A";
  for (const char* const table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream lines(table);
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      std::istringstream words(line);
      std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout;
      std::uint64_t inode = 0;
      words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode;
      char digits[8];
      std::snprintf(digits, sizeof digits, ":%04X", port);
      if (state == kListen && local.ends_with(digits)) return inode;
    }
  }
  return 0;
}

/// "pid 4711 (caddy)"; empty where it cannot be told: another user's descriptors are not shown.
std::string holder_of(std::uint64_t inode) {
  if (inode == 0) return {};
  const std::string wanted = "socket:[" + std::to_string(inode) + "]";
  std::error_code ignored;
  for (const auto& process : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string pid = process.path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    for (std::filesystem::directory_iterator fds(process.path() / "fd", ignored), end; !ignored && fds != end;
         fds.increment(ignored)) {
      if (std::filesystem::read_symlink(fds->path(), ignored).string() != wanted) continue;
      std::string name;
      std::getline(std::ifstream(process.path() / "comm"), name);
      return "pid " + pid + (name.empty() ? "" : " (" + name + ")");
    }
    ignored.clear();
  }
  return {};
}

query::Problem no_port(std::uint16_t port, int error) {
  const std::string what = "cannot listen on 127.0.0.1:" + std::to_string(port);
  if (error != EADDRINUSE) return {query::ProblemKind::environment, what, std::strerror(error), "try --port 0"};
  const std::string holder = holder_of(listening_inode(port));
  return {query::ProblemKind::environment, what, "the port is in use" + (holder.empty() ? "" : " by " + holder),
          "leave --port away for a free one"};
}

}  // namespace

query::Answer<Listener> listen_on_loopback(std::uint16_t port) {
  Listener listener;
  listener.socket = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET, address.sin_port = htons(port), address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  const int fd = listener.socket.get();
  if (!listener.socket || ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(fd, generic, size) != 0 || ::listen(fd, kBacklog) != 0 || ::getsockname(fd, generic, &size) != 0)
    return no_port(port, errno);
  listener.port = ntohs(address.sin_port);
  return listener;
}

}  // namespace honeylink::telemetry::view
