// The only way to a permit, and a permit the only way to a connection (I-5).
//
// A Gate belongs to the engine or to one command and may be asked from any of its threads. A Permit is a value: copies
// share what was read; valid() may be asked from any thread, costs one lstat (about a microsecond), and stays false
// once the receipt's file was removed, replaced or touched, or its time is over. Who sends asks it before each request
// and at least every kPermitLookMs while one is under way, so that the last byte leaves within a second of `revoke`.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "consent/receipt.h"
#include "consent/store.h"

namespace honeylink::telemetry::consent {

inline constexpr int kPermitLookMs = 200;

/// After a peer's TLS was refused nobody tries it again for so long: it takes a person to change something there or
/// here.
inline constexpr std::int64_t kRefusedPeerRestNs = 60'000'000'000;

/// Why a peer was refused, in the words of who refused it (net's Failure: its number and name).
struct PeerRefusal {
  std::uint8_t code = 0;
  std::string name, said;
};

/// Leave to send one signal to one endpoint.
class Permit {
 public:
  [[nodiscard]] bool valid() const noexcept;
  [[nodiscard]] const Endpoint& endpoint() const noexcept;
  [[nodiscard]] Signal signal() const noexcept { return signal_; }
  /// What was recorded before this moment does not leave.
  [[nodiscard]] std::int64_t from_unix_ns() const noexcept;
  [[nodiscard]] std::int64_t expires_unix_ns() const noexcept;
  /// The certificates that may vouch for the endpoint, PEM; empty: the system's.
  [[nodiscard]] const std::string& ca_pem() const noexcept;
  [[nodiscard]] const std::string& pin() const noexcept;
  [[nodiscard]] const std::string& cert_file() const noexcept;
  [[nodiscard]] const std::string& key_file() const noexcept;

  /// Whether any sender of this process refused the peer under this receipt within the last minute.
  [[nodiscard]] std::optional<PeerRefusal> refused_lately() const;
  /// Writes it into the audit log, once until the peer is reached or refused for something else.
  void peer_was_refused(const PeerRefusal& refusal) const;
  void peer_was_reached() const;

 private:
  friend class Gate;
  struct Shared;
  Permit(std::shared_ptr<const Shared> shared, Signal signal) : shared_(std::move(shared)), signal_(signal) {}
  std::shared_ptr<const Shared> shared_;
  Signal signal_;
};

enum class Refusal : std::uint8_t { none, no_receipt, not_this_signal, expired, refused };

class Gate {
 public:
  /// `clock` must outlive the gate and its permits.
  Gate(std::string home, const Clock& clock);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  struct Answer {
    std::optional<Permit> permit;
    Refusal refusal = Refusal::none;
    std::string why;  // one sentence, for people
  };
  /// Reads and checks the receipt's file each time: some 0.3 ms. What is refused or expired is written into the audit
  /// log once.
  [[nodiscard]] Answer ask(const Endpoint& endpoint, Signal signal) const;
  /// Puts expired receipts aside and writes down the refused ones, without being asked for any.
  void look_at_all() const;

 private:
  void write_down(const Checked& checked) const;
  const std::string home_;
  const Clock& clock_;
};

}  // namespace honeylink::telemetry::consent
