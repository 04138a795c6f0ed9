// honeytel_sql.so: the tables and functions of `honeytel sql` for every program that has SQLite (docs/cli.md, "SQL").
// SQLite calls the one function below, on a connection of the host and on the host's thread.
#define SQLITE_CORE 1
#include "extension/host_sqlite.h"
#include "query/sql_home.h"

namespace {

using namespace honeylink::telemetry;

constexpr int kOldest = 3'031'000;  // the first with SQLITE_VTAB_DIRECTONLY and SQLITE_OPEN_NOFOLLOW

int load(sqlite3* db, char** error, const sqlite3_api_routines* api) noexcept {
  const auto refuse = [&](const char* why) {
    if (error != nullptr) *error = api->mprintf("honeytel_sql: %s", why);
    return SQLITE_ERROR;
  };
  if (api->libversion_number() < kOldest) return refuse("this needs SQLite 3.31 or newer");
  if (!extension::use_host(api)) return refuse("another SQLite of this process has loaded it already");
  try {
    return query::add_sql(db, query::home_of_connection(db));
  } catch (...) { return SQLITE_NOMEM; }
}

}  // namespace

/// The name that SQLite makes of the file's, and the one that it tries first.
extern "C" __attribute__((visibility("default"))) int sqlite3_honeytelsql_init(sqlite3* db, char** error,
                                                                               const sqlite3_api_routines* api) {
  return load(db, error, api);
}
extern "C" __attribute__((visibility("default"))) int sqlite3_extension_init(sqlite3* db, char** error,
                                                                             const sqlite3_api_routines* api) {
  return load(db, error, api);
}
