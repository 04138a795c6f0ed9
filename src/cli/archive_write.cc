// Making an archive: see archive.h.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "cli/archive.h"
#include "query/database.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::size_t kChunk = 1 << 20;
constexpr std::string_view kWorkshopPrefix = ".honeytel-archive-";
constexpr int kFileMode = 0100600;  // where it is unpacked by other programs nobody else reads it

}  // namespace

bool is_archived_name(std::string_view name) noexcept {
  for (const std::string_view fixed :
       {"metrics/metrics.db", "metrics/traces.db", "logs/honeylink.log", "config.toml"}) {
    if (name == fixed) return true;
  }
  std::string_view number = name;
  if (!number.starts_with("logs/honeylink.log.")) return false;
  number.remove_prefix(std::strlen("logs/honeylink.log."));
  if (number.ends_with(".zst")) number.remove_suffix(4);
  return !number.empty() && number.size() <= 20 && number.find_first_not_of("0123456789") == std::string_view::npos;
}

query::Problem ArchiveWriter::failed(std::string why) const {
  return {query::ProblemKind::environment, "cannot write " + path_, std::move(why),
          "is there room, and may you write there?"};
}

std::optional<query::Problem> ArchiveWriter::create(const std::string& path, std::string_view kind) {
  path_ = path;
  if (query::file_exists(path))
    return query::Problem{query::ProblemKind::usage, path + " is there already", "nothing is written over",
                          "name another file"};
  const std::size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  std::string why;
  if (!workshop_.make(parent, kWorkshopPrefix, why)) return failed(why);
  const std::string made = workshop() + "/archive";
  if (!open_file(made, O_RDWR | O_CREAT | O_EXCL, 0600, why)) return failed(why);
  if (connection_.open(made, store::Access::read_write, 0) != SQLITE_OK) return failed(connection_.error());
  const std::string sql =
      "PRAGMA page_size=16384; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;"
      "PRAGMA application_id=" +
      std::to_string(kArchiveApplicationId) + "; PRAGMA user_version=" + std::to_string(kArchiveVersion) +
      ";"
      "CREATE TABLE sqlar(name TEXT PRIMARY KEY, mode INT, mtime INT, sz INT, data BLOB);"
      "CREATE TABLE about(key TEXT PRIMARY KEY, value TEXT NOT NULL);";
  if (connection_.execute(sql.c_str()) != SQLITE_OK) return failed(connection_.error());
  if (auto problem = note("kind", kind)) return problem;
  return note("made", query::format_utc(system_clock().realtime_ns()));
}

std::optional<query::Problem> ArchiveWriter::note(std::string_view key, std::string_view value) {
  store::Statement row = connection_.prepare("INSERT OR REPLACE INTO about VALUES(?, ?)");
  if (!row || row.bind(1, key).bind(2, value).run() != SQLITE_OK) return failed(connection_.error());
  return std::nullopt;
}

bool ArchiveWriter::add_row(std::string_view name, std::uint64_t bytes) {
  store::Statement row = connection_.prepare("INSERT INTO sqlar VALUES(?1, ?2, ?3, ?4, zeroblob(?4))");
  if (!row) return false;
  row.bind(1, name).bind(2, kFileMode).bind(3, system_clock().realtime_ns() / 1'000'000'000).bind(4, bytes);
  ++files_, bytes_ += bytes;
  return row.run() == SQLITE_OK;
}

std::optional<query::Problem> ArchiveWriter::add_file(std::string_view name, const std::string& from,
                                                      const Moved& moved) {
  std::string why;
  const Fd file = open_file(from, O_RDONLY, 0, why);
  if (!file) return failed(why);
  return add_open_file(name, file.get(), from, moved);
}

std::optional<query::Problem> ArchiveWriter::add_open_file(std::string_view name, int file, const std::string& from,
                                                           const Moved& moved) {
  struct stat info {};
  if (::fstat(file, &info) != 0) return failed(std::strerror(errno));
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > kArchivedFileBytesMax) return failed(from + " is larger than an archive's file may be");
  if (!add_row(name, size)) return failed(connection_.error());
  sqlite3_blob* blob = nullptr;
  const sqlite3_int64 row = sqlite3_last_insert_rowid(connection_.get());
  int code = sqlite3_blob_open(connection_.get(), "main", "sqlar", "data", row, 1, &blob);
  std::string chunk(kChunk, '\0');
  bool go_on = true;
  for (std::uint64_t at = 0; code == SQLITE_OK && go_on && at < size;) {
    const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, size - at));
    if (!read_exactly(file, chunk.data(), n, at)) {
      sqlite3_blob_close(blob);
      return failed(from + " became shorter while it was read");
    }
    code = sqlite3_blob_write(blob, chunk.data(), static_cast<int>(n), static_cast<int>(at));
    at += n;
    go_on = moved(n);
  }
  sqlite3_blob_close(blob);
  if (code != SQLITE_OK) return failed(connection_.error());
  if (!go_on) return query::Problem{query::ProblemKind::failed, "interrupted", path_ + " was not made", ""};
  return std::nullopt;
}

std::optional<query::Problem> ArchiveWriter::add_text(std::string_view name, std::string_view content) {
  std::string why;
  const std::string path = workshop() + "/text";
  if (!replace_file(path, content, 0600, why)) return failed(why);
  return add_file(name, path, [](std::uint64_t) { return true; });
}

std::optional<query::Problem> ArchiveWriter::finish() {
  connection_.close();
  std::string why;
  const std::string made = workshop() + "/archive";
  const Fd file = open_file(made, O_RDWR, 0, why);
  if (!file || ::fsync(file.get()) != 0) return failed(why.empty() ? std::strerror(errno) : why);
  if (::link(made.c_str(), path_.c_str()) == 0) return std::nullopt;  // never over a file that came meanwhile
  if (errno == EEXIST) return failed("it appeared meanwhile");
  if (::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) != 0)
    return failed(std::strerror(errno));
  return std::nullopt;
}

}  // namespace honeylink::telemetry::cli
