// One way of speaking HTTP to a permit's endpoint: libcurl's (curl_transport.cc) or HTTP/3 (h3_transport.cc). Made and
// driven by Client alone, on its owner's thread (wake() on any): begin(), then perform() and wait() by turns until
// perform() says that it is over, then finish(). No call but wait() waits, and wait() for no longer than it is told, so
// that Client can look at the permit in between.
#pragma once
#include <atomic>
#include <memory>
#include <string>

#include "net/client.h"

namespace honeylink::telemetry::net {

/// What a transport asks before it opens a socket or hands over a request.
struct Leave {
  const consent::Permit& permit;
  const ClientOptions& options;
  const std::atomic<bool>& cancelled;
  [[nodiscard]] bool holds() const noexcept { return !cancelled && permit.valid(); }
};

class Transport {
 public:
  virtual ~Transport() = default;
  /// False and `why`: such a request cannot be sent.
  [[nodiscard]] virtual bool begin(const Request& request, std::string& why) = 0;
  /// False: it is over, well or not.
  [[nodiscard]] virtual bool perform() = 0;
  virtual void wait(int timeout_ms) = 0;
  [[nodiscard]] virtual Answer finish(const Request& request) = 0;
  /// Ends what is under way and every connection: what is still held of it is thrown away, not sent.
  virtual void drop() = 0;
  /// Between requests, now and then: a kept connection may have something to answer.
  virtual void tend() {}
  virtual void wake() noexcept = 0;
};

/// `leave` must outlive it. nullptr and `why` where the library cannot be had. Opens no socket.
[[nodiscard]] std::unique_ptr<Transport> make_curl_transport(const Leave& leave, std::string& why);
[[nodiscard]] std::unique_ptr<Transport> make_h3_transport(const Leave& leave, std::string& why);

}  // namespace honeylink::telemetry::net
