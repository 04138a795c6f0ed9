// The policy of the link and its way from the responder to the initiator: HTTP on loopback, with ETag and traceparent.
// The document is three lines `name: value`; an unknown name, a missing one or a value out of range refuses the whole
// document.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "link.h"

namespace honeylink::link {

struct Policy {
  unsigned version = 0;            // 1 … 1e9
  unsigned packet_bytes_max = 0;   // 64 … 1,024: what the traffic may put into one packet
  unsigned queue_packets_max = 0;  // 8 … 1,024: the scheduler's room
  friend bool operator==(const Policy&, const Policy&) = default;
};
[[nodiscard]] std::string to_text(const Policy& policy);
[[nodiscard]] std::optional<Policy> parse_policy(std::string_view text);

/// Serves GET /policy on 127.0.0.1 from start() to its end, on threads of its own. All functions may be called from any
/// thread.
class PolicyServer {
 public:
  [[nodiscard]] static std::unique_ptr<PolicyServer> start(const Policy& first, int threads);
  ~PolicyServer();
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  void publish(const Policy& policy);
  void set_delay_ms(double delay_ms) noexcept { delay_ms_.store(delay_ms); }

 private:
  struct Http;
  PolicyServer();
  std::unique_ptr<Http> http_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  Policy policy_;
  std::atomic<double> delay_ms_{0};
};

/// The initiator's copy, shared by its sessions. Any thread.
class PolicyClient {
 public:
  PolicyClient(std::uint16_t port, LinkStats& stats) noexcept : port_(port), stats_(stats) {}
  /// Asks the server whether there is a newer policy and answers the one in force; a span "policy.fetch" under the
  /// current one. nullopt: `error` says why, the span has it too.
  [[nodiscard]] std::optional<Policy> fetch(std::string& error);

 private:
  std::optional<Policy> apply(int status, const std::string& etag, const std::string& body, std::string& error);
  std::uint16_t port_;
  LinkStats& stats_;
  std::mutex mutex_;
  std::string etag_;
  std::optional<Policy> policy_;
};

}  // namespace honeylink::link
