// Space of a database: the cap over db, -wal and -shm (I-8), the bound of the -wal while a reader holds it (F40),
// checkpoints off the writing connection.
//
// A commit may make the -wal grow by what it writes, and the database by the same when the -wal is moved into it; both
// are counted before it begins. Deleting works in its own small transactions, oldest rows first.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "base/killpoint.h"
#include "store/database.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::uint64_t kShmBytes = 32768;   // grows by as much per 4,096 frames of the -wal
constexpr std::uint64_t kPagesTouched = 24;  // of tables and indexes besides the blob
constexpr std::uint64_t kFrameHead = 24;     // of each page in the -wal
constexpr std::uint64_t kReserveMax = 12'000'000;
constexpr int kDeleteRounds = 64;

}  // namespace

std::uint64_t Database::disk_bytes() const {
  return file_bytes(path_) + file_bytes(path_ + "-wal") + file_bytes(path_ + "-shm");
}

CommitResult Database::bound_wal(std::uint64_t bytes, std::uint64_t limit) {
  if (file_bytes(path_ + "-wal") + bytes <= limit) return CommitResult::ok;
  sqlite3_busy_timeout(connection_.get(), 0);
  const int result =
      sqlite3_wal_checkpoint_v2(connection_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  sqlite3_busy_timeout(connection_.get(), options_.busy_timeout_ms);
  if (result == SQLITE_OK && file_bytes(path_ + "-wal") == 0) return CommitResult::ok;
  if ((result & 0xff) != SQLITE_OK && (result & 0xff) != SQLITE_BUSY) return meaning(result);
  why_ = path_ + "-wal cannot be emptied: a reader keeps a transaction open";
  return CommitResult::reader_holds_wal;
}

CommitResult Database::make_room(std::uint64_t bytes) {
  const auto page = static_cast<std::uint64_t>(kind_.page_bytes);
  const std::uint64_t need = bytes + bytes / 16 + kPagesTouched * (page + 24);
  const std::uint64_t cap = kind_.bytes_max;
  const std::uint64_t reserve = std::max(std::min(kReserveMax, cap / 4), need + kShmBytes);
  const CommitResult wal = bound_wal(need, options_.wal_bytes_max);
  if (wal != CommitResult::ok) return wal;

  const auto pages = static_cast<std::uint64_t>(std::max<std::int64_t>(connection_.integer("PRAGMA page_count", 0), 0));
  const auto unused =
      static_cast<std::uint64_t>(std::max<std::int64_t>(connection_.integer("PRAGMA freelist_count", 0), 0));
  const std::uint64_t growth = need > unused * page ? need - unused * page : 0;
  if (pages * page + growth + reserve > cap) {
    if (reserve >= cap)
      return why_ = path_ + ": the cap of " + std::to_string(cap) + " bytes is too small", CommitResult::no_space;
    const CommitResult freed = shrink_to(cap - reserve > need ? cap - reserve - need : 0);
    if (freed != CommitResult::ok) return freed;
  }
  // The -wal may use what the database leaves of the cap, and is moved into it early rather than late.
  const std::uint64_t database =
      static_cast<std::uint64_t>(std::max<std::int64_t>(connection_.integer("PRAGMA page_count", 0), 0)) * page;
  const std::uint64_t left = cap > database + growth + kShmBytes * 8 ? cap - database - growth - kShmBytes * 8 : 0;
  return bound_wal(need, std::max(left, need));
}

// Deletes the oldest rows until the database, free pages given back, is at most `bytes`.
CommitResult Database::shrink_to(std::uint64_t bytes) {
  const auto page = static_cast<std::uint64_t>(kind_.page_bytes);
  for (int round = 0; round < kDeleteRounds; ++round) {
    const auto pages =
        static_cast<std::uint64_t>(std::max<std::int64_t>(connection_.integer("PRAGMA page_count", 0), 0));
    if (pages * page <= bytes) return bound_wal(1, 0);
    const std::uint64_t excess = pages * page - bytes;
    const auto unused =
        static_cast<std::uint64_t>(std::max<std::int64_t>(connection_.integer("PRAGMA freelist_count", 0), 0)) * page;
    if (unused < excess) {
      const CommitResult deleted = delete_oldest(std::min<std::uint64_t>(excess - unused, 1'000'000));
      if (deleted != CommitResult::ok) return deleted;
    }
    int result = connection_.execute("PRAGMA incremental_vacuum(64)");
    if (result != SQLITE_OK) return meaning(result);
    // Each round's pages stand in the -wal too: it must not carry the sum over the cap.
    const CommitResult wal = bound_wal(1, std::min<std::uint64_t>(kCheckpointFrom / 2, kind_.bytes_max / 16));
    if (wal != CommitResult::ok) return wal;
  }
  return CommitResult::ok;
}

CommitResult Database::delete_oldest(std::uint64_t bytes) {
  Statement rows = connection_.prepare(kind_.oldest_rows);
  std::uint64_t found = 0, records = 0;
  std::int64_t last = 0;
  bool any = false;
  while (found < bytes && rows.step() == SQLITE_ROW) {
    last = rows.integer(0), any = true;
    found += std::max<std::uint64_t>(rows.number(1), 64);
    records += rows.number(2);
  }
  rows = Statement();
  if (!any) return why_ = path_ + ": nothing is left to delete under the cap", CommitResult::no_space;
  if (const int result = begin_.run(); result != SQLITE_OK) return meaning(result);
  int result = SQLITE_OK;
  for (const std::string_view sql : {kind_.delete_rows, kind_.delete_rows_too}) {
    if (sql.empty() || result != SQLITE_OK) continue;
    Statement erase = connection_.prepare(sql);
    result = erase ? erase.bind(1, last).run() : connection_.result();
  }
  if (result == SQLITE_OK) result = count_.bind(1, std::string_view("expired")).bind(2, records).run();
  return result == SQLITE_OK ? commit() : fail();
}

// SQLite tells after each commit how many pages stand in the -wal. Its file is no measure: once grown it stays, and is
// written over from its beginning.
void Database::count_wal() noexcept {
  const auto told = [](void* database, sqlite3*, const char*, int pages) {
    auto& of = *static_cast<Database*>(database);
    of.wal_bytes_.store(
        static_cast<std::uint64_t>(pages) * (static_cast<std::uint64_t>(of.kind_.page_bytes) + kFrameHead),
        std::memory_order_relaxed);
    return SQLITE_OK;
  };
  sqlite3_wal_hook(connection_.get(), told, this);
}

void Database::checkpoint() {
  if (wal_bytes_.load(std::memory_order_relaxed) < kCheckpointFrom) return;
  if (!checkpointer_ && checkpointer_.open(path_, Access::read_write, 0) != SQLITE_OK) return;
  if (!options_.synchronous) (void)checkpointer_.execute("PRAGMA synchronous=OFF");
  killpoint("checkpoint.before");
  sqlite3_wal_checkpoint_v2(checkpointer_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  killpoint("checkpoint.after");
}

// A reader in WAL mode holds one of the read-mark bytes 123…127 of the -shm file. /proc/locks is asked, not fcntl:
// opening and closing the -shm here would drop SQLite's own locks of this process.
std::vector<int> Database::holders() const {
  struct stat shm {};
  std::vector<int> pids;
  if (::stat((path_ + "-shm").c_str(), &shm) != 0) return pids;
  std::FILE* locks = std::fopen("/proc/locks", "re");
  if (locks == nullptr) return pids;
  char line[256];
  while (std::fgets(line, sizeof line, locks) != nullptr) {
    int pid = 0;
    unsigned long inode = 0;
    long first = 0, last = 0;
    if (std::sscanf(line, "%*d: POSIX %*s %*s %d %*x:%*x:%lu %ld %ld", &pid, &inode, &first, &last) != 4) continue;
    if (inode != shm.st_ino || last < 123 || first > 127 || pid == ::getpid() || pid <= 0) continue;
    if (std::find(pids.begin(), pids.end(), pid) == pids.end()) pids.push_back(pid);
  }
  std::fclose(locks);
  return pids;
}

}  // namespace honeylink::telemetry::store
