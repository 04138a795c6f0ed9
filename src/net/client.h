// The one way out: an HTTP client (HTTP/3 where the endpoint says h3, else libcurl's) for one endpoint, made of a
// permit and of nothing else (I-5).
//
// Owned and used by one thread; cancel() may be called from any. It talks only to its permit's endpoint, below its
// path: plaintext to this device alone, TLS 1.3 with verified certificates to everyone else; no redirects, no proxies
// (none from the environment either), no cookies, no compressed answers, nothing that could say "insecure". While it
// sends it asks the permit every 200 ms; where that is no longer valid the connection is reset at once, what the kernel
// still held included. Nothing throws out of here; errors are values.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "consent/gate.h"

namespace honeylink::telemetry::net {

enum class Failure : std::uint8_t {
  none,
  not_permitted,  // revoked, expired or replaced: ask the gate for another permit
  cancelled,
  no_library,
  bad_request,  // ours: a header or path that cannot be sent
  unresolved,
  unreachable,
  timed_out,
  closed,      // the peer ended the connection before it had answered
  bad_answer,  // what came is not HTTP, or more than allowed
  tls_expired,
  tls_unknown_authority,
  tls_wrong_name,
  tls_wrong_pin,
  tls_version,          // the peer speaks nothing newer than TLS 1.2, or no TLS at all
  tls_own_certificate,  // the peer asks for one of ours, or did not like it
  own_key,              // our certificate or key cannot be used: missing, open to others, not a pair
  tls_no_http2,         // HTTP/2 was asked for and the peer does not offer it (ALPN)
  tls_no_http3,         // likewise HTTP/3, or QUIC's version 1
  tls_other,
};
/// Another try with the same receipt can only fail again until somebody changes something there or here.
[[nodiscard]] constexpr bool is_refusal(Failure failure) noexcept { return failure >= Failure::tls_expired; }
[[nodiscard]] std::string_view name_of(Failure failure) noexcept;

struct Request {
  std::string_view method = "POST";
  std::string path = {};                  // appended to the endpoint's: "/api/v2/alerts"
  std::vector<std::string> headers = {};  // "content-type: application/json"; no line feeds
  std::string_view body = {};             // any bytes; must live until send() returns
  int timeout_ms = 10'000;                // of the whole exchange
  bool http2 = false;                     // HTTP/2 or nothing; over TLS by ALPN; not for h3://
};

struct Answer {
  Failure failure = Failure::none;
  std::string said;                                          // one line, for logs and people
  int status = 0;                                            // of HTTP
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case; trailers too, at the end
  std::string body;
  [[nodiscard]] bool ok() const noexcept { return failure == Failure::none; }
  /// The last one of this name (lower case), or nothing.
  [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
};

struct ClientOptions {
  int connect_timeout_ms = 3'000;
  std::size_t answer_bytes_max = 4 << 20;
};

struct Leave;
class Transport;

class Client {
 public:
  /// nullptr and `why` where the library cannot be had. Opens no socket.
  [[nodiscard]] static std::unique_ptr<Client> make(consent::Permit permit, const ClientOptions& options,
                                                    std::string& why);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Sends and waits for the whole answer. A connection is kept for the next request.
  [[nodiscard]] Answer send(const Request& request);
  /// Ends a send() that is under way, within milliseconds; and every later one.
  void cancel() noexcept;
  /// For the owner's loop between requests, at least once a second: false, and the kept connection is reset, where the
  /// permit has ended.
  [[nodiscard]] bool still_permitted();
  [[nodiscard]] const consent::Permit& permit() const noexcept { return permit_; }

 private:
  Client(consent::Permit permit, const ClientOptions& options);
  [[nodiscard]] Answer exchange(const Request& request);
  consent::Permit permit_;
  ClientOptions options_;
  std::atomic<bool> cancelled_{false};
  std::unique_ptr<const Leave> leave_;
  std::unique_ptr<Transport> transport_;
};

}  // namespace honeylink::telemetry::net
