// One database file of the home: opened hardened, checked, quarantined when broken, written one fenced transaction at a
// time, held under its cap and its -wal under a bound. TraceStore and MetricStore are each one of these plus their
// tables.
//
// Must stay true: a broken file is renamed beside, never overwritten or deleted (I-7, F08); begin() hands out a
// transaction only while meta.engine_epoch is ours; db + -wal + -shm never exceed the cap (I-8).
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/sqlite.h"
#include "store/store.h"

namespace honeylink::telemetry::store {

inline constexpr std::uint64_t kCheckpointFrom = 4'000'000;  // bytes in the -wal from which checkpoint() works
/// Bytes of -wal that stay on disk when it begins anew. More than it grows to before a checkpoint has ended: what is
/// written over needs no new blocks, and fdatasync no journal of the file system.
inline constexpr std::uint64_t kWalKept = 2 * kCheckpointFrom;
inline constexpr int kSchemaVersion = 1;  // user_version; readers refuse what they do not know
inline constexpr int kWriterVersion = 1;  // against meta.min_writer

/// What makes a database this one. Functions are called on the engine's thread.
struct DatabaseKind {
  std::string_view file;  // "traces.db"
  int page_bytes = 4096;
  std::uint64_t bytes_max = 0;       // the cap
  const char* schema = nullptr;      // CREATE TABLE …, without meta and counts
  std::string_view oldest_rows;      // SELECT key, bytes, n … ORDER BY key: what goes first when space is short
  std::string_view delete_rows;      // DELETE … WHERE key <= ?
  std::string_view delete_rows_too;  // the same of a second table, in the same transaction; empty: there is none
  /// Copies what can be read out of a quarantined file, newest first, until `late` says so. False: the cursors could
  /// not be saved.
  std::function<bool(Connection& broken, Connection& fresh, const std::function<bool()>& late)> salvage;
};

/// Not thread-safe, checkpoint() and the functions that say so excepted; owned by its store.
class Database {
 public:
  Database(const StoreOptions& options, DatabaseKind kind);
  ~Database();
  /// False: the place is unusable (`said` tells why): try again later. A quarantine is a success that is said.
  bool open(std::string& said);
  /// After `damaged`: opens again, after quarantine if the file is still the one that was open, and begins an epoch.
  /// The caller lets go of its statements first.
  bool recover(std::string& said);

  /// epoch + 1; 0 on failure.
  std::uint64_t begin_epoch();
  /// A write transaction with room for `bytes` more. Anything but ok: nothing is open.
  CommitResult begin(std::uint64_t bytes, bool durable);
  /// Ends it. On failure it is rolled back.
  CommitResult commit();
  /// Rolls back after a failed statement; what that failure means.
  CommitResult fail();

  /// Adds to the cumulative counts inside the transaction. SQLite's result code.
  int add_counts(const Counts& delta);
  [[nodiscard]] Counts totals();
  int set_meta(std::string_view key, std::int64_t value);
  [[nodiscard]] std::int64_t meta(std::string_view key, std::int64_t otherwise);

  [[nodiscard]] Connection& connection() noexcept { return connection_; }
  /// Counts up each time another file stands behind this object: statements and caches of the old one are void.
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
  /// The file was made anew and no cursors were saved: what rings hold below their first chunk is "store_lost", not
  /// "buffer_full".
  [[nodiscard]] bool began_anew() const noexcept { return began_anew_; }
  void refuse(std::string why) { why_ = std::move(why); }
  [[nodiscard]] const std::string& why() const noexcept { return why_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  void checkpoint();                               // own connection; may run on another thread than the rest
  [[nodiscard]] std::uint64_t disk_bytes() const;  // any thread
  [[nodiscard]] std::vector<int> holders() const;  // any thread

 private:
  enum class Opened : std::uint8_t { ok, damaged, unusable };
  Opened open_file_at_path(std::string& said);
  Opened configure(std::string& said);
  bool make_tables();
  bool sound(std::string& said);
  bool quarantine(std::string& said);
  bool open_or_quarantine(std::string& said);
  bool reopen(std::string& said);
  void close_keeping_wal() noexcept;
  void count_wal() noexcept;
  [[nodiscard]] bool same_file() const;
  [[nodiscard]] bool lacks_space() const;
  [[nodiscard]] CommitResult meaning(int result);
  CommitResult make_room(std::uint64_t bytes);
  CommitResult bound_wal(std::uint64_t bytes, std::uint64_t limit);
  CommitResult delete_oldest(std::uint64_t bytes);
  CommitResult shrink_to(std::uint64_t bytes);

  StoreOptions options_;
  DatabaseKind kind_;
  std::string directory_, path_, why_;
  Connection connection_, checkpointer_;
  Statement epoch_, begin_, commit_, rollback_, count_;
  std::uint64_t epoch_number_ = 0, generation_ = 0, inode_ = 0, device_ = 0;
  int durable_ = -1;
  std::atomic<std::uint64_t> wal_bytes_{0};  // in use, which the size of its file does not tell
  bool began_anew_ = false;
};

/// The home with symbolic links above it resolved (a linked /home is the system's business; a linked home is refused).
[[nodiscard]] std::string resolved_home(const std::string& home);
/// Bytes of a file, 0 where there is none.
[[nodiscard]] std::uint64_t file_bytes(const std::string& path) noexcept;
/// YYYYMMDDTHHMMSSZ, for names of quarantined files.
[[nodiscard]] std::string compact_utc(std::int64_t unix_ns);
/// Renames `path` to `<path>.corrupt-<time>`, never over an existing file; the new name, or empty.
[[nodiscard]] std::string set_aside(const std::string& path, std::int64_t unix_ns);

}  // namespace honeylink::telemetry::store
