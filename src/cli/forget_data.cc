// See forget_data.h.
#include "cli/forget_data.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>

#include "base/file.h"
#include "base/utc.h"
#include "cli/forget_traces.h"
#include "query/database.h"
#include "query/log_reader.h"
#include "query/paths.h"
#include "query/rings.h"
#include "store/log_state.h"
#include "store/segment_cut.h"
#include "store/sqlite.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::int64_t kAll = INT64_MAX;
constexpr int kBusyTimeoutMs = 2'000;
constexpr int kCompressionLevel = 3;

/// Runs one statement with the moment as its only value; adds the rows to `count`.
bool erase(store::Connection& connection, const char* sql, std::int64_t moment, std::uint64_t& count) {
  store::Statement statement = connection.prepare(sql);
  if (!statement || statement.bind(1, moment).run() != SQLITE_OK) return false;
  count += static_cast<std::uint64_t>(connection.changes());
  return true;
}

template <class Erase>
std::optional<query::Problem> rewrite(const std::string& path, Erase&& erase_rows) {
  if (!query::file_exists(path)) return std::nullopt;
  store::Connection connection;
  const bool opened = connection.open(path, store::Access::read_write, kBusyTimeoutMs) == SQLITE_OK;
  if (!opened || connection.execute("PRAGMA secure_delete=ON; BEGIN IMMEDIATE") != SQLITE_OK ||
      !erase_rows(connection) || connection.execute("COMMIT") != SQLITE_OK) {
    return query::database_problem(connection, path, "could not forget in " + path);
  }
  if (connection.execute("VACUUM") != SQLITE_OK)
    return query::database_problem(connection, path, "the rows are gone, but " + path + " could not be rewritten");
  // A reader with an open transaction holds this up, which is no error of SQLite's: its first column tells.
  if (connection.integer("PRAGMA wal_checkpoint(TRUNCATE)", 1) != 0) {
    return query::Problem{query::ProblemKind::busy, "the rows are gone, but their bytes are still in " + path,
                          "another program reads it and holds an older state of it",
                          "end that program, then run honeytel forget again"};
  }
  return std::nullopt;
}

std::optional<query::Problem> forget_traces(const std::string& home, std::int64_t before, Forgotten& gone) {
  return rewrite(query::traces_path(home),
                 [&](store::Connection& c) { return forget_spans(c, before, gone.trace_blocks); });
}

/// Segments that reach over the moment keep what is younger; a damaged one goes whole.
bool cut_segments(store::Connection& c, std::int64_t before_s, std::uint64_t& count) {
  std::vector<std::int64_t> ids;
  store::Statement rows = c.prepare("SELECT id FROM seg WHERE t0 < ?1 AND t1 > ?1");
  rows.bind(1, before_s);
  while (rows && rows.step() == SQLITE_ROW) ids.push_back(rows.integer(0));
  rows = store::Statement();
  store::Statement read = c.prepare("SELECT data FROM seg WHERE id=?1"),
                   write = c.prepare("UPDATE seg SET data=?2, n=?3 WHERE id=?1"),
                   remove = c.prepare("DELETE FROM seg WHERE id=?1");
  for (const std::int64_t id : ids) {
    if (read.bind(1, id).step() != SQLITE_ROW) return false;
    const auto cut = store::cut_segment(read.blob(0), before_s);
    read.reset();
    const bool done = cut && !cut->blob.empty()
                          ? write.bind(1, id).bind(2, std::span(cut->blob)).bind(3, cut->points).run() == SQLITE_OK
                          : remove.bind(1, id).run() == SQLITE_OK;
    if (!done) return false;
    ++count;
  }
  return true;
}

std::optional<query::Problem> forget_metrics(const std::string& home, std::int64_t before, Forgotten& gone) {
  const std::int64_t before_s = before == kAll ? kAll : before / 1'000'000'000;
  return rewrite(query::metrics_path(home), [&](store::Connection& c) {
    const char* kPoints = "SELECT (SELECT coalesce(sum(n), 0) FROM hot) + (SELECT coalesce(sum(n), 0) FROM seg)";
    const std::int64_t points = c.integer(kPoints, 0);
    bool done = erase(c, "DELETE FROM hot WHERE tick < ?1", before_s, gone.metric_ticks) &&
                erase(c, "DELETE FROM seg WHERE t1 <= ?1", before_s, gone.metric_ticks) &&
                (before == kAll || cut_segments(c, before_s, gone.metric_ticks));
    // The ledger goes on adding up: what was forgotten was stored once.
    store::Statement count =
        c.prepare("INSERT INTO counts(name, n) VALUES('expired', ?1) ON CONFLICT(name) DO UPDATE SET n=n+excluded.n");
    done = done && count && count.bind(1, points - c.integer(kPoints, 0)).run() == SQLITE_OK;
    if (!done) return false;
    if (before != kAll) {
      // Times stand as text that sorts as they do; an alert that still fires is of now.
      const std::string moment = format_utc(before);
      store::Statement old = c.prepare("DELETE FROM alerts WHERE timestamp < ?1 AND cleared_at IS NOT NULL");
      return old && old.bind(1, std::string_view(moment)).run() == SQLITE_OK;
    }
    const bool has_state = c.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'sli_state'", 0) != 0;
    return (!has_state || c.execute("DELETE FROM sli_state") == SQLITE_OK) &&
           c.execute(
               "DELETE FROM series; DELETE FROM alerts; DELETE FROM slis; "
               "DELETE FROM meta WHERE key IN ('sli_commit', 'alerts_untold')") == SQLITE_OK;
  });
}

std::string compressed(const std::string& text) {
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), kCompressionLevel));
  return packed;
}

/// Tells the log's state which file it speaks of now: all of it counts, nothing is lost.
bool adopt_newest(const std::string& home) {
  std::string why;
  const Fd file = open_file(query::log_path(home), O_RDONLY, 0, why),
           slots = open_file(query::logs_directory(home) + "/state", O_RDWR, 0, why);
  struct stat info {};
  store::LogState state;
  if (!file || !slots || ::fstat(file.get(), &info) != 0 || !store::read_log_state(slots.get(), state)) return !slots;
  state.inode = info.st_ino;
  state.committed = state.durable = static_cast<std::uint64_t>(info.st_size);
  state.tail_crc = 0;
  state.durable_stored = state.counts.stored;
  ++state.sequence;
  return store::write_log_state(slots.get(), store::encode_log_state(state), state.sequence) &&
         ::fdatasync(slots.get()) == 0;
}

/// Keeps the lines from `before` on.
std::optional<query::Problem> forget_lines(const std::string& home, const query::LogFile& file, std::int64_t before,
                                           bool newest, Forgotten& gone) {
  std::string kept;
  std::uint64_t lines = 0;
  const auto problem = query::read_log_file(file, [&](std::string_view line) {
    const query::LogLine parsed = query::parse_log_line(line);
    if (before != kAll && parsed.sound && parsed.time_unix_ns >= before) kept.append(line) += '\n';
    else ++lines;
    return true;
  });
  if (problem && before != kAll)
    return problem;  // what cannot be read cannot be told old from new; `--all` takes it whole
  gone.log_lines += lines;
  if (lines == 0 && before != kAll) return std::nullopt;
  std::string why;
  if (kept.empty() && !newest) {
    if (::unlink(file.path.c_str()) == 0) return std::nullopt;
    return query::Problem{query::ProblemKind::environment, "cannot remove " + file.path,
                          "its directory cannot be written", "honeytel doctor checks owners and modes"};
  }
  // While the old file is held its inode cannot be given to the new one: a state that a kill leaves unwritten then
  // speaks of neither.
  const Fd held = open_file(file.path, O_RDONLY, 0, why);
  const bool replaced = replace_file(file.path, file.compressed ? compressed(kept) : kept, 0644, why);
  if (replaced && (!newest || adopt_newest(home))) return std::nullopt;
  return query::Problem{query::ProblemKind::environment, "cannot rewrite " + file.path, why,
                        "honeytel doctor checks owners and modes"};
}

void remove_quarantined(const std::string& directory, Forgotten& gone) {
  DIR* entries = ::opendir(directory.c_str());
  if (entries == nullptr) return;
  while (const dirent* entry = ::readdir(entries)) {
    const std::string name = entry->d_name;
    if (name.find(".corrupt-") == std::string::npos) continue;
    if (::unlink((directory + "/" + name).c_str()) == 0) ++gone.other_files;
  }
  ::closedir(entries);
}

}  // namespace

query::Answer<Forgotten> forget_data(const std::string& home, std::int64_t before,
                                     const std::function<void(double)>& progress) {
  Forgotten gone;
  // What one store refuses is no reason to keep what is in the others.
  std::optional<query::Problem> first;
  const auto note = [&first](std::optional<query::Problem> problem) {
    if (problem && !first) first = std::move(problem);
  };
  note(forget_traces(home, before, gone));
  progress(0.4);
  note(forget_metrics(home, before, gone));
  progress(0.7);
  const std::vector<query::LogFile> files = query::list_log_files(home);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const bool newest = i + 1 == files.size() && files[i].path == query::log_path(home);
    note(forget_lines(home, files[i], before, newest, gone));
    progress(0.7 + 0.3 * static_cast<double>(i + 1) / static_cast<double>(files.size()));
  }
  if (before == kAll) {
    remove_quarantined(home + "/metrics", gone);
    remove_quarantined(query::logs_directory(home), gone);
    for (const ring::RingFile& file : ring::list_rings(home)) {
      if (!file.alive && ring::unlink_ring(file.directory, file.name)) ++gone.rings;
    }
  }
  if (first) return *first;
  return gone;
}

}  // namespace honeylink::telemetry::cli
