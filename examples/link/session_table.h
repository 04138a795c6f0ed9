// The responder's sessions: takes every datagram that arrives, hostile ones included, and answers with welcomes and
// reports. It knows no socket: the sender is given. Belongs to one thread; time is given, never asked.
#pragma once
#include <functional>
#include <map>
#include <unordered_map>

#include "handshake.h"
#include "window.h"

namespace honeylink::link {

class SessionTable {
 public:
  using Send = std::function<void(const sockaddr_in& to, ByteView datagram)>;
  SessionTable(const KeyPair& identity, Send send) : identity_(identity), send_(std::move(send)) {}

  void receive(ByteView datagram, const sockaddr_in& from, Time now);
  /// Sends reports that have waited long enough and forgets silent sessions.
  void tick(Time now);
  /// Until when tick() may wait; a far time where nothing is due.
  [[nodiscard]] Time next_report(Time now) const;
  [[nodiscard]] std::size_t size() const noexcept { return sessions_.size(); }
  [[nodiscard]] std::uint64_t accepted() const noexcept { return accepted_; }
  /// Refused datagrams by reason: short, type, hello, session, conflict, full, replayed, tampered, message.
  [[nodiscard]] const std::map<std::string_view, std::uint64_t>& refused() const noexcept { return refused_; }

 private:
  struct Session {
    Channel channel;
    KeyBytes initiator{};
    Bytes welcome;
    sockaddr_in address{};
    ReceiveWindow window;
    int unreported = 0;
    Time report_at{};
    Time heard{};
  };
  void refuse(std::string_view reason);
  void hello(const Header& header, ByteView datagram, const sockaddr_in& from, Time now);
  void data(const Header& header, ByteView datagram, const sockaddr_in& from, Time now);
  void report(Session& session);

  const KeyPair& identity_;
  Send send_;
  std::unordered_map<std::uint64_t, Session> sessions_;
  std::map<std::string_view, std::uint64_t> refused_;
  std::uint64_t accepted_ = 0;
};

}  // namespace honeylink::link
