// See failure.h. libcurl tells the TLS failures apart by OpenSSL's verify result and, where that is silent, in its
// text.
#include "net/failure.h"

#include <array>

namespace honeylink::telemetry::net {
namespace {

// <openssl/x509_vfy.h>; not included, since nothing else of OpenSSL is used here.
constexpr long kNotYetValid = 9, kHasExpired = 10, kHostnameMismatch = 62, kIpMismatch = 64;

bool says(std::string_view text, std::string_view word) noexcept { return text.find(word) != std::string_view::npos; }

Failure of_verification(long verify, std::string_view text) noexcept {
  if (verify == kHasExpired || verify == kNotYetValid) return Failure::tls_expired;
  if (verify == kHostnameMismatch || verify == kIpMismatch || says(text, "target host name") ||
      says(text, "subject name"))
    return Failure::tls_wrong_name;
  return Failure::tls_unknown_authority;
}

Failure of_handshake(std::string_view text) noexcept {
  if (says(text, "protocol version") || says(text, "unsupported protocol") || says(text, "wrong version number") ||
      says(text, "packet length too long") || says(text, "record layer failure"))
    return Failure::tls_version;
  if (says(text, "certificate required") || says(text, "bad certificate") || says(text, "unknown ca") ||
      says(text, "certificate unknown"))
    return Failure::tls_own_certificate;  // alerts that the peer sent about ours
  return Failure::tls_other;
}

}  // namespace

std::string_view name_of(Failure failure) noexcept {
  constexpr std::array<std::string_view, static_cast<std::size_t>(Failure::tls_other) + 1> kNames{
      "none",           "not_permitted", "cancelled",   "no_library",          "bad_request", "unresolved",
      "unreachable",    "timed_out",     "closed",      "bad_answer",          "tls_expired", "tls_unknown_ca",
      "tls_wrong_name", "tls_wrong_pin", "tls_version", "tls_own_certificate", "own_key",     "tls_no_http2",
      "tls_no_http3",   "tls_other"};
  return kNames[static_cast<std::size_t>(failure)];
}

Failure failure_of(CURLcode code, long verify, std::string_view text, bool tls) noexcept {
  switch (code) {
    case CURLE_OK:
      return Failure::none;
    case CURLE_COULDNT_RESOLVE_HOST:
      return Failure::unresolved;
    case CURLE_COULDNT_CONNECT:
      return Failure::unreachable;
    case CURLE_OPERATION_TIMEDOUT:
      return Failure::timed_out;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return of_verification(verify, text);
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return Failure::tls_wrong_pin;
    case CURLE_SSL_CONNECT_ERROR:
      return of_handshake(text);
    case CURLE_SSL_CERTPROBLEM:
      return Failure::own_key;
    case CURLE_SSL_CACERT_BADFILE:
      return Failure::tls_unknown_authority;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      // In TLS 1.3 a client's certificate is refused after its handshake is done.
      return tls && of_handshake(text) == Failure::tls_own_certificate ? Failure::tls_own_certificate : Failure::closed;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WRITE_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_BAD_CONTENT_ENCODING:
      return Failure::bad_answer;
    default:
      return tls && says(text, "SSL") ? Failure::tls_other : Failure::closed;
  }
}

Failure failure_of_alert(unsigned alert, bool from_peer) noexcept {
  switch (alert) {
    case 70:  // protocol_version
      return Failure::tls_version;
    case 120:  // no_application_protocol
      return Failure::tls_no_http3;
    case 42:   // bad_certificate
    case 43:   // unsupported_certificate
    case 44:   // certificate_revoked
    case 45:   // certificate_expired
    case 46:   // certificate_unknown
    case 48:   // unknown_ca
    case 49:   // access_denied
    case 116:  // certificate_required
      return from_peer ? Failure::tls_own_certificate : Failure::tls_unknown_authority;
    default:
      return Failure::tls_other;
  }
}

}  // namespace honeylink::telemetry::net
