// See sql_run.h.
#include "query/sql_run.h"

#include <array>
#include <chrono>
#include <string_view>

#include "base/text.h"
#include "query/database.h"
#include "query/json.h"
#include "query/paths.h"
#include "query/sql_tables.h"

namespace honeylink::telemetry::query {
namespace {

constexpr int kOpsBetweenLooks = 1'000;        // some tens of microseconds
constexpr int kValueBytesMax = 64 << 20;       // a tick of every series is 16 MB at most
constexpr int kGuardedSqlBytesMax = 64 << 10;  // as a request's body
constexpr std::int64_t kExactMax = 1LL << 53;  // JavaScript's integers

struct Deadline {
  std::chrono::steady_clock::time_point at;
  bool passed = false;
};

int look_at_clock(void* deadline) {
  auto* const d = static_cast<Deadline*>(deadline);
  d->passed = std::chrono::steady_clock::now() >= d->at;
  return d->passed ? 1 : 0;
}

/// What a statement from the network may do: read. Asked by SQLite while it prepares.
int allow_reading(void*, int action, const char* first, const char* name, const char*, const char*) {
  constexpr std::array<std::string_view, 5> kRefused{"load_extension", "honeytel_home", "fts3_tokenizer", "readfile",
                                                     "writefile"};
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_UPDATE:  // SQLite's own, while a virtual table declares itself; a statement's own it refuses
      return first != nullptr && std::string_view(first) == "sqlite_master" ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_FUNCTION:
      for (const std::string_view refused : kRefused) {
        if (name != nullptr && sqlite3_stricmp(name, refused.data()) == 0) return SQLITE_DENY;
      }
      return SQLITE_OK;
    default:
      return SQLITE_DENY;
  }
}

void guard(sqlite3* db) {
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, kValueBytesMax);
  sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, kGuardedSqlBytesMax);
  sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 1);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite3_set_authorizer(db, allow_reading, nullptr);
}

Problem usage(std::string what, std::string why = {}, std::string to_do = {}) {
  return {ProblemKind::usage, std::move(what), std::move(why), std::move(to_do)};
}

Problem sql_problem(const store::Connection& connection, const std::string& home, const SqlBounds& bounds,
                    const Deadline& deadline) {
  if (deadline.passed)
    return {ProblemKind::busy, "this takes longer than " + std::to_string(bounds.milliseconds / 1'000) + " s",
            "it was ended", "ask for less: a range of start_unix_nano, a LIMIT; or in a shell: honeytel sql"};
  const int code = connection.result() & 0xff;
  if (code == SQLITE_READONLY)
    return usage("this would change what is stored", "sql only reads", "to delete: honeytel forget");
  if (code == SQLITE_AUTH)
    return usage("only SELECT is answered here", connection.error(), "honeytel sql in a shell may ask PRAGMA, too");
  Problem problem = database_problem(connection, metrics_path(home), "SQLite does not take this");
  if (problem.kind == ProblemKind::failed) {
    problem.kind = ProblemKind::usage;
    problem.to_do =
        "tables: spans, logs, points, series, ledger, alerts, slis; columns: honeytel sql \"PRAGMA table_info(spans)\"";
  }
  return problem;
}

SqlValue value_of(sqlite3_stmt* row, int i) {
  SqlValue value;
  switch (sqlite3_column_type(row, i)) {
    case SQLITE_NULL:
      break;
    case SQLITE_INTEGER:
      value.kind = SqlValue::Kind::integer, value.integer = sqlite3_column_int64(row, i);
      break;
    case SQLITE_FLOAT:
      value.kind = SqlValue::Kind::real, value.real = sqlite3_column_double(row, i);
      break;
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(row, i));
      value.kind = SqlValue::Kind::text;
      value.text = hex({bytes, static_cast<std::size_t>(sqlite3_column_bytes(row, i))});
      break;
    }
    default: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, i));
      value.kind = SqlValue::Kind::text;
      if (text != nullptr) value.text.assign(text, static_cast<std::size_t>(sqlite3_column_bytes(row, i)));
    }
  }
  return value;
}

/// SQLITE_DONE, also where a bound ended it; or SQLite's error.
int collect(store::Statement& statement, const SqlBounds& bounds, SqlResult& result) {
  const int columns = sqlite3_column_count(statement.get());
  std::size_t bytes = 0;
  for (int code = statement.step();; code = statement.step()) {
    if (code != SQLITE_ROW) return code;
    const bool full = (bounds.rows != 0 && result.total >= bounds.rows) || (bounds.bytes != 0 && bytes >= bounds.bytes);
    ++result.total;
    if (full) {
      result.truncated = true;
      if (bounds.guarded) return SQLITE_DONE;
      continue;
    }
    std::vector<SqlValue>& row = result.rows.emplace_back();
    for (int i = 0; i < columns; ++i) {
      row.push_back(value_of(statement.get(), i));
      bytes += sizeof(SqlValue) + row.back().text.size();
    }
  }
}

}  // namespace

Answer<SqlResult> run_sql(const std::string& home, const std::string& sql, const SqlBounds& bounds) {
  auto opened = open_sql(home);
  if (!opened.ok()) return opened.problem();
  store::Connection& connection = opened.value();
  Deadline deadline{std::chrono::steady_clock::now() + std::chrono::milliseconds(bounds.milliseconds), false};
  if (bounds.guarded) guard(connection.get());
  if (bounds.milliseconds > 0) sqlite3_progress_handler(connection.get(), kOpsBetweenLooks, look_at_clock, &deadline);
  sqlite3_stmt* handle = nullptr;
  const char* rest = nullptr;
  if (sqlite3_prepare_v2(connection.get(), sql.c_str(), -1, &handle, &rest) != SQLITE_OK)
    return sql_problem(connection, home, bounds, deadline);
  store::Statement statement(handle);
  if (!statement) return usage("there is no statement in this");
  if (std::string_view(rest).find_first_not_of(" \t\r\n;") != std::string_view::npos)
    return usage("one statement at a time", "after it comes: " + std::string(rest));
  SqlResult result;
  for (int i = 0; i < sqlite3_column_count(handle); ++i) {
    const char* const name = sqlite3_column_name(handle, i);
    result.columns.emplace_back(name == nullptr ? "" : name);
  }
  if (collect(statement, bounds, result) != SQLITE_DONE) return sql_problem(connection, home, bounds, deadline);
  statement.reset();
  result.damaged = static_cast<std::uint64_t>(connection.integer("SELECT honeytel_damaged()", 0));
  return result;
}

std::string sql_json(const SqlResult& result, double seconds) {
  JsonWriter json;
  json.begin_object().key("schema").integer(1).key("columns").begin_array();
  for (const std::string& column : result.columns) json.text(column);
  json.end_array().key("rows").begin_array();
  for (const auto& row : result.rows) {
    json.begin_array();
    for (const SqlValue& value : row) {
      switch (value.kind) {
        case SqlValue::Kind::null:
          json.null();
          break;
        case SqlValue::Kind::integer:
          if (value.integer > -kExactMax && value.integer < kExactMax) json.integer(value.integer);
          else json.text(std::to_string(value.integer));
          break;
        case SqlValue::Kind::real:
          json.real(value.real);
          break;
        case SqlValue::Kind::text:
          json.text(value.text);
      }
    }
    json.end_array();
  }
  json.end_array().key("truncated").boolean(result.truncated).key("seconds").real(seconds);
  return json.end_object().str();
}

}  // namespace honeylink::telemetry::query
