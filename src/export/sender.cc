// See sender.h. Paths and headers: OTLP/gRPC and OTLP/HTTP of the OTLP specification 1.9; the frame of a gRPC message
// and percent-encoded grpc-message: gRPC over HTTP/2.
#include "export/sender.h"

#include <charconv>
#include <chrono>
#include <ctime>

namespace honeylink::telemetry::exporting {
namespace {

constexpr std::uint16_t kHttpPort = 4318;
constexpr std::size_t kFrameHead = 5;  // compressed flag, big-endian length
constexpr int kUnsupportedMediaType = 415;
constexpr std::string_view kUnimplemented = "12";  // gRPC's answer to an encoding that the peer does not have

std::string_view service_of(consent::Signal signal) noexcept {
  switch (signal) {
    case consent::Signal::traces:
      return "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    case consent::Signal::logs:
      return "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
    default:
      return "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
  }
}

std::string_view path_of(consent::Signal signal) noexcept {  // H6
  switch (signal) {
    case consent::Signal::traces:
      return "/v1/traces";
    case consent::Signal::logs:
      return "/v1/logs";
    default:
      return "/v1/metrics";
  }
}

int digit_of(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
    const int low = high >= 0 ? digit_of(text[i + 2]) : -1;
    out += low >= 0 ? static_cast<char>(high * 16 + low) : text[i];
    if (low >= 0) i += 2;
  }
  return out;
}

// Base64 with or without padding, as gRPC's binary headers allow; nonsense ends it.
std::string base64_decoded(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    const int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '+'             ? 62
                      : c == '/'             ? 63
                                             : -1;
    if (value < 0) break;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    if ((have += 6) >= 8) out += static_cast<char>(bits >> (have -= 8) & 0xff);
  }
  return out;
}

std::string_view message_of(std::string_view body) noexcept {
  return body.size() >= kFrameHead && body[0] == 0 ? body.substr(kFrameHead) : std::string_view();
}

}  // namespace

Protocol protocol_of(const consent::Endpoint& endpoint) noexcept {
  const bool http = endpoint.quic() || endpoint.port == kHttpPort || !endpoint.path.empty();
  return http ? Protocol::http_protobuf : Protocol::grpc;
}

std::string_view name_of(Protocol protocol) noexcept { return protocol == Protocol::grpc ? "grpc" : "http/protobuf"; }

Sender::Sender(std::unique_ptr<net::Client> client, consent::Signal signal)
    : client_(std::move(client)), signal_(signal), protocol_(protocol_of(client_->permit().endpoint())) {}

std::unique_ptr<Sender> Sender::make(consent::Permit permit, std::string& why, Compression compression) {
  const consent::Signal signal = permit.signal();
  const bool elsewhere = !permit.endpoint().loopback();
  net::ClientOptions options;
  options.answer_bytes_max = kAnswerBytesMax;
  auto client = net::Client::make(std::move(permit), options, why);
  if (client == nullptr) return nullptr;
  auto sender = std::unique_ptr<Sender>(new Sender(std::move(client), signal));
  if (compression == Compression::gzip || (compression == Compression::automatic && elsewhere))
    sender->gzip_ = Gzip::make();
  return sender;
}

net::Request Sender::frame(std::string_view message, bool packed) {
  net::Request request;
  request.timeout_ms = kExportTimeoutMs;
  if (protocol_ == Protocol::http_protobuf) {
    request.path = path_of(signal_);
    request.headers = {"content-type: application/x-protobuf"};
    if (packed) request.headers.emplace_back("content-encoding: gzip");
    request.body = message;
    return request;
  }
  request.path = service_of(signal_);
  request.http2 = true;
  request.headers = {"content-type: application/grpc", "te: trailers"};
  if (packed) request.headers.emplace_back("grpc-encoding: gzip");
  const auto size = static_cast<std::uint32_t>(message.size());
  body_.assign(kFrameHead, '\0');
  body_[0] = packed ? 1 : 0;
  for (std::size_t i = 0; i < 4; ++i) body_[1 + i] = static_cast<char>(size >> (24 - 8 * i) & 0xff);
  body_ += message;
  request.body = body_;
  return request;
}

Outcome Sender::read(const net::Answer& answer) const {
  if (!answer.ok()) return outcome_of_no_answer(answer.said);
  if (protocol_ == Protocol::http_protobuf)
    return outcome_of_http(answer.status, answer.header("retry-after"), answer.body, std::time(nullptr));
  const std::string_view status = answer.header("grpc-status");
  int code = -1;
  const auto [end, error] = std::from_chars(status.data(), status.data() + status.size(), code);
  if (status.empty() || error != std::errc{} || end != status.data() + status.size()) {
    // A proxy that speaks HTTP only: gRPC's mapping of its statuses is retryable for these four alone.
    return answer.status != 200 ? outcome_of_http(answer.status, answer.header("retry-after"), {}, std::time(nullptr))
                                : outcome_of_grpc(-1, {}, {}, {});
  }
  return outcome_of_grpc(code, percent_decoded(answer.header("grpc-message")),
                         base64_decoded(answer.header("grpc-status-details-bin")), message_of(answer.body));
}

// A peer that does not know gzip says so, and is sent the same again as it is, now and from then on.
net::Answer Sender::exchange(std::string_view message) {
  packed_.clear();
  if (gzip_ == nullptr || message.size() < kGzipBytesMin || !gzip_->pack(message, packed_))
    return client_->send(frame(message, false));
  net::Answer answer = client_->send(frame(packed_, true));
  const bool unknown = answer.ok() && (answer.status == kUnsupportedMediaType ||
                                       (answer.header("grpc-status") == kUnimplemented &&
                                        answer.header("grpc-message").find("ncoding") != std::string_view::npos));
  if (!unknown) return answer;
  gzip_.reset();
  return client_->send(frame(message, false));
}

net::Answer Sender::ask(std::string_view request) {
  net::Answer answer = exchange(request);
  if (protocol_ == Protocol::http_protobuf || is_known_) return answer;
  is_known_ = answer.ok() && !answer.header("grpc-status").empty();
  const bool strange = answer.ok()
                           ? !is_known_ && answer.status >= 400 && answer.status < 500
                           : answer.failure == net::Failure::bad_answer || answer.failure == net::Failure::closed ||
                                 answer.failure == net::Failure::tls_no_http2;
  if (!strange) return answer;
  protocol_ = Protocol::http_protobuf;
  net::Answer other = exchange(request);
  if (other.ok() && other.status >= 200 && other.status < 300) return is_known_ = true, other;
  protocol_ = Protocol::grpc;
  return answer;
}

Sent Sender::send(std::string_view request) {
  Sent sent;
  if (request.size() > kRequestBytesMax) {
    sent.outcome = {Verdict::split, 0, 0, "a request of " + std::to_string(request.size()) + " bytes"};
    return sent;
  }
  const auto begin = std::chrono::steady_clock::now();
  const net::Answer answer = ask(request);
  sent.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  sent.failure = answer.failure;
  sent.outcome = read(answer);
  return sent;
}

}  // namespace honeylink::telemetry::exporting
