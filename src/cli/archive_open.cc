// Opening an archive that may come from anybody: see archive.h.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "cli/archive.h"
#include "query/database.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::size_t kChunk = 1 << 20;
constexpr std::string_view kPrefix = "honeytel-home-";

std::string temporary_directory() {
  const char* const named = std::getenv("TMPDIR");
  return named != nullptr && *named == '/' ? named : "/tmp";
}

query::Problem not_an_archive(const std::string& archive, std::string why) {
  return {query::ProblemKind::busy, archive + " is no home and no bundle of one", std::move(why),
          "honeytel bundle and honeytel db backup make them"};
}

struct Held {
  std::int64_t row = 0, bytes = 0;
  std::string name;
};

/// What the archive says it holds, checked.
std::optional<query::Problem> list(const std::string& archive, store::Connection& connection, std::vector<Held>& to) {
  if (connection.integer("PRAGMA application_id", 0) != kArchiveApplicationId)
    return not_an_archive(archive, "it has another kind of content");
  if (connection.integer("PRAGMA user_version", 0) > kArchiveVersion)
    return query::Problem{query::ProblemKind::environment, archive + " needs a newer honeytel",
                          "it is of a later version", ""};
  if (connection.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'sqlar' AND type = 'table' AND rootpage > 0",
                         0) != 1)
    return not_an_archive(archive, "it has no table of files");
  store::Statement rows = connection.prepare("SELECT rowid, name, sz, length(data) FROM sqlar LIMIT " +
                                             std::to_string(kArchiveFilesMax + 1));
  int code = SQLITE_MISUSE;
  // A crafted file may tell one chain of pages to be many blobs, or a ring of them to be a long one.
  std::int64_t room = connection.integer("PRAGMA page_count", 0) * connection.integer("PRAGMA page_size", 0);
  while (rows && (code = rows.step()) == SQLITE_ROW) {
    Held held{rows.integer(0), rows.integer(2), std::string(rows.text(1))};
    const bool known = is_archived_name(held.name) &&
                       std::none_of(to.begin(), to.end(), [&](const Held& h) { return h.name == held.name; });
    if (!known || to.size() == kArchiveFilesMax) return not_an_archive(archive, "it holds a file that no home has");
    if (held.bytes < 0 || held.bytes > static_cast<std::int64_t>(kArchivedFileBytesMax) ||
        held.bytes != rows.integer(3) || held.bytes > room)
      return not_an_archive(archive, "the size of a file in it does not fit");
    room -= held.bytes;
    to.push_back(std::move(held));
  }
  if (code != SQLITE_DONE) return query::database_problem(connection, archive, "cannot read " + archive);
  return std::nullopt;
}

/// Empty: written. Otherwise what stood in the way.
std::string unpack(store::Connection& connection, const Held& held, const std::string& to) {
  std::string why;
  const Fd file = open_file(to, O_RDWR | O_CREAT | O_EXCL, 0600, why);
  if (!file) return why;
  sqlite3_blob* blob = nullptr;
  int code = sqlite3_blob_open(connection.get(), "main", "sqlar", "data", held.row, 0, &blob);
  if (code == SQLITE_OK && sqlite3_blob_bytes(blob) != held.bytes) code = SQLITE_CORRUPT;
  std::string chunk(kChunk, '\0');
  for (std::int64_t at = 0; code == SQLITE_OK && at < held.bytes;) {
    const auto n = static_cast<int>(std::min<std::int64_t>(kChunk, held.bytes - at));
    code = sqlite3_blob_read(blob, chunk.data(), n, static_cast<int>(at));
    if (code == SQLITE_OK &&
        !write_exactly(file.get(), chunk.data(), static_cast<std::size_t>(n), static_cast<std::uint64_t>(at))) {
      sqlite3_blob_close(blob);
      return to + ": " + std::strerror(errno);
    }
    at += n;
  }
  sqlite3_blob_close(blob);
  return code == SQLITE_OK ? std::string() : connection.error();
}

}  // namespace

query::Answer<std::unique_ptr<UnpackedHome>> UnpackedHome::open(const std::string& archive) {
  auto opened = query::open_database(archive);
  if (!opened.ok()) {
    if (opened.problem().kind == query::ProblemKind::busy) return not_an_archive(archive, opened.problem().why);
    return opened.problem();
  }
  std::vector<Held> files;
  if (auto problem = list(archive, opened.value(), files)) return *problem;
  const std::string parent = temporary_directory();
  const auto cannot = [&](std::string why) {
    return query::Problem{query::ProblemKind::environment, "cannot unpack " + archive, std::move(why),
                          "it needs as much room as the archive has, in " + parent};
  };
  std::unique_ptr<UnpackedHome> home(new UnpackedHome);
  std::string why;
  if (!home->directory_.make(parent, kPrefix, why)) return cannot(why);
  const std::string& directory = home->path();
  for (const char* room : {"/metrics", "/logs"}) {
    if (::mkdir((directory + room).c_str(), 0700) != 0) return cannot(std::strerror(errno));
  }
  for (const Held& held : files) {
    why = unpack(opened.value(), held, directory + '/' + held.name);
    if (!why.empty()) return cannot(why);
  }
  return home;
}

}  // namespace honeylink::telemetry::cli
