// What libcurl answered, and what TLS said, in this room's words. Pure.
#pragma once
#include <string>
#include <string_view>

#include "net/client.h"
#include "net/curl.h"

namespace honeylink::telemetry::net {

/// `verify`: CURLINFO_SSL_VERIFYRESULT (OpenSSL's X509_V_ERR_*); `text`: the error buffer; `tls`: of the endpoint.
[[nodiscard]] Failure failure_of(CURLcode code, long verify, std::string_view text, bool tls) noexcept;

/// A TLS alert: the peer's, or the one that we sent it (RFC 8446, 6.2).
[[nodiscard]] Failure failure_of_alert(unsigned alert, bool from_peer) noexcept;

}  // namespace honeylink::telemetry::net
