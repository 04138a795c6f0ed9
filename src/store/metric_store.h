// metrics/metrics.db: one row per tick, all changed series in one blob (docs/formats/metrics_db.md); the history of the
// ledger; the plain tables alerts and slis. Called by the engine; read by query through metric_codec.h and its own
// connection.
//
// Must stay true: the row, the new base slot and the counts are one transaction; rows are keyed by a strictly
// increasing commit number, never by time, so that a clock step or a takeover within a tick overwrites nothing
// (PROTOCOL 6).
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/events.h"
#include "store/sli_rows.h"
#include "store/store.h"

namespace honeylink::telemetry::store {

/// Which of the engine's two base files belongs to the last committed row.
struct BaseSlot {
  int number = -1;  // 0 or 1; -1: none committed yet
  std::uint64_t commit_no = 0;
  std::uint64_t crc = 0;
};

/// The points of one tick: each series at most once, any order.
struct MetricTick {
  std::int64_t unix_s = 0;
  std::span<const MetricDelta> deltas;
};

/// What maintain() did.
struct MetricUpkeep {
  CommitResult result = CommitResult::ok;  // not ok: as of commit_tick(); nothing is lost, try again later
  std::uint64_t steps = 0;                 // transactions
  bool more = false;                       // the budget ended before the work
};

/// Not thread-safe; owned and called by one engine thread. checkpoint() alone may run on another thread, one at a time.
class MetricStore {
 public:
  [[nodiscard]] static std::unique_ptr<MetricStore> open(const StoreOptions&, std::string& said);
  ~MetricStore();

  std::uint64_t begin_epoch();
  /// The number of a series in this database; a new one gets its row with the next commit. Not for hot paths: cache it
  /// per ring. After recover() numbers have changed: ask again.
  [[nodiscard]] std::uint32_t series_id(const SeriesInfo&);
  [[nodiscard]] BaseSlot base_slot();
  /// Number that the next commit will have.
  [[nodiscard]] std::uint64_t next_commit_no() const noexcept;
  [[nodiscard]] Counts totals();

  /// One tick. `deltas`: each series at most once, any order. Without deltas only base slot, counts and ledger are
  /// written, and no row. `ledger` holds totals *after* this commit; for metrics the store adds nothing to it. `slis`:
  /// what the tick made of service levels.
  CommitResult commit_tick(std::int64_t tick_unix_s, std::span<const MetricDelta> deltas, int new_base_slot,
                           std::uint64_t base_crc, const Counts& delta, const LedgerSnapshot& ledger, bool durable,
                           const SliTick* slis = nullptr);
  /// The same for several ticks in one transaction, each in a row of its own; for data that is made, not measured.
  CommitResult commit_ticks(std::span<const MetricTick> ticks, int new_base_slot, std::uint64_t base_crc,
                            const Counts& delta, const LedgerSnapshot& ledger, bool durable,
                            const SliTick* slis = nullptr);
  /// Service levels and alerts as the last commit left them.
  [[nodiscard]] SavedSlis saved_slis();
  /// Every series that has a number, also before its row is committed.
  struct SeriesName {
    std::uint32_t sid = 0;
    std::string_view name, kind, unit;
  };
  void each_series(const std::function<void(const SeriesName&)>& tell) const;
  bool recover(std::string& said);

  /// Packs ticks into segments, rolls up and deletes what is old, gives free pages back: in small slices until the work
  /// or the budget ends, one slice at least if there is work (docs/formats/metrics_db.md, Retention). `now_unix_s` may
  /// jump: going back deletes nothing, going far forward is followed slowly.
  MetricUpkeep maintain(std::int64_t now_unix_s, std::int64_t budget_ns);

  /// The audit log ended with this entry; `hash`: hexadecimal. The last 1,000 are kept.
  CommitResult add_anchor(std::uint64_t seq, std::string_view hash, std::int64_t at_unix_ns);

  void checkpoint();
  [[nodiscard]] std::uint64_t disk_bytes() const;
  [[nodiscard]] std::vector<int> holders() const;
  /// The file was made anew and no positions were saved: what rings hold below their oldest chunk is "store_lost", not
  /// "buffer_full".
  [[nodiscard]] bool began_anew() const noexcept;
  [[nodiscard]] const std::string& why() const noexcept;
  [[nodiscard]] const std::string& path() const noexcept;

  struct State;  // metric_store_state.h

 private:
  explicit MetricStore(std::unique_ptr<State>) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace honeylink::telemetry::store
