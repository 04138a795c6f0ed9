// See sql_tables.h. The connection stays read-only: what is attached to it inherits that.
#include "query/sql_tables.h"

#include "query/database.h"
#include "query/paths.h"
#include "query/sql_home.h"

namespace honeylink::telemetry::query {

int add_tables(sqlite3* db, const SqlHome& home) {
  constexpr std::array kTables{add_spans_table, add_logs_table, add_points_table};
  for (const auto add : kTables) {
    if (!add(db, home)) return sqlite3_errcode(db);
  }
  return SQLITE_OK;
}

Answer<store::Connection> open_sql(const std::string& home) {
  const bool metrics = file_exists(metrics_path(home)), traces = file_exists(traces_path(home));
  auto opened = open_database(metrics ? metrics_path(home) : traces_path(home));
  if (!opened.ok()) return opened.problem();
  store::Connection& connection = opened.value();
  if (metrics && traces) {
    store::Statement attach = connection.prepare("ATTACH ?1 AS traces");
    const std::string path = traces_path(home);
    if (!attach || attach.bind(1, std::string_view(path)).run() != SQLITE_OK)
      return database_problem(connection, path, "cannot open " + path);
  }
  if (add_sql(connection.get(), home) != SQLITE_OK)
    return database_problem(connection, metrics_path(home), "cannot add the tables spans, logs and points");
  return std::move(opened.value());
}

}  // namespace honeylink::telemetry::query
