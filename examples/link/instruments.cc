// See instruments.h.
#include "instruments.h"

namespace honeylink::link {
namespace {

constinit tel::DurationHistogram session_establishment{kSession, "session_establishment_duration_seconds", "s",
                                                       "Until both sides may send"};
constinit tel::Counter sessions_established{kSession, "sessions_established_total", "{session}",
                                            "Sessions that could be used"};
constinit tel::Counter sessions_failed{kSession, "sessions_failed_total", "{session}",
                                       "Sessions that were not established, or broke"};
constinit tel::UpDownCounter sessions_open{kSession, "sessions_open", "{session}", "Sessions that may send now"};
constinit tel::DurationHistogram policy_update{kPolicy, "policy_update_duration_seconds", "s",
                                               "From asking for the policy until it is in force"};
constinit tel::DurationHistogram encryption{kCrypto, "encryption_duration_seconds", "s", "Sealing one packet"};
constinit tel::Counter packets_sent{kTransport, "packets_sent_total", "{packet}", "Packets handed to the network"};
constinit tel::Counter packets_lost{kTransport, "packets_lost_total", "{packet}",
                                    "Packets not acknowledged within the time-out"};
constinit tel::Counter datagrams_refused{kTransport, "datagrams_refused_total", "{datagram}",
                                         "Received, but not from a session or damaged"};
constinit tel::Counter qos_packets{kQos, "qos_packets_total", "{packet}", "Packets offered to the scheduler"};
constinit tel::Counter qos_dropped{kQos, "qos_packets_dropped_total", "{packet}",
                                   "Packets dropped by the scheduler because its queues were full"};

}  // namespace

const Meters& meters() noexcept {
  static const Meters bound{
      session_establishment.with({{"module", "session-orchestrator"}}),
      policy_update.with({{"module", "policy-engine"}}),
      encryption.with({{"module", "crypto"}}),
      packets_sent.with({{"module", "transport"}}),
      packets_lost.with({{"module", "transport"}}),
      qos_packets.with({{"module", "qos-scheduler"}}),
      qos_dropped.with({{"module", "qos-scheduler"}}),
      sessions_established.with({{"module", "session-orchestrator"}}),
      sessions_failed.with({{"module", "session-orchestrator"}}),
      sessions_open.with({{"module", "session-orchestrator"}}),
  };
  return bound;
}

void count_refused_datagram(std::string_view reason) noexcept {
  datagrams_refused.add(1, {{"module", "transport"}, {"reason", reason}});
}

std::optional<std::uint64_t> OncePerSecond::permit(Time now) noexcept {
  const std::int64_t ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  std::int64_t next = next_ns_.load(std::memory_order_relaxed);
  if (ns < next || !next_ns_.compare_exchange_strong(next, ns + 1'000'000'000, std::memory_order_relaxed)) {
    left_out_.fetch_add(1, std::memory_order_relaxed);
    return std::nullopt;
  }
  return left_out_.exchange(0, std::memory_order_relaxed);
}

}  // namespace honeylink::link
