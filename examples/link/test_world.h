// A responder, its relay and its policy server inside a test, on real sockets, with everything countable.
#pragma once
#include <gtest/gtest.h>

#include <thread>

#include "policy.h"
#include "relay.h"
#include "responder.h"
#include "session.h"

namespace honeylink::link {

class World {
 public:
  explicit World(const RelaySettings& settings, const LinkOptions& with = {}) : options(with) {
    EXPECT_TRUE(crypto_ready());
    identity.emplace();
    socket = bind_udp();
    relay = Relay::start(local_port(socket.get()), settings, options.seed);
    policy_server = PolicyServer::start({1, 900, 512}, 2);
    peer = {relay->port(), policy_server->port(), identity->public_key()};
    table.emplace(*identity, sender_from(socket.get()));
    policy.emplace(peer.policy_port, stats);
    shared.emplace(options, peer, *policy, stats, stop, Clock::now() + std::chrono::hours(1));
    client = connect_udp(peer.relay_port);
    thread_ = std::thread([this] {
      while (!ended_.load()) serve(*table, socket.get(), Clock::now() + std::chrono::milliseconds(20));
    });
  }
  ~World() { halt(); }
  /// Ends the responder's thread; only then may `table` be looked at.
  void halt() {
    ended_.store(true);
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] Session session(const SessionTimes& times = {}) { return {*shared, client.get(), "peer-1", 1, times}; }

  LinkOptions options;
  LinkStats stats;
  std::atomic<bool> stop{false};
  std::optional<KeyPair> identity;
  Fd socket, client;
  std::unique_ptr<Relay> relay;
  std::unique_ptr<PolicyServer> policy_server;
  Peer peer;
  std::optional<SessionTable> table;
  std::optional<PolicyClient> policy;
  std::optional<Shared> shared;

 private:
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

/// A port on which nobody listens.
inline std::uint16_t unused_port() { return local_port(bind_udp().get()); }

}  // namespace honeylink::link
