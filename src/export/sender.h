// One request to a collector and what its answer means. OTLP/gRPC (HTTP/2, one unary call) and OTLP/HTTP, over the one
// client of net, which needs a permit. Owned and used by one thread; cancel() from any.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "consent/gate.h"
#include "export/gzip.h"
#include "export/outcome.h"
#include "net/client.h"

namespace honeylink::telemetry::exporting {

enum class Protocol : std::uint8_t { grpc, http_protobuf };
/// To begin with: h3, OTLP's own port of HTTP, 4318, or a path means OTLP/HTTP; else gRPC. A peer that answers the
/// first gRPC call as if it had never heard of it, and takes OTLP/HTTP, is spoken to so from then on.
[[nodiscard]] Protocol protocol_of(const consent::Endpoint& endpoint) noexcept;
[[nodiscard]] std::string_view name_of(
    Protocol protocol) noexcept;  // "grpc", "http/protobuf": OTEL_EXPORTER_OTLP_PROTOCOL

/// What an exchange was, besides its meaning.
struct Sent {
  Outcome outcome;
  net::Failure failure = net::Failure::none;
  double milliseconds = 0;
};

/// C9: no answer for so long is a failure.
inline constexpr int kExportTimeoutMs = 10'000;
/// C8: nothing larger leaves, compressed or not.
inline constexpr std::size_t kRequestBytesMax = std::size_t{64} << 20;

/// Of requests: automatic is gzip to receivers elsewhere, where the way is what is scarce, and none on this device.
enum class Compression : std::uint8_t { automatic, none, gzip };

class Sender {
 public:
  [[nodiscard]] static std::unique_ptr<Sender> make(consent::Permit permit, std::string& why,
                                                    Compression compression = Compression::none);
  /// An Export…ServiceRequest of the permit's signal.
  [[nodiscard]] Sent send(std::string_view request);
  [[nodiscard]] bool still_permitted() { return client_->still_permitted(); }
  void cancel() noexcept { client_->cancel(); }
  [[nodiscard]] Protocol protocol() const noexcept { return protocol_; }

 private:
  Sender(std::unique_ptr<net::Client> client, consent::Signal signal);
  [[nodiscard]] net::Request frame(std::string_view message, bool packed);
  [[nodiscard]] net::Answer exchange(std::string_view message);
  [[nodiscard]] net::Answer ask(std::string_view message);
  [[nodiscard]] Outcome read(const net::Answer& answer) const;
  std::unique_ptr<net::Client> client_;
  consent::Signal signal_;
  Protocol protocol_;
  bool is_known_ = false;  // the peer has answered in this protocol
  std::string body_, packed_;
  std::unique_ptr<Gzip> gzip_;  // nullptr: requests go as they are
};

}  // namespace honeylink::telemetry::exporting
