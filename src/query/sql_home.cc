// See sql_home.h.
#include "query/sql_home.h"

#include <exception>

#include "query/sql_functions.h"
#include "query/sql_tables.h"
#include "ring/home.h"

namespace honeylink::telemetry::query {
namespace {

using HomeName = std::shared_ptr<std::string>;

/// honeytel_home() tells, honeytel_home('DIR') tells and sets.
void home_function(sqlite3_context* context, int count, sqlite3_value** values) noexcept {
  try {
    std::string& home = **static_cast<HomeName*>(sqlite3_user_data(context));
    if (count == 1) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
      if (text == nullptr || *text == '\0')
        return sqlite3_result_error(context, "honeytel_home(DIR): DIR is the path of a home", -1);
      home = text;
    }
    result_text(context, home);
  } catch (const std::exception& error) { sqlite3_result_error(context, error.what(), -1); }
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
  const auto shared = std::make_shared<std::string>(home);
  int code = add_tables(db, shared);
  if (code == SQLITE_OK) code = add_functions(db);
  for (const int arguments : {0, 1}) {
    if (code != SQLITE_OK) break;
    code = sqlite3_create_function_v2(db, "honeytel_home", arguments, SQLITE_UTF8 | SQLITE_DIRECTONLY,
                                      new HomeName(shared), home_function, nullptr, nullptr,
                                      [](void* p) { delete static_cast<HomeName*>(p); });
  }
  return code;
}

}  // namespace honeylink::telemetry::query
