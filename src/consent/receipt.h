// A receipt as a value and as bytes: docs/formats/consent.md. Pure but for the key that it is signed with; any thread.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/keys.h"
#include "consent/endpoint.h"

namespace honeylink::telemetry::consent {

/// What may be granted. The order is the order in a receipt.
enum class Signal : std::uint8_t { metrics, traces, logs, alerts, count_ };
inline constexpr std::size_t kSignals = static_cast<std::size_t>(Signal::count_);
inline constexpr std::array<std::string_view, kSignals> kSignalNames{"metrics", "traces", "logs", "alerts"};
[[nodiscard]] inline std::string_view name_of(Signal signal) noexcept {
  return kSignalNames[static_cast<std::size_t>(signal)];
}
[[nodiscard]] std::optional<Signal> signal_named(std::string_view name) noexcept;

inline constexpr std::int64_t kDayNs = 86'400'000'000'000;
inline constexpr std::int64_t kGrantNsMax = 366 * kDayNs;  // consent that nobody remembers is none
inline constexpr std::size_t kReceiptBytesMax = 16 * 1024;

struct Receipt {
  Endpoint endpoint;
  /// From which moment on recorded data may leave; -1: this signal is not granted.
  std::array<std::int64_t, kSignals> from_unix_ns{-1, -1, -1, -1};
  std::int64_t granted_unix_ns = 0, expires_unix_ns = 0;
  std::string ca_file, ca_sha256, pin, cert_file, key_file;
  std::string nonce;
  std::uint64_t uid = 0;
  audit::PublicKey install{};

  [[nodiscard]] bool grants(Signal signal) const noexcept {
    return from_unix_ns[static_cast<std::size_t>(signal)] >= 0;
  }
  /// "metrics,traces"
  [[nodiscard]] std::string signals_text() const;
};

/// The whole file, line feed included.
[[nodiscard]] std::string write_receipt(const Receipt& receipt, const audit::SigningKey& key);
/// False and `why` where the bytes are not the one form of a receipt, or its signature does not fit `install`.
bool read_receipt(std::string_view bytes, const audit::PublicKey& install, Receipt& to, std::string& why);

/// "0123….receipt"
[[nodiscard]] std::string receipt_name(const Endpoint& endpoint);
/// "sha256//" and the base64 of 32 bytes.
[[nodiscard]] bool is_pin(std::string_view pin) noexcept;

}  // namespace honeylink::telemetry::consent
