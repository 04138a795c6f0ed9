// See db_stats.h. length() of a blob is read off its row's head: no blob is.
#include "query/db_stats.h"

#include <sys/stat.h>

#include <array>

#include "query/database.h"
#include "query/log_reader.h"
#include "query/paths.h"
#include "query/time_text.h"

namespace honeylink::telemetry::query {
namespace {

enum class Times : std::uint8_t { seconds, nanoseconds };

/// One answer of rows, items, bytes, oldest, newest.
struct Question {
  const char *table, *tier, *unit, *sql;
  Times times;
};

constexpr std::array<Question, 8> kMetrics{{
    {"series", "", "", "SELECT count(*), 0, sum(length(name) + length(labels) + length(resource)) FROM series",
     Times::nanoseconds},
    {"hot", "10 s", "points", "SELECT count(*), sum(n), sum(length(data)), min(tick), max(tick) FROM hot",
     Times::seconds},
    {"seg", "10 s", "points", "SELECT count(*), sum(n), sum(length(data)), min(t0), max(t1) FROM seg WHERE tier = 0",
     Times::seconds},
    {"seg", "1 min", "points", "SELECT count(*), sum(n), sum(length(data)), min(t0), max(t1) FROM seg WHERE tier = 1",
     Times::seconds},
    {"seg", "1 h", "points", "SELECT count(*), sum(n), sum(length(data)), min(t0), max(t1) FROM seg WHERE tier = 2",
     Times::seconds},
    {"ledger", "", "", "SELECT count(*), 0, sum(length(dropped) + 32), min(tick), max(tick) FROM ledger",
     Times::seconds},
    {"alerts", "", "", "SELECT count(*) FROM alerts", Times::nanoseconds},
    {"slis", "", "", "SELECT count(*) FROM slis", Times::nanoseconds},
}};
constexpr std::array<Question, 8> kTraces{{
    {"hot", "", "spans", "SELECT count(*), sum(n), sum(length(data)), min(t0), max(t1) FROM hot", Times::nanoseconds},
    {"blk", "", "spans", "SELECT count(*), sum(n), sum(length(data) + length(zone)), min(t0), max(t1) FROM blk",
     Times::nanoseconds},
    {"trace_range", "", "", "SELECT count(*), 0, count(*) * 16 FROM trace_range", Times::nanoseconds},
    {"foreign_ids", "", "", "SELECT count(*), 0, sum(length(filter)) FROM foreign_ids", Times::nanoseconds},
    {"str", "", "", "SELECT count(*), 0, sum(length(text)) FROM str", Times::nanoseconds},
    {"val", "", "", "SELECT count(*), 0, sum(length(data)) FROM val", Times::nanoseconds},
    {"idkey", "", "", "SELECT count(*), 0, sum(length(resource) + 64), min(started), max(started) FROM idkey",
     Times::nanoseconds},
    {"crash", "", "", "SELECT count(*), 0, 0, min(died), max(died) FROM crash", Times::nanoseconds},
}};

std::uint64_t size_of(const std::string& path) noexcept {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

std::optional<Problem> read_database(const char* store, const std::string& path, std::span<const Question> questions,
                                     std::vector<TableStats>& to) {
  auto opened = open_database(path);
  if (!opened.ok())
    return opened.problem().kind == ProblemKind::not_found ? std::nullopt : std::optional(opened.problem());
  store::Connection& connection = opened.value();
  connection.execute("BEGIN");  // one moment for all tables
  for (const Question& question : questions) {
    store::Statement row = connection.prepare(question.sql);
    if (!row) continue;  // a table of a later version that this file lacks
    if (row.step() != SQLITE_ROW) return database_problem(connection, path, "cannot read " + path);
    const auto time_of = [&](std::int64_t stored) {
      return question.times == Times::seconds ? seconds_as_ns(stored) : stored;
    };
    to.push_back({store, question.table, question.tier, row.number(0), question.unit, row.number(1), row.number(2),
                  time_of(row.integer(3)), time_of(row.integer(4))});
  }
  const std::int64_t page = connection.integer("PRAGMA page_size", 0);
  const std::int64_t free = connection.integer("PRAGMA freelist_count", 0);
  to.push_back(
      {store, "free", "", static_cast<std::uint64_t>(free), "", 0, static_cast<std::uint64_t>(free * page), 0, 0});
  to.push_back({store, "file", "", 1, "", 0, size_of(path) + size_of(path + "-wal") + size_of(path + "-shm"), 0, 0});
  return std::nullopt;
}

}  // namespace

Answer<std::vector<TableStats>> read_table_stats(const std::string& home) {
  std::vector<TableStats> stats;
  if (auto problem = read_database("metrics", metrics_path(home), kMetrics, stats)) return *problem;
  if (auto problem = read_database("traces", traces_path(home), kTraces, stats)) return *problem;
  TableStats logs{"logs", "file", "", 0, "", 0, 0, 0, 0};
  for (const LogFile& file : list_log_files(home)) ++logs.rows, logs.bytes += file.bytes;
  if (logs.rows != 0) stats.push_back(logs);
  return stats;
}

}  // namespace honeylink::telemetry::query
