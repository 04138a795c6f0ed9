// Moves spans from hot rows into blocks, in small steps: one transaction writes blocks and deletes the rows that they
// replace (docs/formats/traces_db.md). Part of TraceStore; called by its maintain() on the engine's thread.
//
// Must stay true: a span is in hot or in blk, never in both, never in neither, whenever the process dies; a row that
// cannot be read whole stays where it is.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>

#include "store/database.h"
#include "store/span_block.h"

namespace honeylink::telemetry::store {

inline constexpr std::int64_t kSpansStayHotNs = 60'000'000'000;  // by then a trace is mostly whole

/// Writes what a look-up by trace id finds block `blk` by: trace_range and foreign_ids. Inside the caller's
/// transaction.
bool store_block_ids(Connection& connection, std::int64_t blk, std::span<const SpanRun> runs);

/// Which spans may share a block, by where they stand in the order of storing: those from `first` to before `last` are
/// of one group, or of kSpansOfTwoGroups, and then their row waits. For who has to tell afterwards what of a block was
/// sent.
using SpanGroup = std::function<int(std::uint64_t first, std::uint64_t last)>;
inline constexpr int kSpansOfTwoGroups = -1;

/// What a step of upkeep did.
struct PackStep {
  CommitResult result = CommitResult::ok;
  std::uint64_t spans = 0, rows = 0, blocks = 0;  // packed
  bool more = false;                              // there is work for another step
};

/// Not thread-safe; owned by TraceStore::State, dies before its database.
class SpanPacker {
 public:
  explicit SpanPacker(Database& database);
  ~SpanPacker();
  /// Another file stands behind the database: what is known of the old one is void, statements included.
  void forget() noexcept;
  void set_groups(SpanGroup group_of);
  /// Packs one slice of settled rows of one group, if enough have gathered or the group ends.
  [[nodiscard]] PackStep pack(std::int64_t now_unix_ns);
  /// Deletes what only deleted blocks needed, or gives free pages back: one small transaction.
  [[nodiscard]] PackStep tidy();
  /// Rows of hot that were found damaged since the file was opened.
  [[nodiscard]] std::uint64_t damaged_rows() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace honeylink::telemetry::store
