// See look_up.h.
#include "net/look_up.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstring>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>

#include "base/file.h"

namespace honeylink::telemetry::net {
namespace {

constexpr std::size_t kAddressesMax = 8;

Address four(in_addr address, std::uint16_t port) noexcept {
  Address to;
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr = address;
  in.sin_port = htons(port);
  std::memcpy(&to.bytes, &in, to.size = sizeof in);
  return to;
}

Address six(const in6_addr& address, std::uint16_t port) noexcept {
  Address to;
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_addr = address;
  in.sin6_port = htons(port);
  std::memcpy(&to.bytes, &in, to.size = sizeof in);
  return to;
}

std::vector<Address> known_of(const consent::Endpoint& endpoint) {
  in_addr of_four{};
  in6_addr of_six{};
  if (endpoint.host == "localhost")  // without a look-up, whatever the resolver's configuration says
    return {four({htonl(INADDR_LOOPBACK)}, endpoint.port), six(in6addr_loopback, endpoint.port)};
  if (::inet_pton(AF_INET, endpoint.host.c_str(), &of_four) == 1) return {four(of_four, endpoint.port)};
  if (endpoint.host.starts_with('[') &&
      ::inet_pton(AF_INET6, endpoint.host.substr(1, endpoint.host.size() - 2).c_str(), &of_six) == 1)
    return {six(of_six, endpoint.port)};
  return {};
}

std::vector<Address> ask(const std::string& host, std::uint16_t port) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return {};
  std::vector<Address> addresses;
  for (const addrinfo* at = found; at != nullptr && addresses.size() < kAddressesMax; at = at->ai_next) {
    Address& to = addresses.emplace_back();
    std::memcpy(&to.bytes, at->ai_addr, to.size = at->ai_addrlen);
  }
  ::freeaddrinfo(found);
  return addresses;
}

}  // namespace

bool is_loopback(const sockaddr* address) noexcept {
  if (address->sa_family == AF_INET)
    return reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr == htonl(INADDR_LOOPBACK);
  return address->sa_family == AF_INET6 &&
         IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
}

struct LookUp::Asked {
  Fd done_event{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::mutex mutex;
  bool done = false;
  std::vector<Address> addresses;
};

LookUp::LookUp(const consent::Endpoint& endpoint) : known_(known_of(endpoint)) {
  if (!known_.empty()) return;
  asked_ = std::make_shared<Asked>();
  const auto answer = [](Asked& to, std::vector<Address> found) {
    const std::lock_guard lock(to.mutex);
    to.addresses = std::move(found);
    to.done = true;
    const std::uint64_t one = 1;
    (void)!::write(to.done_event.get(), &one, sizeof one);
  };
  try {
    std::thread([asked = asked_, host = endpoint.host, port = endpoint.port, answer] {
      answer(*asked, ask(host, port));
    }).detach();
  } catch (const std::system_error&) {
    answer(*asked_, {});  // no thread to be had: as if nobody knew the name
  }
}

LookUp::~LookUp() = default;

bool LookUp::done() const {
  if (asked_ == nullptr) return true;
  const std::lock_guard lock(asked_->mutex);
  return asked_->done;
}

int LookUp::descriptor() const noexcept { return asked_ == nullptr ? -1 : asked_->done_event.get(); }

std::vector<Address> LookUp::addresses() const {
  if (asked_ == nullptr) return known_;
  const std::lock_guard lock(asked_->mutex);
  return asked_->addresses;
}

}  // namespace honeylink::telemetry::net
