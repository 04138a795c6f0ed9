// HTTP/1.1 and HTTP/2 by libcurl: one request at a time through a multi handle, and the callbacks that libcurl makes.
// See transport.h for who calls it and when.
#pragma once
#include <array>
#include <mutex>
#include <string>

#include "net/curl.h"
#include "net/transport.h"

namespace honeylink::telemetry::net {

class CurlTransport final : public Transport {
 public:
  CurlTransport(const Curl& curl, const Leave& leave);
  ~CurlTransport() override;
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;

  [[nodiscard]] bool multi() const noexcept { return multi_ != nullptr; }
  bool begin(const Request& request, std::string& why) override;
  bool perform() override;
  void wait(int timeout_ms) override;
  Answer finish(const Request& request) override;
  /// Resets every connection: what the kernel holds of it is thrown away, not sent.
  void drop() override;
  void wake() noexcept override;

 private:
  bool ready();
  void set_once();
  void set_tls();
  void set_request(const Request& request);
  void clear();
  template <class T>
  void set(CURLoption option, T value) {
    if (curl_.easy_setopt(easy_, option, value) != CURLE_OK) refused_option_ = true;
  }
  static curl_socket_t open_socket(void* self, curlsocktype purpose, struct curl_sockaddr* address) noexcept;
  static int close_socket(void* self, curl_socket_t socket) noexcept;
  static int before_request(void* self, char*, char*, int, int) noexcept;
  [[nodiscard]] bool lacks_http2() const;
  static CURLcode prepare_tls(CURL*, void* ssl_ctx, void* self) noexcept;
  [[nodiscard]] bool refused_our_certificate() const noexcept;
  static std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* self) noexcept;

  const Curl& curl_;
  const Leave& leave_;
  std::mutex multi_mutex_;  // between wake() and drop(), which makes a new handle
  CURLM* multi_ = nullptr;
  CURL* easy_ = nullptr;
  curl_slist *headers_ = nullptr, *resolve_ = nullptr;
  bool added_ = false, refused_option_ = false, resets_ = false, too_much_ = false, stranger_ = false;
  bool http2_ = false, no_http2_ = false, asked_for_ours_ = false;
  CURLcode result_ = CURLE_OK;
  std::size_t header_bytes_ = 0;
  Answer answer_;
  std::array<char, CURL_ERROR_SIZE> error_{};
};

}  // namespace honeylink::telemetry::net
