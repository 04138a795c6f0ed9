// See sql_home.h.
#include "query/sql_home.h"

#include <exception>

#include "query/sql_functions.h"
#include "query/sql_tables.h"
#include "ring/home.h"

namespace honeylink::telemetry::query {
namespace {

/// honeytel_home() tells, honeytel_home('DIR') tells and sets.
void home_function(sqlite3_context* context, int count, sqlite3_value** values) noexcept {
  try {
    std::string& home = (*static_cast<SqlHome*>(sqlite3_user_data(context)))->path;
    if (count == 1) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
      if (text == nullptr || *text == '\0')
        return sqlite3_result_error(context, "honeytel_home(DIR): DIR is the path of a home", -1);
      home = text;
    }
    result_text(context, home);
  } catch (const std::exception& error) { sqlite3_result_error(context, error.what(), -1); }
}

/// honeytel_damaged(): what the tables of this connection have left out so far because it could not be read.
void damaged_function(sqlite3_context* context, int, sqlite3_value**) noexcept {
  const SqlHome& home = *static_cast<SqlHome*>(sqlite3_user_data(context));
  sqlite3_result_int64(context, static_cast<sqlite3_int64>(home->damaged));
}

}  // namespace

std::string home_of_database(const std::string& path) {
  for (const std::string_view ending : {"/metrics/metrics.db", "/metrics/traces.db"}) {
    if (path.ends_with(ending)) return path.substr(0, path.size() - ending.size());
  }
  return {};
}

std::string home_of_connection(sqlite3* db) {
  const char* const file = sqlite3_db_filename(db, "main");
  const std::string home = home_of_database(file != nullptr ? file : "");
  return home.empty() ? ring::home_path({}) : home;
}

int add_sql(sqlite3* db, const std::string& home) {
  const auto shared = std::make_shared<SqlHomeState>(SqlHomeState{home});
  int code = add_tables(db, shared);
  if (code == SQLITE_OK) code = add_functions(db);
  const auto add = [&](const char* name, int arguments, auto* function) {
    if (code != SQLITE_OK) return;
    code = sqlite3_create_function_v2(db, name, arguments, SQLITE_UTF8 | SQLITE_DIRECTONLY, new SqlHome(shared),
                                      function, nullptr, nullptr, [](void* p) { delete static_cast<SqlHome*>(p); });
  };
  add("honeytel_home", 0, home_function);
  add("honeytel_home", 1, home_function);
  add("honeytel_damaged", 0, damaged_function);
  return code;
}

}  // namespace honeylink::telemetry::query
