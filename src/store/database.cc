// See database.h: transactions, epoch, counts. Opening and quarantine are in database_open.cc, space in
// database_space.cc.
#include "store/database.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/killpoint.h"

namespace honeylink::telemetry::store {

std::string_view name_of(CommitResult result) noexcept {
  switch (result) {
    case CommitResult::ok:
      return "ok";
    case CommitResult::no_space:
      return "no_space";
    case CommitResult::busy:
      return "busy";
    case CommitResult::reader_holds_wal:
      return "reader_holds_wal";
    case CommitResult::fenced:
      return "fenced";
    case CommitResult::damaged:
      return "damaged";
    case CommitResult::failed:
      return "failed";
  }
  return "failed";
}

Database::Database(const StoreOptions& options, DatabaseKind kind) : options_(options), kind_(std::move(kind)) {
  if (options_.clock == nullptr) options_.clock = &system_clock();
  directory_ = resolved_home(options_.home) + "/metrics";
  path_ = directory_ + "/" + std::string(kind_.file);
}

Database::~Database() = default;

bool Database::same_file() const {
  struct stat now {};
  return ::stat(path_.c_str(), &now) == 0 && now.st_ino == inode_ && now.st_dev == device_;
}

bool Database::lacks_space() const {
  // SQLite calls a write that meets a quota or a limit on file size an I/O error; which of its two files met it says
  // why.
  sqlite3* db = connection_.get();
  sqlite3_file* files[2] = {};
  sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &files[0]);
  sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &files[1]);
  const auto means_full = [](int error) { return error == ENOSPC || error == EDQUOT || error == EFBIG; };
  if (means_full(sqlite3_system_errno(db))) return true;
  for (sqlite3_file* file : files) {
    int error = 0;
    if (file != nullptr && file->pMethods != nullptr &&
        file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error) == SQLITE_OK && means_full(error)) {
      return true;
    }
  }
  return false;
}

CommitResult Database::meaning(int result) {
  why_ = path_ + ": " + connection_.error();
  switch (result & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
      return CommitResult::ok;
    case SQLITE_FULL:
      return CommitResult::no_space;
    case SQLITE_IOERR:
      return connection_ && lacks_space() ? CommitResult::no_space : CommitResult::failed;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return CommitResult::busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      return CommitResult::damaged;
    case SQLITE_READONLY:
      return same_file() ? CommitResult::failed : CommitResult::damaged;
    default:
      return CommitResult::failed;
  }
}

std::uint64_t Database::begin_epoch() {
  epoch_number_ = 0;
  if (!connection_) return why_ = path_ + ": not open", std::uint64_t{0};
  int result = connection_.execute("BEGIN IMMEDIATE");
  if (result == SQLITE_OK) {
    const std::int64_t next = meta("engine_epoch", 0) + 1;
    result = set_meta("engine_epoch", next);
    if (result == SQLITE_OK) result = connection_.execute("COMMIT");
    if (result == SQLITE_OK) return epoch_number_ = static_cast<std::uint64_t>(next);
    (void)meaning(result);
    connection_.execute("ROLLBACK");
    return 0;
  }
  (void)meaning(result);
  return 0;
}

CommitResult Database::begin(std::uint64_t bytes, bool durable) {
  if (!connection_) return why_ = path_ + ": not open", CommitResult::failed;
  if (epoch_number_ == 0) return why_ = path_ + ": begin_epoch() has not been called", CommitResult::failed;
  if (!same_file()) return why_ = path_ + " was removed or replaced while in use", CommitResult::damaged;
  const CommitResult room = make_room(bytes);
  if (room != CommitResult::ok) return room;
  if (durable_ != static_cast<int>(durable)) {
    const int result = connection_.execute(!options_.synchronous ? "PRAGMA synchronous=OFF"
                                           : durable             ? "PRAGMA synchronous=FULL"
                                                                 : "PRAGMA synchronous=NORMAL");
    if (result != SQLITE_OK) return meaning(result);
    durable_ = durable;
  }
  const int result = begin_.run();
  if (result != SQLITE_OK) return meaning(result);
  const int row = epoch_.step();
  const std::uint64_t now = row == SQLITE_ROW ? epoch_.number(0) : 0;
  epoch_.reset();
  if (row != SQLITE_ROW && row != SQLITE_DONE) return fail();
  if (now == epoch_number_) return CommitResult::ok;
  (void)rollback_.run();
  why_ = path_ + ": another engine has taken over (epoch " + std::to_string(now) + ", ours " +
         std::to_string(epoch_number_) + ")";
  return CommitResult::fenced;
}

CommitResult Database::commit() {
  const int result = commit_.run();
  return result == SQLITE_OK ? CommitResult::ok : fail();
}

CommitResult Database::fail() {
  CommitResult result = meaning(connection_.result());
  if (result == CommitResult::ok) result = CommitResult::failed;
  const std::string why = why_;
  if (sqlite3_get_autocommit(connection_.get()) == 0) (void)rollback_.run();
  why_ = why;
  return result;
}

int Database::add_counts(const Counts& delta) {
  int result = SQLITE_OK;
  const auto add = [&](std::string_view name, std::uint64_t n) {
    if (n == 0 || result != SQLITE_OK) return;
    count_.bind(1, name).bind(2, n);
    result = count_.run();
  };
  add("accepted", delta.accepted);
  add("retro_kept", delta.retro_kept);
  add("stored", delta.stored);
  for (const auto& [reason, n] : delta.dropped) add("dropped." + reason, n);
  return result;
}

Counts Database::totals() {
  Counts counts;
  Statement all = connection_.prepare("SELECT name, n FROM counts");
  while (all && all.step() == SQLITE_ROW) {
    const std::string_view name = all.text(0);
    constexpr std::string_view kDropped = "dropped.";
    if (name == "accepted") counts.accepted = all.number(1);
    if (name == "retro_kept") counts.retro_kept = all.number(1);
    if (name == "stored") counts.stored = all.number(1);
    if (name.starts_with(kDropped)) counts.dropped.emplace(name.substr(kDropped.size()), all.number(1));
  }
  return counts;
}

int Database::set_meta(std::string_view key, std::int64_t value) {
  Statement set = connection_.prepare(
      "INSERT INTO meta(key, value) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value=excluded.value");
  return set ? set.bind(1, key).bind(2, value).run() : connection_.result();
}

std::int64_t Database::meta(std::string_view key, std::int64_t otherwise) {
  Statement get = connection_.prepare("SELECT value FROM meta WHERE key=?1");
  return get && get.bind(1, key).step() == SQLITE_ROW ? get.integer(0) : otherwise;
}

}  // namespace honeylink::telemetry::store
