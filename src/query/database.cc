// SQLite for readers: see database.h.
#include "query/database.h"

#include <sys/stat.h>

namespace honeylink::telemetry::query {
namespace {

constexpr int kBusyTimeoutMs = 2'000;  // an engine's commit takes milliseconds; who holds longer is named by doctor

ProblemKind kind_of(int code) noexcept {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ProblemKind::busy;
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      return ProblemKind::environment;
    default:
      return ProblemKind::failed;
  }
}

std::string advice_of(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another program holds it: honeytel doctor names it; then try again";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "the engine puts a damaged file aside at its next start: honeytel agent";
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      return "honeytel doctor checks owners and modes";
    default:
      return {};
  }
}

Problem problem_of(int code, const std::string& path, std::string what, std::string why) {
  if (code == SQLITE_CANTOPEN_SYMLINK) {
    return {ProblemKind::environment, std::move(what), path + " is a symbolic link, or below one",
            "put the real file or directory in its place"};
  }
  return {kind_of(code), std::move(what), std::move(why), advice_of(code)};
}

}  // namespace

Answer<store::Connection> open_database(const std::string& path) {
  const Problem nothing{ProblemKind::not_found, "nothing is stored yet", path + " is not there",
                        "start with: honeytel demo, or honeytel agent"};
  if (!file_exists(path)) return nothing;
  store::Connection connection;
  const int code = connection.open(path, store::Access::read_only, kBusyTimeoutMs);
  if (code != SQLITE_OK) return problem_of(code, path, "cannot open " + path, connection.error());
  const std::int64_t tables = connection.integer("SELECT count(*) FROM sqlite_schema", -1);
  if (tables < 0) return problem_of(connection.result(), path, "cannot read " + path, connection.error());
  if (tables == 0) return nothing;  // an engine makes it this very moment
  return connection;
}

Answer<store::Connection> open_memory_database() {
  store::Connection connection;
  const int code = connection.open(":memory:", store::Access::read_write, kBusyTimeoutMs);
  if (code != SQLITE_OK) return problem_of(code, ":memory:", "cannot open a database in memory", connection.error());
  return connection;
}

Problem database_problem(const store::Connection& connection, const std::string& path, std::string what) {
  return problem_of(connection.result(), path, std::move(what), connection.error());
}

bool file_exists(const std::string& path) noexcept {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

std::uint64_t file_stamp(const std::string& path) noexcept {
  constexpr std::uint64_t kMix = 0x9e37'79b9'7f4a'7c15ULL;
  std::uint64_t stamp = 0;
  for (const char* suffix : {"", "-wal"}) {
    struct stat info {};
    if (::stat((path + suffix).c_str(), &info) != 0) continue;
    stamp = stamp * kMix + static_cast<std::uint64_t>(info.st_size);
    stamp = stamp * kMix + static_cast<std::uint64_t>(info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec) +
            info.st_ino;
  }
  return stamp;
}

}  // namespace honeylink::telemetry::query
