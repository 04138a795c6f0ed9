// Which home the tables of a connection read, when another program opened it: the home of the database that it opened,
// else $HONEYLINK_HOME, else ~/.honeylink; honeytel_home('DIR') names another.
#pragma once
#include <string>

#include "store/sqlite.h"

namespace honeylink::telemetry::query {

/// The home whose metrics/metrics.db or metrics/traces.db this is; empty: of none.
[[nodiscard]] std::string home_of_database(const std::string& path);

/// The home that a connection of another program is about.
[[nodiscard]] std::string home_of_connection(sqlite3* db);

/// Everything that SQL over a home has: the tables of sql_tables.h, the functions of sql_functions.h and
/// honeytel_home() and honeytel_damaged(). SQLite's result code.
[[nodiscard]] int add_sql(sqlite3* db, const std::string& home);

}  // namespace honeylink::telemetry::query
