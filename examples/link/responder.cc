// The answering side: one socket for all sessions, the policy server, and the relay that stands before both as the
// network. The scenario's conditions are applied here; the initiator never learns them.
#include "responder.h"

#include <sys/socket.h>

#include <algorithm>

#include "policy.h"
#include "relay.h"

namespace honeylink::link {
namespace {
using std::chrono::milliseconds;
constexpr milliseconds kStopIsSeenWithin{50};
constexpr std::chrono::seconds kAfterEnd{
    15};  // the initiator ends first; without an owner nobody else would end this side
constexpr std::chrono::seconds kPolicyChangesEvery{5};

Policy policy_version(unsigned version) noexcept { return {version, version % 2 == 0 ? 700U : 900U, 96}; }

RelaySettings relay_settings(const Conditions& now) noexcept { return {now.loss, now.delay_ms, now.jitter_ms}; }
}  // namespace

SessionTable::Send sender_from(int socket) {
  return [socket](const sockaddr_in& to, ByteView datagram) {
    // A full send buffer is one more lost datagram.
    ::sendto(socket, datagram.data(), datagram.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  };
}

void serve(SessionTable& table, int socket, Time until) {
  std::array<std::uint8_t, kDatagramBytesMax> buffer{};
  bool more = wait_readable(socket, std::min(until, table.next_report(Clock::now())));
  while (more) {
    sockaddr_in from{};
    socklen_t length = sizeof from;
    const ssize_t size =
        ::recvfrom(socket, buffer.data(), buffer.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &length);
    more = size >= 0;
    if (more) table.receive(ByteView(buffer).first(static_cast<std::size_t>(size)), from, Clock::now());
  }
  table.tick(Clock::now());
}

int run_responder(const LinkOptions& options, const std::function<void(const Peer&)>& ready,
                  const std::atomic<bool>& stop) {
  if (!crypto_ready()) return 1;
  const Fd socket = bind_udp();
  if (!socket.ok()) return 1;
  const Conditions first = conditions_at(options, 0);
  const std::unique_ptr<Relay> relay = Relay::start(local_port(socket.get()), relay_settings(first), options.seed);
  const std::unique_ptr<PolicyServer> policy = PolicyServer::start(policy_version(1), options.sessions);
  if (!relay || !policy) return 1;

  const KeyPair identity;
  SessionTable table(identity, sender_from(socket.get()));
  ready({relay->port(), policy->port(), identity.public_key()});

  const Time began = Clock::now();
  const auto duration = std::chrono::duration<double>(options.duration_s);
  unsigned version = 1;
  for (Time now = began; !stop.load() && now - began < duration + kAfterEnd; now = Clock::now()) {
    const Conditions conditions = conditions_at(options, (now - began) / duration);
    relay->set(relay_settings(conditions));
    policy->set_delay_ms(conditions.policy_delay_ms);
    const auto due = static_cast<unsigned>((now - began) / kPolicyChangesEvery) + 1;
    if (due > version) policy->publish(policy_version(version = due));
    serve(table, socket.get(), now + kStopIsSeenWithin);
  }
  return 0;
}

}  // namespace honeylink::link
