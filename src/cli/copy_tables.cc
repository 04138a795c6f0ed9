// See copy_tables.h.
#include "cli/copy_tables.h"

#include <fcntl.h>

#include "base/file.h"
#include "query/database.h"

namespace honeylink::telemetry::cli {
namespace {

/// As SQLite writes these statements into a schema.
bool makes_a_table(std::string_view sql) noexcept {
  return sql.starts_with("CREATE TABLE ") || sql.starts_with("CREATE INDEX ") ||
         sql.starts_with("CREATE UNIQUE INDEX ");
}

}  // namespace

std::optional<query::Problem> make_like(store::Connection& from, const std::string& path, store::Connection& to) {
  std::string why;
  if (!open_file(path, O_RDWR | O_CREAT | O_EXCL, 0600, why))
    return query::Problem{query::ProblemKind::environment, "cannot write " + path, why, ""};
  if (to.open(path, store::Access::read_write, 0) != SQLITE_OK)
    return query::database_problem(to, path, "cannot write " + path);
  std::string sql = "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;";
  for (const char* number : {"page_size", "application_id", "user_version"}) {
    sql +=
        std::string("PRAGMA ") + number + "=" + std::to_string(from.integer(std::string("PRAGMA ") + number, 0)) + ";";
  }
  sql += "BEGIN;";
  if (to.execute(sql.c_str()) != SQLITE_OK) return query::database_problem(to, path, "cannot write " + path);
  store::Statement rows = from.prepare(
      "SELECT sql FROM sqlite_schema WHERE type IN ('table', 'index') AND name NOT LIKE 'sqlite%' AND sql IS NOT NULL "
      "ORDER BY type "
      "DESC, rowid");
  int code = SQLITE_MISUSE;
  while (rows && (code = rows.step()) == SQLITE_ROW) {
    // The file may come from anybody, and what stands behind the first statement would be run, too: prepare() takes
    // one.
    const std::string_view text = rows.text(0);
    if (!makes_a_table(text))
      return query::Problem{query::ProblemKind::busy, "cannot read the tables", "one is made by no CREATE TABLE",
                            "honeytel db check looks at it"};
    store::Statement make = to.prepare(text);
    if (!make || make.run() != SQLITE_OK) return query::database_problem(to, path, "cannot write " + path);
  }
  if (code != SQLITE_DONE) return query::database_problem(from, path, "cannot read the tables");
  return std::nullopt;
}

bool copy_rows(store::Connection& from, store::Connection& to, const std::string& table, const std::string& where,
               std::int64_t first, std::int64_t second) {
  store::Statement rows = from.prepare("SELECT * FROM \"" + table + "\" WHERE " + where);
  if (!rows) return false;
  const int columns = sqlite3_column_count(rows.get());
  std::string places;
  for (int i = 0; i < columns; ++i) places += i == 0 ? "?" : ", ?";
  store::Statement insert = to.prepare("INSERT OR IGNORE INTO \"" + table + "\" VALUES(" + places + ")");
  if (!insert) return false;
  if (sqlite3_bind_parameter_count(rows.get()) > 0) rows.bind(1, first);
  if (sqlite3_bind_parameter_count(rows.get()) > 1) rows.bind(2, second);
  int code = SQLITE_DONE;
  while ((code = rows.step()) == SQLITE_ROW) {
    for (int i = 0; i < columns; ++i) sqlite3_bind_value(insert.get(), i + 1, sqlite3_column_value(rows.get(), i));
    if (insert.run() != SQLITE_OK) return false;
  }
  return code == SQLITE_DONE;
}

}  // namespace honeylink::telemetry::cli
