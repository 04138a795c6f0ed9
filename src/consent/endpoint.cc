// See endpoint.h. libcurl reads numbers such as 0x7f.1 as addresses; what passes here it reads in one way only.
#include "consent/endpoint.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace honeylink::telemetry::consent {
namespace {

constexpr std::size_t kEndpointBytesMax = 1024, kHostBytesMax = 253, kLabelBytesMax = 63;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_letter(char c) noexcept { return c >= 'a' && c <= 'z'; }

std::string lower(std::string_view text) {
  std::string low(text);
  for (char& c : low)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return low;
}

/// By the URL standard a host whose last part is a number is an IPv4 address, however it is spelt.
bool ends_in_number(std::string_view last) noexcept {
  if (std::all_of(last.begin(), last.end(), is_digit)) return true;
  return last.starts_with("0x") &&
         std::all_of(last.begin() + 2, last.end(), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

bool read_name(const std::string& host, std::string& why) {
  in_addr four{};
  if (::inet_pton(AF_INET, host.c_str(), &four) == 1) {
    std::array<char, INET_ADDRSTRLEN> again{};
    if (::inet_ntop(AF_INET, &four, again.data(), again.size()) != nullptr && host == again.data()) return true;
  }
  std::string_view rest = host, last;
  if (host.size() > kHostBytesMax) return why = "the host's name is too long", false;
  while (true) {
    const std::size_t dot = rest.find('.');
    last = rest.substr(0, dot);
    const bool sound =
        !last.empty() && last.size() <= kLabelBytesMax && last.front() != '-' && last.back() != '-' &&
        std::all_of(last.begin(), last.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
    if (!sound) return why = "'" + host + "' is no host: a name of a-z, 0-9, '-' and '.', or an address", false;
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  if (ends_in_number(last)) return why = "'" + host + "' is an address in another spelling; write it as 1.2.3.4", false;
  return true;
}

bool read_six(std::string& host, std::string& why) {
  in6_addr six{};
  const std::string inside = host.substr(1, host.size() - 2);
  std::array<char, INET6_ADDRSTRLEN> again{};
  if (::inet_pton(AF_INET6, inside.c_str(), &six) != 1 ||
      ::inet_ntop(AF_INET6, &six, again.data(), again.size()) == nullptr)
    return why = "'" + host + "' is no IPv6 address", false;
  if (IN6_IS_ADDR_V4MAPPED(&six)) return why = "'" + host + "' is an IPv4 address; write it as 1.2.3.4", false;
  host = std::string("[") + again.data() + "]";
  return true;
}

bool read_authority(std::string_view authority, Endpoint& to, std::string& why) {
  if (authority.find('@') != std::string_view::npos) return why = "a user or password does not belong in it", false;
  std::string_view port;
  const bool six = authority.starts_with('[');
  const std::size_t close = six ? authority.find(']') : authority.find(':');
  if (six && close == std::string_view::npos) return why = "a ']' is missing", false;
  to.host = lower(authority.substr(0, six ? close + 1 : close));
  std::string_view rest = authority.substr(std::min(authority.size(), to.host.size()));
  if (!rest.empty() && rest.front() != ':') return why = "after the host a port or a path may come", false;
  if (!rest.empty()) {
    port = rest.substr(1);
    unsigned number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (error != std::errc{} || end != port.data() + port.size() || number == 0 || number > 65535 ||
        port.front() == '0')
      return why = "'" + std::string(port) + "' is no port", false;
    to.port = static_cast<std::uint16_t>(number);
  }
  return six ? read_six(to.host, why) : read_name(to.host, why);
}

bool read_path(std::string_view path, Endpoint& to, std::string& why) {
  while (path.ends_with('/')) path.remove_suffix(1);
  for (const char c : path) {
    if (c > ' ' && c < 0x7f && std::string_view("\"<>\\^`{|}?#").find(c) == std::string_view::npos) continue;
    return why = c == '?' || c == '#' ? "a query or fragment does not belong in it"
                                      : "its path holds what must be percent-encoded",
           false;
  }
  for (std::string_view rest = path; !rest.empty();) {
    const std::size_t slash = rest.find('/', 1);
    const std::string_view part = rest.substr(1, slash == std::string_view::npos ? slash : slash - 1);
    if (part.empty() || part == "." || part == "..") return why = "its path is not straight", false;
    rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash);
  }
  to.path = path;
  return true;
}

}  // namespace

std::string Endpoint::text() const { return scheme + "://" + host + ":" + std::to_string(port) + path; }

std::optional<Endpoint> parse_endpoint(std::string_view text, std::string& why) {
  Endpoint endpoint;
  why.clear();
  if (text.size() > kEndpointBytesMax) return why = "it is longer than 1,024 bytes", std::nullopt;
  const std::size_t colon = text.find("://");
  endpoint.scheme = lower(text.substr(0, colon));
  if (colon == std::string_view::npos ||
      (endpoint.scheme != "http" && endpoint.scheme != "https" && endpoint.scheme != "h3"))
    return why = "it must begin with https://, with h3:// for HTTP/3, or with http:// for this device itself",
           std::nullopt;
  endpoint.port = endpoint.tls() ? 443 : 80;
  const std::string_view rest = text.substr(colon + 3);
  const std::size_t slash = std::min(rest.find_first_of("/?#"), rest.size());
  if (!read_authority(rest.substr(0, slash), endpoint, why) || !read_path(rest.substr(slash), endpoint, why))
    return std::nullopt;
  if (!endpoint.tls() && !endpoint.loopback())
    return why = "without encryption only 127.0.0.1, [::1] and localhost can be reached; use https://", std::nullopt;
  return endpoint;
}

}  // namespace honeylink::telemetry::consent
