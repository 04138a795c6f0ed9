// libcurl, opened when the first permitted client is made and never before: a program without consent does not even map
// it (its 30 libraries cost 6 ms of every start; decision 0014). Only net includes this.
//
// The functions have libcurl's own types; setopt and getinfo are variadic, so callers pass the exact types that the
// manual names (long, pointers, curl_off_t). load_curl() may be called from any thread; the library is never closed.
#pragma once
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include <string>

namespace honeylink::telemetry::net {

struct Curl {
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_reset) easy_reset;
  CURLcode (*easy_setopt)(CURL*, CURLoption, ...);
  CURLcode (*easy_getinfo)(CURL*, CURLINFO, ...);
  decltype(&::curl_easy_strerror) easy_strerror;
  decltype(&::curl_multi_init) multi_init;
  decltype(&::curl_multi_cleanup) multi_cleanup;
  CURLMcode (*multi_setopt)(CURLM*, CURLMoption, ...);
  decltype(&::curl_multi_add_handle) multi_add_handle;
  decltype(&::curl_multi_remove_handle) multi_remove_handle;
  decltype(&::curl_multi_perform) multi_perform;
  decltype(&::curl_multi_poll) multi_poll;
  decltype(&::curl_multi_wakeup) multi_wakeup;
  decltype(&::curl_multi_info_read) multi_info_read;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free_all;
  decltype(&::curl_global_init) global_init;
  /// OpenSSL's SSL_get0_alpn_selected, as libcurl brought it along; nullptr where it was built with another library.
  void (*alpn_selected)(const void* ssl, const unsigned char** name, unsigned* bytes);
  /// OpenSSL's SSL_CTX_set_cert_cb, likewise: called when a peer asks for our certificate.
  void (*on_certificate_request)(void* ssl_ctx, int (*called)(void* ssl, void* self), void* self);
};

/// nullptr and `why` where the library is missing or too old.
[[nodiscard]] const Curl* load_curl(std::string& why);

}  // namespace honeylink::telemetry::net
