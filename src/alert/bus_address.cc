// The session bus's address and a first greeting: see bus_address.h. Grammar and authentication: D-Bus Specification
// 0.38, "Server Addresses" and "Authentication Protocol".
#include "alert/bus_address.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

namespace honeylink::telemetry::alert {
namespace {

/// %-escapes undone; nullopt where they are malformed or hide a zero byte.
std::optional<std::string> unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    std::uint8_t byte = 0;
    if (i + 2 >= text.size() || !unhex(text.substr(i + 1, 2), {&byte, 1}) || byte == 0) return std::nullopt;
    result += static_cast<char>(byte);
    i += 2;
  }
  return result;
}

struct SocketName {
  std::string name;
  bool abstract = false;
};

/// "unix:path=/run/user/1000/bus,guid=…": its socket; nullopt for what is none.
std::optional<SocketName> socket_of(std::string_view address) {
  if (!address.starts_with("unix:")) return std::nullopt;
  address.remove_prefix(5);
  while (!address.empty()) {
    const std::string_view pair = address.substr(0, address.find(','));
    address.remove_prefix(std::min(address.size(), pair.size() + 1));
    const bool path = pair.starts_with("path="), abstract = pair.starts_with("abstract=");
    if (!path && !abstract) continue;
    auto name = unescaped(pair.substr(pair.find('=') + 1));
    if (!name || name->empty() || name->size() + 1 >= sizeof(sockaddr_un::sun_path)) return std::nullopt;
    return SocketName{std::move(*name), abstract};
  }
  return std::nullopt;
}

BusAddress first_of(const std::string& list, const std::string& source) {
  std::string_view rest = list;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    if (socket_of(one)) return {BusFinding::usable, std::string(one), std::string(one)};
  }
  return {BusFinding::refused, {}, source + "=" + list};
}

bool is_socket(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

/// One line that ends in \r\n, before `until_ns`.
std::optional<std::string> read_line(int fd, std::int64_t until_ns) {
  std::string line;
  while (line.size() < 256) {
    const std::int64_t left_ms = (until_ns - system_clock().monotonic_ns()) / 1'000'000;
    pollfd wait{fd, POLLIN, 0};
    if (left_ms <= 0 || ::poll(&wait, 1, static_cast<int>(left_ms)) <= 0) return std::nullopt;
    char bytes[256];
    const ssize_t n = ::recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n <= 0) return n == 0 ? std::optional<std::string>("") : std::nullopt;
    line.append(bytes, static_cast<std::size_t>(n));
    if (line.ends_with("\r\n")) return line.substr(0, line.size() - 2);
  }
  return "";
}

}  // namespace

BusAddress find_session_bus(const std::string& given) {
  if (!given.empty()) return first_of(given, "the bus address");
  if (const char* variable = ::secure_getenv("DBUS_SESSION_BUS_ADDRESS"); variable != nullptr && *variable != '\0')
    return first_of(variable, "DBUS_SESSION_BUS_ADDRESS");
  std::string path;
  if (const char* directory = ::secure_getenv("XDG_RUNTIME_DIR"); directory != nullptr && directory[0] == '/')
    path = std::string(directory) + "/bus";
  if (path.empty() || !is_socket(path)) path = "/run/user/" + std::to_string(::getuid()) + "/bus";
  if (!is_socket(path)) return {BusFinding::absent, {}, path};
  std::string escaped = "unix:path=";
  for (const char c : path) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || std::strchr("-_/.\\*", c) != nullptr;
    if (plain) escaped += c;
    else escaped += "%" + hex({reinterpret_cast<const std::uint8_t*>(&c), 1});
  }
  return {BusFinding::usable, escaped, path};
}

BusAnswer greet_bus(const BusAddress& bus, int timeout_ms) {
  const std::int64_t until = system_clock().monotonic_ns() + std::int64_t{timeout_ms} * 1'000'000;
  const auto name = socket_of(bus.address);
  if (!name) return {BusFinding::refused, {}};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + (name->abstract ? 1 : 0), name->name.data(), name->name.size());
  const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name->name.size());
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return {BusFinding::absent, {}};
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), bytes) != 0)
    return {errno == EAGAIN ? BusFinding::hung : BusFinding::absent,
            {}};  // EAGAIN: a full queue that nobody takes from
  const std::string uid = std::to_string(::geteuid());
  std::string greeting(1, '\0');
  greeting += "AUTH EXTERNAL " + hex({reinterpret_cast<const std::uint8_t*>(uid.data()), uid.size()}) + "\r\n";
  if (::send(socket.get(), greeting.data(), greeting.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(greeting.size()))
    return {BusFinding::absent, {}};
  const auto line = read_line(socket.get(), until);
  if (!line) return {BusFinding::hung, {}};
  if (!line->starts_with("OK ") || line->size() < 35) return {BusFinding::absent, {}};
  return {BusFinding::usable, line->substr(3, 32)};
}

}  // namespace honeylink::telemetry::alert
