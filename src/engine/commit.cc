// See commit.h.
#include "engine/commit.h"

#include <algorithm>
#include <limits>

#include "base/killpoint.h"
#include "base/limits.h"
#include "engine/exports.h"
#include "engine/release.h"
#include "engine/retro_keep.h"

namespace honeylink::telemetry::engine {
namespace {

std::vector<store::SlotCursor> cursors_of(Core& core, std::size_t sink) {
  std::vector<store::SlotCursor> rows = core.sinks[sink].extra;
  for (const SlotKey& key : core.sinks[sink].dirty) {
    RingState* ring = find_ring(core, key.serial);
    const SlotState* slot = ring == nullptr ? nullptr : find_slot(*ring, key.slot);
    if (slot == nullptr) continue;
    for (std::size_t k = 0; k < kClasses; ++k) {
      if (slot->at[sink].count[k] != slot->committed[sink].count[k])
        rows.push_back({ring->id, lane_of(key.slot, k), slot->at[sink].count[k]});
    }
  }
  return rows;
}

void settle(Core& core, std::size_t index, bool durable) {
  Sink& sink = core.sinks[index];
  for (const SlotKey& key : sink.dirty) {
    RingState* ring = find_ring(core, key.serial);
    SlotState* slot = ring == nullptr ? nullptr : find_slot(*ring, key.slot);
    if (slot == nullptr) continue;
    slot->committed[index] = slot->at[index];
    slot->dirty[index] = false;
  }
  sink.dirty.clear();
  sink.extra.clear();
  sink.pending = {};
  sink.first_pending_ns = 0;
  sink.urgent = sink.forgets = false;
  sink.undurable = !durable;
  core.ledger_dirty = true;
  if (durable) sink.last_durable_ns = core.now_ns();
  if (!sink.failing.empty()) {
    const std::string reason = std::exchange(sink.failing, {});
    sink.retry_ns = kRetryFirstNs;
    core.own_log->say(OwnLog::kInfo, "store.recovered",
                      {{"store", index == kTraceSink ? "traces" : "logs"}, {"reason", reason}});
  }
}

bool waits(const Core& core, std::size_t index) {
  return core.sinks[index].has_pending() || (index == kLogSink && core.own_log->waiting() != 0);
}

bool is_due(const Core& core, std::size_t index, std::int64_t now) {
  const Sink& sink = core.sinks[index];
  if (!sink.failing.empty()) return now >= sink.retry_at_ns;
  if (!waits(core, index)) return false;
  if (index == kLogSink || sink.urgent || sink.forgets) return true;
  return now - sink.first_pending_ns >= kSpanCommitDelayNs || core.pending_bytes(index) >= kSpanCommitBytes;
}

std::int64_t durable_interval_ns(std::size_t index) noexcept {
  return index == kTraceSink ? 1'000'000'000 : kLogSyncNs;
}

bool durable_due(const Core& core, std::size_t index, std::int64_t now) {
  const Sink& sink = core.sinks[index];
  return (index == kLogSink && sink.urgent) || now - sink.last_durable_ns >= durable_interval_ns(index);
}

}  // namespace

void store_failed(Core& core, std::size_t index, store::CommitResult result, const std::string& why) {
  Sink& sink = core.sinks[index];
  ++core.self.commits_failed;
  if (result == store::CommitResult::fenced) {
    core.fenced = true;
    return;
  }
  if (result == store::CommitResult::damaged && index == kTraceSink) {
    std::string said;
    if (core.traces->recover(said)) core.own_log->say(OwnLog::kError, "store.damaged", {{"store", "traces"}}, said);
    spans_were_discarded(core);
    sink.retry_at_ns = core.now_ns();
    return;
  }
  if (sink.failing.empty()) {
    sink.retry_ns = kRetryFirstNs;
    core.own_log->say(OwnLog::kWarn, "store.failing",
                      {{"store", index == kTraceSink ? "traces" : "logs"}, {"result", std::string(name_of(result))}},
                      why);
  }
  sink.failing = sink.gap_reason = reason_of(result);
  sink.retry_at_ns = core.now_ns() + sink.retry_ns;
  sink.retry_ns = std::min(2 * sink.retry_ns, kRetryMostNs);
}

std::string reason_of(store::CommitResult result) {
  switch (result) {
    case store::CommitResult::no_space:
      return "no_disk";
    case store::CommitResult::reader_holds_wal:
      return "reader_holds_wal";
    case store::CommitResult::busy:
      return "store_busy";
    default:
      return "store_failed";
  }
}

bool commit_traces(Core& core, bool durable) {
  Sink& sink = core.sinks[kTraceSink];
  fetch_marked(core);
  if (!sink.has_pending()) {
    if (!durable || !sink.undurable) return true;
    sink.pending.dropped["sampled_out"] += 0;  // a transaction that changes no page would not be synced
  }
  sink.complete_pending();
  hand_over_spans(core);
  killpoint("drain.before_commit");
  const auto result = core.traces->commit(cursors_of(core, kTraceSink), sink.pending, durable);
  if (result != store::CommitResult::ok) return store_failed(core, kTraceSink, result, core.traces->why()), false;
  killpoint("drain.after_trace_commit");
  settle(core, kTraceSink, durable);
  spans_were_committed(core);
  return true;
}

bool commit_logs(Core& core, bool durable) {
  Sink& sink = core.sinks[kLogSink];
  if (const std::uint64_t own = core.own_log->take(); own != 0) {
    sink.pending.accepted += own, sink.pending.stored += own;
    sink.note_pending(core.now_ns());
  }
  if (!sink.has_pending() && !(durable && sink.undurable)) return true;
  const auto result = core.logs->commit(cursors_of(core, kLogSink), sink.pending, durable);
  if (result != store::CommitResult::ok) return store_failed(core, kLogSink, result, core.logs->why()), false;
  killpoint("drain.after_log_commit");
  settle(core, kLogSink, durable);
  logs_were_committed(core);
  return true;
}

bool commit_due(Core& core) {
  const std::int64_t now = core.now_ns();
  bool done = false;
  for (std::size_t i = 0; i < kSinks && !core.fenced; ++i) {
    const bool sync = core.sinks[i].undurable && durable_due(core, i, now);
    if (!is_due(core, i, now) && !(sync && core.sinks[i].failing.empty())) continue;
    done = (i == kTraceSink ? commit_traces(core, durable_due(core, i, now))
                            : commit_logs(core, durable_due(core, i, now))) ||
           done;
  }
  if (done) release_chunks(core);
  return done;
}

bool commit_all(Core& core, bool durable) {
  const bool traces = commit_traces(core, durable), logs = commit_logs(core, durable);
  release_chunks(core);
  return traces && logs;
}

std::int64_t commit_deadline_ns(const Core& core) {
  std::int64_t deadline = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 0; i < kSinks; ++i) {
    const Sink& sink = core.sinks[i];
    if (!sink.failing.empty()) deadline = std::min(deadline, sink.retry_at_ns);
    else if (waits(core, i))
      deadline = std::min(deadline, i == kTraceSink ? sink.first_pending_ns + kSpanCommitDelayNs : core.now_ns());
    else if (sink.undurable) deadline = std::min(deadline, sink.last_durable_ns + durable_interval_ns(i));
  }
  return deadline;
}

}  // namespace honeylink::telemetry::engine
