// logs/honeylink.log: JSON Lines, one record a line, rotated into honeylink.log.<n>.zst under one cap; logs/state: two
// slots that say what of it is committed (docs/formats/log_files.md). Called by the engine; query reads the files.
//
// Must stay true: bytes beyond the committed size are never part of the log (recovery cuts them); a line and the cursor
// that passes its record are committed by the same state slot; a line holds no control character, whatever was recorded
// (F33).
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/events.h"
#include "store/store.h"

namespace honeylink::telemetry::store {

/// A commit of more than this at once may not fit under small caps: the engine commits when pending_bytes() reaches it.
inline constexpr std::size_t kLogPendingBytes = std::size_t{1} << 20;

/// Not thread-safe; owned and called by one engine thread.
class LogFiles {
 public:
  /// Cuts what was not committed. A broken state file is quarantined (*.corrupt-<time>) and said. nullptr: the place is
  /// unusable.
  [[nodiscard]] static std::unique_ptr<LogFiles> open(const StoreOptions&, std::string& said);
  ~LogFiles();

  std::uint64_t begin_epoch();
  [[nodiscard]] std::vector<SlotCursor> cursors();
  [[nodiscard]] Counts totals();

  /// Appends the line of a scrubbed record to the pending bytes. Items of type id must already hold pseudonyms.
  void add(const LogEvent&);
  void forget_ring(const RingId&);

  [[nodiscard]] std::size_t pending_bytes() const noexcept;
  [[nodiscard]] std::size_t pending_lines() const noexcept;
  /// Writes the lines and a state slot; `sync`: fdatasync of both (every 5 s, and for ERROR at once).
  CommitResult commit(std::span<const SlotCursor> cursors, const Counts& delta, bool sync);
  void discard_pending();

  /// Where the log ends: the number that the present file gets when it is rotated, and its committed bytes.
  [[nodiscard]] std::uint64_t file_number() const noexcept;
  [[nodiscard]] std::uint64_t committed_bytes() const noexcept;
  [[nodiscard]] std::uint64_t disk_bytes() const;
  /// No sound state file was found: what rings hold below their oldest chunk is "store_lost", not "buffer_full".
  [[nodiscard]] bool began_anew() const noexcept;
  [[nodiscard]] const std::string& why() const noexcept;
  [[nodiscard]] const std::string& path() const noexcept;

 private:
  struct State;
  explicit LogFiles(std::unique_ptr<State>) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace honeylink::telemetry::store
