// honeytel db backup: everything that is stored, in one file. Each database is copied page by page out of one
// snapshot, so that an engine may go on; a snapshot is held for as long as the copy takes.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/archive.h"
#include "cli/db_commands.h"
#include "cli/interrupt.h"
#include "cli/listing.h"
#include "cli/progress.h"
#include "query/database.h"
#include "query/log_reader.h"
#include "query/paths.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr int kPagesAtOnce = 512;

/// How far it has come, in bytes; false: stop.
class Steps {
 public:
  Steps(Progress& progress, const Interrupt& interrupt, std::uint64_t all)
      : progress_(progress), interrupt_(interrupt), all_(all) {}
  bool moved(std::uint64_t bytes) {
    done_ += bytes;
    progress_.update(static_cast<double>(done_) / static_cast<double>(all_ == 0 ? 1 : all_));
    return !interrupt_.asked();
  }

 private:
  Progress& progress_;
  const Interrupt& interrupt_;
  std::uint64_t all_, done_ = 0;
};

query::Problem interrupted(const std::string& path) {
  return {query::ProblemKind::failed, "interrupted", path + " was not made", ""};
}

std::optional<query::Problem> copy_database(const std::string& path, const std::string& to, Steps& steps) {
  auto opened = query::open_database(path);
  if (!opened.ok()) return opened.problem();
  store::Connection& from = opened.value();
  // Without a snapshot each commit of the engine would send the copy back to its beginning.
  if (from.execute("BEGIN") != SQLITE_OK || from.integer("SELECT count(*) FROM sqlite_schema", -1) < 0)
    return query::database_problem(from, path, "cannot read " + path);
  const auto page = static_cast<std::uint64_t>(from.integer("PRAGMA page_size", 4096));
  std::string why;
  store::Connection copy;
  if (!open_file(to, O_RDWR | O_CREAT | O_EXCL, 0600, why) ||
      copy.open(to, store::Access::read_write, 0) != SQLITE_OK ||
      copy.execute("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF") != SQLITE_OK)
    return query::Problem{query::ProblemKind::environment, "cannot write " + to, why.empty() ? copy.error() : why, ""};
  sqlite3_backup* backup = sqlite3_backup_init(copy.get(), "main", from.get(), "main");
  int code = backup == nullptr ? SQLITE_ERROR : SQLITE_OK;
  bool go_on = true;
  while (code == SQLITE_OK && go_on) {
    code = sqlite3_backup_step(backup, kPagesAtOnce);
    go_on = steps.moved(page * kPagesAtOnce);
  }
  if (backup != nullptr) sqlite3_backup_finish(backup);
  if (code == SQLITE_DONE) return std::nullopt;
  return go_on ? query::database_problem(copy, to, "cannot copy " + path) : interrupted(to);
}

/// Whole lines of the log that the engine writes.
std::optional<query::Problem> copy_newest_log(const query::HeldLog& log, const std::string& to) {
  std::string lines, why;
  const auto problem =
      query::read_log_file(log, [&](std::string_view line) { return lines.append(line) += '\n', true; });
  if (problem) return problem;
  if (!replace_file(to, lines, 0600, why))
    return query::Problem{query::ProblemKind::environment, "cannot write " + to, why, ""};
  return std::nullopt;
}

std::optional<query::Problem> back_up(const std::string& home, const std::string& path, Steps& steps,
                                      ArchiveWriter& archive) {
  if (auto problem = archive.create(path, "backup")) return problem;
  const auto moved = [&](std::uint64_t bytes) { return steps.moved(bytes); };
  const std::string copy = archive.workshop() + "/copy";
  for (const char* name : {"metrics/metrics.db", "metrics/traces.db"}) {
    const std::string from = home + '/' + name;
    if (!query::file_exists(from)) continue;
    if (auto problem = copy_database(from, copy, steps)) return problem;
    if (auto problem = archive.add_file(name, copy, moved)) return problem;
    ::unlink(copy.c_str());
  }
  const auto logs = query::hold_log_files(home);
  if (!logs.ok()) return logs.problem();
  for (const query::HeldLog& log : logs.value()) {
    const std::string& from = log.file.path;
    const std::string name = "logs" + from.substr(from.rfind('/'));
    const bool newest = from == query::log_path(home);
    if (newest) {
      if (auto problem = copy_newest_log(log, copy)) return problem;
    }
    if (auto problem =
            newest ? archive.add_file(name, copy, moved) : archive.add_open_file(name, log.fd.get(), from, moved))
      return problem;
  }
  if (query::file_exists(home + "/config.toml")) {
    if (auto problem = archive.add_file("config.toml", home + "/config.toml", moved)) return problem;
  }
  return archive.finish();
}

std::uint64_t bytes_of(const std::string& path) noexcept {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

}  // namespace

int db_backup(Call& call, const std::string& home) {
  const std::string path = call.argument(1);
  if (path.empty())
    return report(call.terminal, usage_problem("into which file?", {}, "honeytel db backup ~/honeylink.backup"));
  std::uint64_t all = 2 * (bytes_of(query::metrics_path(home)) + bytes_of(query::traces_path(home)));
  for (const query::LogFile& log : query::list_log_files(home)) all += log.bytes;
  const Interrupt interrupt;
  std::optional<query::Problem> failed;
  std::uint64_t bytes = 0;
  {
    Progress progress(call.terminal, "backing up");
    Steps steps(progress, interrupt, all);
    ArchiveWriter archive;
    failed = back_up(home, path, steps, archive);
    bytes = archive.bytes();
  }
  if (failed && interrupt.asked()) {
    call.terminal.say("interrupted; no backup was made, and the stores are as they were");
    return kInterrupted;
  }
  if (failed) return report(call.terminal, *failed);
  Listing listing({{"path", "backup", false, true}, {"bytes", "bytes", true}});
  listing.add({text_cell(path), json_cell(std::to_string(bytes), query::format_bytes(bytes))});
  listing.print(call, "backups", 1);
  return kOk;
}

}  // namespace honeylink::telemetry::cli
