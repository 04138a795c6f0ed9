// The tables `spans`, `logs` and `points` for SQL: what the stores keep in blobs and files, as rows (docs/cli.md,
// "sql"). Added to a connection; they read the home anew for every query.
#pragma once
#include <string>

#include "query/problem.h"
#include "query/table_module.h"
#include "store/sqlite.h"

namespace honeylink::telemetry::query {

/// A read-only connection that has the plain tables of metrics.db and (as `traces`) of traces.db, and the three above.
[[nodiscard]] Answer<store::Connection> open_sql(const std::string& home);

/// All tables that stores keep in blobs and files; SQLite's result code. The home may change between two statements.
[[nodiscard]] int add_tables(sqlite3* db, const SqlHome& home);

/// Each adds one table to a connection; false where SQLite refuses.
bool add_spans_table(sqlite3* db, const SqlHome& home);
bool add_logs_table(sqlite3* db, const SqlHome& home);
bool add_points_table(sqlite3* db, const SqlHome& home);

}  // namespace honeylink::telemetry::query
