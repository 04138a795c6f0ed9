// What trace store and log files have in common for the drain: how far each is ahead of what it has committed, what is
// counted and not yet committed, and whether it takes anything at the moment.
//
// A sink that cannot commit is not fed any more once it holds kHeldBytesMax; its position stays, the ring is its
// buffer, and what the ring then loses is a drop with the sink's reason (F04, F05, F40). The other sinks go on.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/positions.h"
#include "store/store.h"

namespace honeylink::telemetry::engine {

inline constexpr std::size_t kSinks = 2;
enum SinkIndex : std::size_t { kTraceSink = 0, kLogSink = 1 };

inline constexpr std::size_t kHeldBytesMax = std::size_t{1} << 20;
inline constexpr std::int64_t kRetryFirstNs = 50'000'000;
inline constexpr std::int64_t kRetryMostNs = 2'000'000'000;  // space that returns is used within 10 s (F05)

struct SlotKey {
  std::uint64_t serial = 0;  // of the ring's Source
  std::uint32_t slot = 0;
};

/// One owner, the engine's thread.
struct Sink {
  store::Counts pending;                 // of records fed since the last commit
  std::uint64_t sampled_out = 0;         // part of them: too many for a look-up in pending.dropped each
  std::vector<SlotKey> dirty;            // slots whose position is ahead of the committed one
  std::vector<store::SlotCursor> extra;  // cursors of rings that are not open
  std::int64_t first_pending_ns = 0;     // monotonic; 0: nothing waits
  bool urgent = false;                   // an error waits
  bool forgets = false;                  // ring rows to be deleted wait
  std::string failing;                   // the reason for drops while commits fail; empty: they work
  std::string gap_reason = "buffer_full";
  std::int64_t retry_at_ns = 0, retry_ns = kRetryFirstNs;
  std::int64_t last_durable_ns = 0;
  bool undurable = false;  // committed since the last durable commit

  void note_pending(std::int64_t now_ns) noexcept {
    if (first_pending_ns == 0) first_pending_ns = now_ns;
  }
  /// To be called before `pending` is committed.
  void complete_pending() {
    if (sampled_out != 0) pending.dropped["sampled_out"] += std::exchange(sampled_out, 0);
  }
  [[nodiscard]] bool has_pending() const noexcept { return first_pending_ns != 0 || forgets; }
};

/// Which reason of the ledger a failed commit stands for.
[[nodiscard]] std::string reason_of(store::CommitResult result);

}  // namespace honeylink::telemetry::engine
