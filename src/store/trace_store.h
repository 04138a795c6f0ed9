// metrics/traces.db: spans in, one transaction at a time (docs/formats/traces_db.md). Called by the engine; read by
// query through trace_codec.h and its own connection.
//
// Must stay true: a span and the cursor that passes it are in the same transaction; a retroactively kept span is stored
// at most once (table kept); whoever writes holds the epoch.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/events.h"
#include "store/span_hand_over.h"
#include "store/store.h"

namespace honeylink::telemetry::store {

/// A trace whose spans are all to be kept while it is young. Survives the engine's death.
struct MarkedTrace {
  RingId ring{};  // the ring whose span marked it; for ids that are counters also the ring whose key they need
  TraceRef trace;
  std::int64_t marked_unix_ns = 0;
  std::string reason;
};

/// A process that died without `clean`: what last-words lists. One row a ring.
struct CrashInfo {
  RingId ring{};
  std::uint64_t pid = 0;
  std::string service;
  std::int64_t started_unix_ns = 0;
  std::int64_t died_unix_ns = 0;  // last sign of life
  std::uint64_t spans = 0, open_spans = 0;
};

/// What maintain() did.
struct Upkeep {
  CommitResult result = CommitResult::ok;  // not ok: as of commit(); nothing is lost, try again later
  std::uint64_t steps = 0;
  std::uint64_t spans_packed = 0, rows = 0, blocks = 0;
  std::uint64_t damaged_rows = 0;  // rows of hot that cannot be packed, since the file was opened
  bool more = false;               // the budget ended before the work
};

/// Not thread-safe; owned and called by one engine thread. checkpoint() alone may run on another thread, one at a time.
class TraceStore {
 public:
  /// Opens or makes the database. Damage is quarantined (*.corrupt-<time>) and said, not an error. nullptr: the place
  /// is unusable (full, foreign, a symbolic link) or locked by another program: `said` tells; try again later.
  [[nodiscard]] static std::unique_ptr<TraceStore> open(const StoreOptions&, std::string& said);
  ~TraceStore();

  /// Takes over: epoch + 1, drops what was pending, reads cursors anew. 0 on failure (why()). Needed before the first
  /// commit.
  std::uint64_t begin_epoch();
  [[nodiscard]] std::vector<SlotCursor> cursors();
  [[nodiscard]] std::vector<MarkedTrace> marks();
  [[nodiscard]] std::vector<CrashInfo> crashes();
  [[nodiscard]] Counts totals();

  /// Encodes a scrubbed span into the pending blob; nothing of the event is kept. Event items carry Unix ns. Items of
  /// type id must already hold pseudonyms.
  void add(const SpanEvent&);
  /// Retroactive keep: true the first time, over all commits, that (ring, slot, ordinal) is asked for. The caller then
  /// adds the span.
  [[nodiscard]] bool keep_once(const RingId&, std::uint32_t slot, std::uint64_t ordinal);
  /// Rows of `kept` below an ordinal that no chunk holds any more may go.
  void forget_kept_below(const RingId&, std::uint32_t slot, std::uint64_t ordinal);
  void mark_trace(const MarkedTrace&);
  void forget_marks_before(std::int64_t unix_ns);
  void add_crash(const CrashInfo&);
  /// With the next commit: cursors and kept rows of this ring are deleted.
  void forget_ring(const RingId&);

  [[nodiscard]] std::size_t pending_bytes() const noexcept;
  [[nodiscard]] std::size_t pending_spans() const noexcept;
  /// Everything pending, the cursors and the counts in one transaction. `durable`: fsync before it returns.
  CommitResult commit(std::span<const SlotCursor> cursors, const Counts& delta, bool durable);
  /// Drops pending spans, kept rows, marks and crashes (the caller counts them).
  void discard_pending();
  /// After `damaged`: quarantines the file, opens a fresh one, carries over what can be read of cursors, counts and
  /// rows, begins an epoch. Pending spans are gone, as after begin_epoch(): read the rings again from cursors(). False:
  /// the place is unusable.
  bool recover(std::string& said);

  /// For who sends spans while they are young. Whether names are kept for hand_over(); false: they are not.
  void tell_names(bool on);
  /// What was added since the last time; false: nothing. After discard_pending(), begin_epoch() and recover() numbers
  /// begin again at spans_stored().
  [[nodiscard]] bool hand_over(SpanHandOver& to);
  /// Spans before the pending ones, over the life of the file.
  [[nodiscard]] std::uint64_t spans_stored() const noexcept;
  /// Which spans may share a block (span_pack.h). Empty: all.
  void set_span_groups(std::function<int(std::uint64_t first, std::uint64_t last)> group_of);

  /// Packs spans that have settled into blocks, deletes what nothing needs any more, gives free pages back: one small
  /// transaction after the other until the work or the budget ends, one at least if there is work. Pending spans are
  /// not touched.
  Upkeep maintain(std::int64_t now_unix_ns, std::int64_t budget_ns);

  /// Moves the -wal file into the database if it has grown beyond 4 MB. On a connection of its own.
  void checkpoint();
  /// Bytes of the database, its -wal and -shm.
  [[nodiscard]] std::uint64_t disk_bytes() const;
  /// Processes that hold a read lock on the -wal, from /proc/locks; never our own.
  [[nodiscard]] std::vector<int> holders() const;
  /// The file was made anew and no positions were saved: what rings hold below their oldest chunk is "store_lost", not
  /// "buffer_full".
  [[nodiscard]] bool began_anew() const noexcept;
  [[nodiscard]] const std::string& why() const noexcept;
  [[nodiscard]] const std::string& path() const noexcept;

 private:
  struct State;
  explicit TraceStore(std::unique_ptr<State>) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace honeylink::telemetry::store
