// See sqlite.h.
#include "store/sqlite.h"

namespace honeylink::telemetry::store {

int Connection::open(const std::string& path, Access access, int busy_timeout_ms) {
  close();
  const int flags = SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE |
                    (access == Access::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
  int result = sqlite3_open_v2(path.c_str(), &db_, flags, nullptr);
  if (result == SQLITE_OK) {
    sqlite3_busy_timeout(db_, busy_timeout_ms);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_limit(db_, SQLITE_LIMIT_ATTACHED, 4);
    result =
        execute("PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=0");
  }
  if (result == SQLITE_OK && access == Access::read_only) result = execute("PRAGMA query_only=ON; PRAGMA cache_size=-8192");
  if (result != SQLITE_OK) {
    open_error_ = db_ != nullptr ? sqlite3_errmsg(db_) : sqlite3_errstr(result);
    close();
  }
  return result;
}

void Connection::close() noexcept {
  sqlite3_close_v2(db_);
  db_ = nullptr;
}

int Connection::execute(const char* sql) noexcept {
  return db_ == nullptr ? SQLITE_MISUSE : sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
}

Statement Connection::prepare(std::string_view sql) noexcept {
  sqlite3_stmt* statement = nullptr;
  if (db_ != nullptr)
    sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  return Statement(statement);
}

std::int64_t Connection::integer(std::string_view sql, std::int64_t otherwise) noexcept {
  Statement statement = prepare(sql);
  return statement && statement.step() == SQLITE_ROW ? statement.integer(0) : otherwise;
}

std::string Connection::error() const { return db_ == nullptr ? open_error_ : std::string(sqlite3_errmsg(db_)); }

}  // namespace honeylink::telemetry::store
