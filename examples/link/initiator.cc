// The initiating side: some workers, each establishing one session after the other over a socket of its own.
#include <thread>

#include "session.h"

namespace honeylink::link {
namespace {
using std::chrono::milliseconds;
constexpr milliseconds kAfterFailure{400};  // a dead link is asked again about once in three seconds by each worker
constexpr milliseconds kStagger{70};        // so that sessions do not march in step
constexpr milliseconds kStopIsSeenWithin{50};

void pause(const Shared& shared, milliseconds length) {
  const Time until = std::min(Clock::now() + length, shared.end);
  while (!shared.stop.load() && Clock::now() < until) std::this_thread::sleep_for(kStopIsSeenWithin);
}

std::string peer_name(std::uint64_t seed) {
  constexpr char kHex[] = "0123456789abcdef";
  std::mt19937_64 random(seed);
  std::string text = "hl-device-";
  for (int i = 0; i < 12; ++i) text += kHex[random() % 16];
  return text;
}

void work(Shared& shared, int socket, int index) {
  std::uint64_t seed = std::uint64_t{shared.options.seed} * 1'000 + static_cast<std::uint64_t>(index);
  const std::string peer = peer_name(seed);
  pause(shared, kStagger * index);
  while (!shared.stop.load() && Clock::now() < shared.end) {
    seed += 1'000'000;
    Session session(shared, socket, peer, seed);
    if (!session.establish() || !session.transfer()) pause(shared, kAfterFailure);
  }
}
}  // namespace

int run_initiator(const LinkOptions& options, const Peer& peer, LinkStats& stats, const std::atomic<bool>& stop) {
  if (!crypto_ready()) return 1;
  std::vector<Fd> sockets;
  for (int i = 0; i < options.sessions; ++i) {
    sockets.push_back(connect_udp(peer.relay_port));
    if (!sockets.back().ok()) return 1;
  }
  PolicyClient policy(peer.policy_port, stats);
  const auto duration = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.duration_s));
  Shared shared{options, peer, policy, stats, stop, Clock::now() + duration};
  std::vector<std::thread> workers;
  for (int i = 0; i < options.sessions; ++i) {
    workers.emplace_back(
        [&shared, socket = sockets[static_cast<std::size_t>(i)].get(), i] { work(shared, socket, i); });
  }
  for (std::thread& worker : workers) worker.join();
  return 0;
}

}  // namespace honeylink::link
