// What the engine writes into the audit log: its own start and end, a heartbeat an hour, steps of the clock, another
// config.toml, consents that ran out; and after each of its entries an anchor in metrics.db
// (docs/formats/audit_log.md).
//
// Owned by Core and called on the engine's thread. Another writer of the log is waited for half a second at most; what
// could not be written is kept, in order, and tried again at the next tick: the loop never depends on the log.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "audit/journal.h"
#include "base/clock.h"
#include "consent/gate.h"

namespace honeylink::telemetry::store {
class MetricStore;
}

namespace honeylink::telemetry::engine {

class OwnLog;

class AuditTrail {
 public:
  AuditTrail(const std::string& home, const Clock& clock);
  /// `anchors` may be nullptr: then none are written.
  void attach(store::MetricStore* anchors, OwnLog* own_log) noexcept { anchors_ = anchors, own_log_ = own_log; }

  void note(std::string_view event, audit::Context context);
  /// The heartbeat where it is due, what waits, and a look at the consents.
  void tick();
  /// Ends the epoch and says so.
  void close();
  /// When tick() has something to do without being asked: monotonic.
  [[nodiscard]] std::int64_t due_ns() const noexcept { return heartbeat_ns_; }
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

 private:
  struct Waiting {
    std::string event;
    audit::Context context;
  };
  bool write_waiting();
  bool settle(bool written, const std::string& why, const audit::Journal::End& end);
  const Clock& clock_;
  audit::Journal journal_;
  consent::Gate gate_;
  store::MetricStore* anchors_ = nullptr;
  OwnLog* own_log_ = nullptr;
  std::deque<Waiting> waiting_;
  std::string said_;
  std::int64_t heartbeat_ns_ = 0;
  std::uint64_t lost_ = 0;
};

/// SHA-256 of config.toml, or nothing where there is none.
[[nodiscard]] std::string config_hash(const std::string& home);

}  // namespace honeylink::telemetry::engine
