// The addresses of an endpoint. Numbers and localhost are known; a name is asked for on a thread of its own, since
// getaddrinfo() waits for as long as it likes and a revocation does not. Made and asked by one thread; abandoned by its
// destructor, the thread then ends by itself and its answer goes nowhere.
#pragma once
#include <sys/socket.h>

#include <memory>
#include <vector>

#include "consent/endpoint.h"

namespace honeylink::telemetry::net {

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&bytes); }
};

/// 127.0.0.1 or ::1.
[[nodiscard]] bool is_loopback(const sockaddr* address) noexcept;

class LookUp {
 public:
  explicit LookUp(const consent::Endpoint& endpoint);
  ~LookUp();
  LookUp(const LookUp&) = delete;
  LookUp& operator=(const LookUp&) = delete;

  /// Whether the answer is there.
  [[nodiscard]] bool done() const;
  /// Readable once it is; -1 where nobody was asked.
  [[nodiscard]] int descriptor() const noexcept;
  /// Once it is: in the order in which they are to be tried; empty: the name is not known.
  [[nodiscard]] std::vector<Address> addresses() const;

 private:
  struct Asked;
  std::shared_ptr<Asked> asked_;
  std::vector<Address> known_;
};

}  // namespace honeylink::telemetry::net
