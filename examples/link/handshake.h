// How two sides come to a Channel over a network that loses: the initiator repeats its hello until a welcome proves the
// responder's identity; the responder answers the same hello with the same welcome. Used by session_establish.cc and
// session_table.cc.
#pragma once
#include <atomic>
#include <functional>

#include "channel.h"

namespace honeylink::link {

/// Sends what `make` builds and waits for a datagram that `accept` takes; repeats after 80 ms, then after half as long
/// again each time. Ends at the deadline or when `stop` is set.
struct Exchange {
  bool answered = false;
  int attempts = 0;
  std::chrono::nanoseconds since_first{};  // with repeats longer than the round trip, never shorter
};
[[nodiscard]] Exchange repeat_until_answered(int fd, Time deadline, const std::atomic<bool>& stop,
                                             const std::function<Bytes()>& make,
                                             const std::function<bool(ByteView)>& accept);

struct Agreed {
  Channel channel;
  Exchange exchange;
};
/// The initiator's side. nullopt: no welcome until the deadline.
[[nodiscard]] std::optional<Agreed> exchange_keys(int fd, std::uint64_t session, const KeyBytes& responder,
                                                  const TraceFields& trace, Time deadline,
                                                  const std::atomic<bool>& stop);

struct Welcome {
  Channel channel;
  Bytes datagram;
};
/// The responder's side. nullopt: the initiator's key is of low order.
[[nodiscard]] std::optional<Welcome> answer_hello(std::uint64_t session, const Hello& hello, const KeyPair& identity);

}  // namespace honeylink::link
