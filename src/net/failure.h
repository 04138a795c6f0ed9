// What libcurl answered, in this room's words. Pure.
#pragma once
#include <string>
#include <string_view>

#include "net/client.h"
#include "net/curl.h"

namespace honeylink::telemetry::net {

/// `verify`: CURLINFO_SSL_VERIFYRESULT (OpenSSL's X509_V_ERR_*); `text`: the error buffer; `tls`: of the endpoint.
[[nodiscard]] Failure failure_of(CURLcode code, long verify, std::string_view text, bool tls) noexcept;

}  // namespace honeylink::telemetry::net
