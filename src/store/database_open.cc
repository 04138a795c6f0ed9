// Opening a database, and what happens when it is broken: renamed beside, a fresh one made, what can be read carried
// over (I-7, F08).
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "base/file.h"
#include "store/database.h"

namespace honeylink::telemetry::store {
namespace {

constexpr int kApplicationId = 0x484c544c;  // "HLTL", shown by file(1)
constexpr std::int64_t kSalvageNs = 1'000'000'000;

constexpr const char* kCommonTables =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE counts(name TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO meta VALUES('engine_epoch', 0), ('min_writer', 1);";

int stop_when_late(void* late) { return (*static_cast<const std::function<bool()>*>(late))() ? 1 : 0; }

}  // namespace

std::string resolved_home(const std::string& home) {
  std::string path = home;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const std::size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  char* real = ::realpath(parent.c_str(), nullptr);
  if (real == nullptr) return path;
  std::string resolved = real;
  std::free(real);
  if (resolved != "/") resolved += '/';
  return resolved + (slash == std::string::npos ? path : path.substr(slash + 1));
}

std::uint64_t file_bytes(const std::string& path) noexcept {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

std::string compact_utc(std::int64_t unix_ns) {
  const std::time_t seconds = unix_ns / 1'000'000'000;
  std::tm parts{};
  char text[32] = "unknown";
  if (::gmtime_r(&seconds, &parts) != nullptr) std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts);
  return text;
}

std::string set_aside(const std::string& path, std::int64_t unix_ns) {
  const std::string base = path + ".corrupt-" + compact_utc(unix_ns);
  for (int n = 1; n < 1000; ++n) {
    const std::string name = n == 1 ? base : base + "-" + std::to_string(n);
    if (::renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, name.c_str(), RENAME_NOREPLACE) == 0) return name;
    if (errno == EINVAL && ::link(path.c_str(), name.c_str()) == 0)
      return ::unlink(path.c_str()), name;  // no RENAME_NOREPLACE here
    if (errno != EEXIST) return {};
  }
  return {};
}

bool Database::open(std::string& said) {
  said.clear();
  if (!make_private_directory(resolved_home(options_.home), said) || !make_private_directory(directory_, said))
    return false;
  return open_or_quarantine(said);
}

bool Database::open_or_quarantine(std::string& said) {
  ++generation_;
  began_anew_ = false;
  std::string first;
  switch (open_file_at_path(first)) {
    case Opened::ok:
      said = first;
      return true;
    case Opened::unusable:
      said = first;
      return false;
    case Opened::damaged:
      break;
  }
  said = first;
  return quarantine(said);
}

// Makes the file with the mode it must have whatever the umask, or checks the one that is there. A descriptor of an
// existing database is never opened and closed here: that would drop SQLite's POSIX locks of this process.
Database::Opened Database::open_file_at_path(std::string& said) {
  struct stat info {};
  if (::lstat(path_.c_str(), &info) != 0) {
    const Fd made = open_file(path_, O_RDWR | O_CREAT | O_EXCL, 0644, said);
    if (!made || ::fchmod(made.get(), 0644) != 0) return Opened::unusable;
    // A journal without its database belongs to another life of this name.
    for (const char* suffix : {"-wal", "-shm", "-journal"}) {
      if (::lstat((path_ + suffix).c_str(), &info) == 0 &&
          set_aside(path_ + suffix, options_.clock->realtime_ns()).empty())
        return Opened::unusable;
    }
    began_anew_ = true;
  } else {
    if (S_ISLNK(info.st_mode)) return said = path_ + " is a symbolic link; it is not followed", Opened::unusable;
    if (!S_ISREG(info.st_mode)) return said = path_ + " is not a regular file", Opened::unusable;
    if (info.st_uid != ::geteuid()) return said = path_ + " belongs to another user", Opened::unusable;
    if ((info.st_mode & 07777) != 0644) (void)::chmod(path_.c_str(), 0644);
  }
  const int result = connection_.open(path_, Access::read_write, options_.busy_timeout_ms);
  if (result != SQLITE_OK) {
    const int kind = result & 0xff;
    said = path_ + ": " + connection_.error();
    return kind == SQLITE_NOTADB || kind == SQLITE_CORRUPT ? Opened::damaged : Opened::unusable;
  }
  if (::stat(path_.c_str(), &info) != 0) return said = path_ + " was removed while it was opened", Opened::unusable;
  inode_ = info.st_ino, device_ = info.st_dev;
  return configure(said);
}

Database::Opened Database::configure(std::string& said) {
  const auto gave = [&](int result) {
    said = path_ + ": " + connection_.error();
    const CommitResult meaning_of = meaning(result);
    const bool transient = meaning_of == CommitResult::busy || meaning_of == CommitResult::no_space ||
                           (result & 0xff) == SQLITE_IOERR || (result & 0xff) == SQLITE_CANTOPEN ||
                           (result & 0xff) == SQLITE_READONLY || (result & 0xff) == SQLITE_NOMEM;
    return transient ? Opened::unusable : Opened::damaged;
  };
  // First: the pragmas below write, and a file of a newer writer is left as it is, byte for byte.
  if (const std::int64_t needs = meta("min_writer", 1); needs > kWriterVersion) {
    said = path_ + " needs a newer version to write it (min_writer " + std::to_string(needs) + ")";
    return Opened::unusable;
  }
  const std::string pragmas =
      "PRAGMA page_size=" + std::to_string(kind_.page_bytes) +
      ";PRAGMA auto_vacuum=INCREMENTAL;PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;"
      // Debian's SQLite overwrites what is deleted, twice in a -wal; `honeytel forget` still does.
      "PRAGMA secure_delete=FAST;PRAGMA journal_size_limit=" +
      std::to_string(kWalKept);
  int result = connection_.execute(pragmas.c_str());
  if (result != SQLITE_OK) return gave(result);
  const std::int64_t version = connection_.integer("PRAGMA user_version", -1);
  const std::int64_t tables = connection_.integer("SELECT count(*) FROM sqlite_schema", -1);
  if (version < 0 || tables < 0) return gave(connection_.result());
  if (version == 0 && tables == 0 && !make_tables()) return gave(connection_.result());
  if (version == 0 && tables > 0) return said = path_ + " is not a database of ours", Opened::damaged;
  if (!sound(said)) return Opened::damaged;
  epoch_ = connection_.prepare("SELECT value FROM meta WHERE key='engine_epoch'");
  begin_ = connection_.prepare("BEGIN IMMEDIATE");
  commit_ = connection_.prepare("COMMIT");
  rollback_ = connection_.prepare("ROLLBACK");
  count_ =
      connection_.prepare("INSERT INTO counts(name, n) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET n=n+excluded.n");
  durable_ = -1;
  count_wal();
  if (!epoch_ || !begin_ || !commit_ || !rollback_ || !count_) return gave(connection_.result());
  return Opened::ok;
}

bool Database::make_tables() {
  const std::string sql = std::string("BEGIN IMMEDIATE;") + kCommonTables + kind_.schema +
                          "PRAGMA application_id=" + std::to_string(kApplicationId) +
                          ";PRAGMA user_version=" + std::to_string(kSchemaVersion) + ";COMMIT";
  began_anew_ = true;
  if (connection_.execute(sql.c_str()) == SQLITE_OK) return true;
  return false;
}

// quick_check reads every page, so it gets a time limit; what it did not reach is still guarded by a checksum in each
// blob.
bool Database::sound(std::string& said) {
  const std::int64_t until = options_.clock->monotonic_ns() + std::int64_t{options_.check_at_open_ms} * 1'000'000;
  const std::function<bool()> late = [&] { return options_.clock->monotonic_ns() > until; };
  sqlite3_progress_handler(connection_.get(), 1000, &stop_when_late,
                           const_cast<void*>(static_cast<const void*>(&late)));
  Statement check = connection_.prepare("PRAGMA quick_check(1)");
  const int result = check.step();
  const std::string verdict(result == SQLITE_ROW ? check.text(0) : std::string_view());
  check = Statement();
  sqlite3_progress_handler(connection_.get(), 0, nullptr, nullptr);
  if (result == SQLITE_INTERRUPT || (result & 0xff) == SQLITE_BUSY || (result == SQLITE_ROW && verdict == "ok"))
    return true;
  said = path_ + " is damaged: " + (verdict.empty() ? connection_.error() : verdict);
  return false;
}

void Database::close_keeping_wal() noexcept {
  for (Statement* statement : {&epoch_, &begin_, &commit_, &rollback_, &count_}) *statement = Statement();
  for (Connection* connection : {&checkpointer_, &connection_}) {
    if (*connection) sqlite3_db_config(connection->get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    connection->close();
  }
}

bool Database::quarantine(std::string& said) {
  close_keeping_wal();
  const std::string aside = set_aside(path_, options_.clock->realtime_ns());
  if (aside.empty()) return said += std::string("; it cannot be renamed: ") + std::strerror(errno), false;
  // Under the quarantined name SQLite finds its log; the index of the log is made anew.
  (void)::renameat2(AT_FDCWD, (path_ + "-wal").c_str(), AT_FDCWD, (aside + "-wal").c_str(), RENAME_NOREPLACE);
  (void)::unlink((path_ + "-shm").c_str());
  std::string fresh;
  if (open_file_at_path(fresh) != Opened::ok)
    return said += "; set aside as " + aside + "; and no new file can be made: " + fresh, false;
  said += "; set aside as " + aside;
  const std::int64_t until = options_.clock->monotonic_ns() + kSalvageNs;
  const std::function<bool()> late = [&] { return options_.clock->monotonic_ns() > until; };
  Connection broken;
  bool cursors_saved = false;
  if (broken.open(aside, Access::read_only, 0) == SQLITE_OK) {
    sqlite3_progress_handler(broken.get(), 1000, &stop_when_late, const_cast<void*>(static_cast<const void*>(&late)));
    cursors_saved = kind_.salvage(broken, connection_, late);
    broken.close();
  }
  (void)::unlink((aside + "-shm").c_str());
  began_anew_ = !cursors_saved;
  said +=
      cursors_saved ? "; its positions and what was readable were carried over" : "; its positions could not be read";
  return true;
}

bool Database::reopen(std::string& said) {
  close_keeping_wal();
  return open_or_quarantine(said);
}

bool Database::recover(std::string& said) {
  said = why_;
  const bool ours = same_file();
  ++generation_;
  const bool opened = ours ? quarantine(said) : reopen(said);
  return opened && begin_epoch() != 0;
}

}  // namespace honeylink::telemetry::store
