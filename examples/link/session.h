// One session of the initiator, from its first policy fetch to its close: session.establish, then session.transfer.
// Called by a worker of initiator.cc; belongs to that thread.
#pragma once
#include <random>
#include <unordered_map>

#include "handshake.h"
#include "instruments.h"
#include "loss_tracker.h"
#include "policy.h"
#include "scheduler.h"

namespace honeylink::link {

/// What the sessions of a run share. The referenced objects may be used from any thread and outlive every session.
struct Shared {
  const LinkOptions& options;
  const Peer& peer;
  PolicyClient& policy;
  LinkStats& stats;
  const std::atomic<bool>& stop;
  Time end;
  OncePerSecond lost_said{}, dropped_said{};
};

struct SessionTimes {
  std::chrono::nanoseconds transfer = std::chrono::milliseconds(1'000);
  std::chrono::nanoseconds silence_max =
      std::chrono::milliseconds(1'000);  // and three round trips: then the link is taken for broken
  std::chrono::nanoseconds step_max =
      std::chrono::milliseconds(2'000);  // of key exchange and of the first packet, each
  std::chrono::nanoseconds loss_timeout = std::chrono::milliseconds(250);  // and three round trips
};

class Session {
 public:
  /// `socket` is connected to the relay and stays the caller's.
  Session(Shared& shared, int socket, std::string_view peer_id, std::uint64_t seed, const SessionTimes& times = {});

  /// False: it failed, which was counted, logged and put into the spans; or the run was stopped.
  [[nodiscard]] bool establish();
  /// After establish() only. False: the link went silent.
  [[nodiscard]] bool transfer();

 private:
  struct Traced {
    tel::Span send, transmit;
  };
  [[nodiscard]] bool agree(std::string& error);
  [[nodiscard]] bool confirm(std::string& error);
  [[nodiscard]] bool fail(const tel::Span& span, std::string_view stage, std::string_view error);
  [[nodiscard]] bool send_until(Time until);
  [[nodiscard]] bool drain();
  void offer(QueuedPacket packet);
  void dropped(QueuedPacket packet);
  void discard_queue();
  void transmit(QueuedPacket packet, Time now);
  [[nodiscard]] Bytes seal(const Message& message, Time now);
  bool take(ByteView datagram);
  void read_reports(Time until);
  void expire(Time now);
  void lost(std::uint64_t counter, Time now);
  void acknowledged(std::uint64_t counter);
  void abandon();
  [[nodiscard]] std::chrono::nanoseconds silence_max() const noexcept { return times_.silence_max + 3 * round_trip_; }

  Shared& shared_;
  int socket_;
  std::string peer_id_;
  std::uint64_t seed_;
  SessionTimes times_;
  std::uint64_t id_;
  std::optional<Policy> policy_;
  std::optional<Channel> channel_;
  std::optional<LossTracker> tracker_;
  std::chrono::nanoseconds round_trip_{};
  std::optional<Scheduler> scheduler_;
  ReceiveWindow reports_;
  std::unordered_map<std::uint64_t, Traced> traced_;  // the sampled packets that are under way
  tel::SpanContext established_;
  std::uint64_t sent_ = 0, acknowledged_ = 0, lost_ = 0, dropped_ = 0;
};

}  // namespace honeylink::link
