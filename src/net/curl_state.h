// The handles behind a Client and the callbacks that libcurl makes. Used by client.cc only, on the owner's thread
// (wake() on any).
#pragma once
#include <signal.h>

#include <array>
#include <atomic>
#include <mutex>
#include <string>

#include "net/client.h"
#include "net/curl.h"

namespace honeylink::telemetry::net {

/// A peer that is gone must not end this process: libcurl writes to sockets without MSG_NOSIGNAL when TLS is used.
class SigpipeGuard {
 public:
  SigpipeGuard() noexcept;
  ~SigpipeGuard();
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;

 private:
  sigset_t before_{};
  bool was_pending_ = false;
};

struct Client::State {
  State(const Curl& curl, const consent::Permit& permit, const ClientOptions& options,
        const std::atomic<bool>& cancelled);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  [[nodiscard]] bool multi() const noexcept { return multi_ != nullptr; }
  bool begin(const Request& request);
  bool perform();  // false: the transfer is over
  void wait(int timeout_ms);
  Answer finish(const Request& request);
  /// Ends the transfer and resets every connection: what the kernel holds of it is thrown away, not sent.
  void drop();
  void wake() noexcept;

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
  const consent::Permit& permit_;
  const ClientOptions& options_;
  const std::atomic<bool>& cancelled_;
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
