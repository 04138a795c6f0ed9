// Every scope, tracer and instrument of the link, by module. The five service levels are computed from the first five
// groups; their names are fixed by that. Labels: module only. The environment is the process's resource; a peer is
// never a label.
#pragma once
#include <honeylink/telemetry.h>

#include <atomic>
#include <optional>
#include <string_view>

#include "udp.h"

namespace honeylink::link {

namespace tel = honeylink::telemetry;

inline constexpr tel::Scope kSession{"session-orchestrator", "1.0.0"};
inline constexpr tel::Scope kPolicy{"policy-engine", "1.0.0"};
inline constexpr tel::Scope kCrypto{"crypto", "1.0.0"};
inline constexpr tel::Scope kTransport{"transport", "1.0.0"};
inline constexpr tel::Scope kQos{"qos-scheduler", "1.0.0"};
inline constexpr tel::Scope kPhysical{"physical-adapter", "1.0.0"};

inline constinit tel::Tracer kSessionTracer{kSession}, kPolicyTracer{kPolicy}, kCryptoTracer{kCrypto},
    kTransportTracer{kTransport}, kPhysicalTracer{kPhysical};
inline constinit tel::Logger kSessionLog{kSession}, kPolicyLog{kPolicy}, kTransportLog{kTransport}, kQosLog{kQos};

/// The instruments with their label bound once. Any thread.
struct Meters {
  tel::DurationHistogram::Bound session_establishment, policy_update, encryption;
  tel::BoundCounter<std::uint64_t> packets_sent, packets_lost, qos_packets, qos_dropped;
  tel::BoundCounter<std::uint64_t> sessions_established, sessions_failed;
  tel::UpDownCounter::Bound sessions_open;
};
[[nodiscard]] const Meters& meters() noexcept;

/// One more datagram that the receiving side would not take; `reason` is one of a closed list of words.
void count_refused_datagram(std::string_view reason) noexcept;

/// At most one event per second of a kind that can come thousands of times; says how many were left out. Any thread.
class OncePerSecond {
 public:
  /// How many were left out since the last permission; nullopt: not now.
  [[nodiscard]] std::optional<std::uint64_t> permit(Time now) noexcept;

 private:
  std::atomic<std::int64_t> next_ns_{0};
  std::atomic<std::uint64_t> left_out_{0};
};

}  // namespace honeylink::link
