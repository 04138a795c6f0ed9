// What the three sinks share: options, cursors, counts and the closed list of commit results. Called by the engine, one
// thread.
//
// Rule of all sinks (PROTOCOL 5): rows, cursors and counts become visible together or not at all, and only while the
// engine's epoch is still the one in the sink. A commit that does not say `ok` has changed nothing; what was added
// stays pending.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/events.h"

namespace honeylink::telemetry::store {

struct StoreOptions {
  std::string home;                               // the home directory; made if missing (its parent must be there)
  const Clock* clock = nullptr;                   // nullptr: the system's
  std::uint64_t metrics_bytes_max = 500'000'000;  // hard caps; they include -wal, -shm and the state files
  std::uint64_t traces_bytes_max = 500'000'000;
  std::uint64_t logs_bytes_max = 50'000'000;
  std::uint64_t wal_bytes_max = 64'000'000;  // of each database: beyond it commits answer reader_holds_wal (F40)
  int busy_timeout_ms = 50;                  // how long a commit may wait for a foreign lock (F41)
  bool synchronous = true;                   // false: nothing waits for the disk; for generated data only
  int check_at_open_ms = 200;                // time given to quick_check when a database is opened
};

/// All records of the slot below next_ordinal are settled (stored or counted) in this sink.
struct SlotCursor {
  RingId ring{};
  std::uint32_t slot = 0;
  std::uint64_t next_ordinal = 0;
  friend bool operator==(const SlotCursor&, const SlotCursor&) = default;
};

/// Ledger numbers of one signal: a difference in commit(), cumulative in totals(). Reasons are names: "buffer_full",
/// "sampled_out", "no_disk", "refused", "no_engine", "power_loss", "too_many_threads", "ring_removed",
/// "reader_holds_wal", "store_lost", "unknown".
struct Counts {
  std::uint64_t accepted = 0, retro_kept = 0, stored = 0;
  std::map<std::string, std::uint64_t, std::less<>> dropped;

  void add(const Counts& other) {
    accepted += other.accepted, retro_kept += other.retro_kept, stored += other.stored;
    for (const auto& [reason, n] : other.dropped) dropped[reason] += n;
  }
  [[nodiscard]] std::uint64_t dropped_total() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& [reason, n] : dropped) sum += n;
    return sum;
  }
  [[nodiscard]] bool empty() const noexcept {
    return accepted == 0 && retro_kept == 0 && stored == 0 && dropped.empty();
  }
  friend bool operator==(const Counts&, const Counts&) = default;
};

/// The balance of all signals at one moment; a row each of metrics.db's table `ledger`.
struct SignalLedger {
  Counts totals;
  std::uint64_t in_ring = 0;
};
struct LedgerSnapshot {
  SignalLedger metrics, spans, logs;
};

enum class CommitResult : std::uint8_t {
  ok,
  no_space,          // disk or cap is full, oldest rows included: try again later
  busy,              // somebody else holds a lock on the database: try again later
  reader_holds_wal,  // the -wal file is at its bound because a reader keeps a transaction open; holders() names it
  fenced,            // another engine has begun a newer epoch: this one must stop
  damaged,           // the database is broken: call recover(), which quarantines it and starts anew
  failed,            // anything else; why() says what
};
[[nodiscard]] std::string_view name_of(CommitResult) noexcept;

}  // namespace honeylink::telemetry::store
