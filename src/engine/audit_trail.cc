// See audit_trail.h.
#include "engine/audit_trail.h"

#include <utility>

#include "audit/epoch_key.h"
#include "base/file.h"
#include "base/text.h"
#include "config/config.h"
#include "engine/own_log.h"
#include "store/metric_store.h"

namespace honeylink::telemetry::engine {
namespace {

constexpr std::int64_t kLockWaitMs = 500, kRetryNs = 60'000'000'000;
constexpr std::size_t kWaitingMax = 64;  // an engine that runs for weeks beside a log that cannot be written
constexpr std::size_t kConfigBytesMax = 1 << 20;

}  // namespace

AuditTrail::AuditTrail(const std::string& home, const Clock& clock)
    : clock_(clock),
      journal_(home, clock, kLockWaitMs),
      gate_(home, clock),
      heartbeat_ns_(clock.monotonic_ns() + audit::kEpochNs) {}

void AuditTrail::note(std::string_view event, audit::Context context) {
  if (waiting_.size() == kWaitingMax) waiting_.pop_front(), ++lost_;
  waiting_.push_back({std::string(event), std::move(context)});
  (void)write_waiting();
}

bool AuditTrail::write_waiting() {
  while (!waiting_.empty()) {
    std::string why;
    audit::Journal::End end;
    const bool written =
        journal_.append(waiting_.front().event, waiting_.front().context, audit::Result::ok, why, &end);
    if (!settle(written, why, end)) return false;
    waiting_.pop_front();
  }
  return true;
}

bool AuditTrail::settle(bool written, const std::string& why, const audit::Journal::End& end) {
  if (!written) {
    // Once for each cause: a full disk is not news every ten seconds.
    if (own_log_ != nullptr && why != said_) own_log_->say(OwnLog::kError, "audit.not_written", {}, why);
    said_ = why;
    return false;
  }
  said_.clear();
  // An anchor that cannot be stored is one anchor less; the log itself says nothing of it.
  if (anchors_ != nullptr) (void)anchors_->add_anchor(end.seq, hex(end.hash), clock_.realtime_ns());
  return true;
}

void AuditTrail::tick() {
  gate_.look_at_all();
  const std::int64_t now = clock_.monotonic_ns();
  const bool due = now >= heartbeat_ns_;
  if (due) heartbeat_ns_ = now + kRetryNs;
  if (!write_waiting() || !due) return;
  std::string why;
  audit::Journal::End end;
  const bool written = journal_.heartbeat(why, &end);
  if (settle(written, why, end)) heartbeat_ns_ = now + audit::kEpochNs;
}

void AuditTrail::close() {
  std::string why;
  audit::Journal::End end;
  if (!write_waiting()) return;
  const bool written = journal_.close(why, &end);
  (void)settle(written, why, end);
}

std::string config_hash(const std::string& home) {
  std::string bytes, why;
  if (!read_whole(config::config_path(home), kConfigBytesMax, bytes, why)) return {};
  return hex(audit::sha256(bytes));
}

}  // namespace honeylink::telemetry::engine
