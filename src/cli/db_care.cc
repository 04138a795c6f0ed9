// honeytel db vacuum and db upgrade. Vacuum works beside an engine: it moves pages in short transactions, and the
// engine's own go between them. Upgrade holds the engine's lock.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "base/clock.h"
#include "cli/db_commands.h"
#include "cli/engine_rest.h"
#include "cli/interrupt.h"
#include "cli/listing.h"
#include "cli/progress.h"
#include "query/database.h"
#include "query/paths.h"
#include "query/time_text.h"
#include "store/database.h"
#include "store/upgrade.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr int kBusyTimeoutMs = 2'000;
constexpr std::int64_t kSliceBytes = 512 * 1024;           // of pages: a few milliseconds
constexpr std::int64_t kCheckpointEveryBytes = 4'000'000;  // so that the -wal stays as small as the engine keeps it

struct File {
  const char* store;
  std::string path;
};
std::vector<File> files_of(const std::string& home) {
  std::vector<File> files;
  for (File file : {File{"metrics", query::metrics_path(home)}, File{"traces", query::traces_path(home)}})
    if (query::file_exists(file.path)) files.push_back(std::move(file));
  return files;
}

/// Ours to write, not another user's.
std::optional<query::Problem> open_for_care(const std::string& path, store::Connection& connection) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || info.st_uid != ::geteuid())
    return query::Problem{query::ProblemKind::environment, "this is not yours to change",
                          path + " belongs to another user", "ask its owner"};
  if (connection.open(path, store::Access::read_write, kBusyTimeoutMs) != SQLITE_OK)
    return query::database_problem(connection, path, "cannot open " + path);
  return std::nullopt;
}

struct Vacuumed {
  std::uint64_t before = 0, after = 0;
  bool interrupted = false;
};

/// Free pages go to the end of the file and off it. `go_on`: told the share that is done.
std::optional<query::Problem> vacuum(const std::string& path, const std::function<bool(double)>& go_on,
                                     Vacuumed& done) {
  store::Connection connection;
  if (auto problem = open_for_care(path, connection)) return problem;
  const std::int64_t page = std::max<std::int64_t>(1, connection.integer("PRAGMA page_size", 4096));
  const std::string slice = "PRAGMA incremental_vacuum(" + std::to_string(kSliceBytes / page) + ")";
  const std::int64_t first = connection.integer("PRAGMA freelist_count", 0);
  std::int64_t free = first, moved = 0;
  done.before = store::file_bytes(path) + store::file_bytes(path + "-wal");
  while (free > 0 && !done.interrupted) {
    if (connection.execute(slice.c_str()) != SQLITE_OK)
      return query::database_problem(connection, path, "cannot shrink " + path);
    const std::int64_t now = connection.integer("PRAGMA freelist_count", 0);
    if (now >= free) break;  // the engine frees as fast, or a reader holds the pages
    moved += (free - now) * page;
    free = now;
    if (moved >= kCheckpointEveryBytes)
      moved = 0, static_cast<void>(connection.execute("PRAGMA wal_checkpoint(PASSIVE)"));
    done.interrupted = !go_on(1 - static_cast<double>(free) / static_cast<double>(first));
  }
  static_cast<void>(
      connection.execute("PRAGMA wal_checkpoint(TRUNCATE)"));  // a reader may hold it up: the next one does it
  done.after = store::file_bytes(path) + store::file_bytes(path + "-wal");
  return std::nullopt;
}

Cell bytes_cell(std::uint64_t bytes) { return json_cell(std::to_string(bytes), query::format_bytes(bytes)); }

}  // namespace

int db_vacuum(Call& call, const std::string& home) {
  if (const auto newer = newer_store(home)) return report(call.terminal, *newer);
  const Interrupt interrupt;
  Progress progress(call.terminal, "giving pages back");
  Listing listing({{"store", "store"}, {"bytes_before", "before", true}, {"bytes_after", "after", true}});
  const std::vector<File> files = files_of(home);
  bool interrupted = false;
  for (std::size_t i = 0; i < files.size() && !interrupted; ++i) {
    Vacuumed done;
    const auto problem = vacuum(
        files[i].path,
        [&](double share) {
          progress.update((static_cast<double>(i) + share) / static_cast<double>(files.size()));
          return !interrupt.asked();
        },
        done);
    if (problem) return progress.clear(), report(call.terminal, *problem);
    interrupted = done.interrupted || interrupt.asked();
    listing.add({text_cell(files[i].store), bytes_cell(done.before), bytes_cell(done.after)});
  }
  progress.clear();
  listing.print(call, "vacuumed", listing.size());
  if (interrupted) call.terminal.say("interrupted; what was given back stays so, and the stores are whole");
  return interrupted ? kInterrupted : kOk;
}

int db_upgrade(Call& call, const std::string& home) {
  const std::vector<File> files = files_of(home);
  if (const auto newer = newer_store(home)) return report(call.terminal, *newer);
  engine::Election election(home, engine::Mode::agent, system_clock());
  if (const auto held = hold_engine(election, home)) return report(call.terminal, *held);
  const Interrupt interrupt;
  Progress progress(call.terminal, "upgrading");
  Listing listing({{"store", "store"}, {"from", "from", true}, {"to", "to", true}, {"result", "result"}});
  for (std::size_t i = 0; i < files.size(); ++i) {
    const store::Upgraded done = store::upgrade_database(files[i].path, store::upgrade_steps(), [&](double share) {
      progress.update((static_cast<double>(i) + share) / static_cast<double>(files.size()));
      return !interrupt.asked();
    });
    if (interrupt.asked() && done.result == store::Upgraded::Result::failed) {
      progress.clear();
      call.terminal.say("interrupted; " + files[i].path + " is as it was");
      return kInterrupted;
    }
    if (done.result == store::Upgraded::Result::failed || done.result == store::Upgraded::Result::newer) {
      progress.clear();
      const bool newer = done.result == store::Upgraded::Result::newer;
      return report(call.terminal,
                    {newer ? query::ProblemKind::environment : query::ProblemKind::busy,
                     "cannot upgrade " + files[i].path, done.why, "it is as it was; honeytel db check looks at it"});
    }
    listing.add({text_cell(files[i].store), count_cell(static_cast<std::uint64_t>(done.from)),
                 count_cell(static_cast<std::uint64_t>(done.to)),
                 text_cell(done.result == store::Upgraded::Result::upgraded ? "upgraded" : "current")});
  }
  progress.clear();
  listing.print(call, "upgraded", listing.size());
  return kOk;
}

}  // namespace honeylink::telemetry::cli
