// honeytel sql: SELECT over everything that is stored, read-only.
#include "base/text.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "query/database.h"
#include "query/json.h"
#include "query/paths.h"
#include "query/sql_tables.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::uint64_t kRows = 1'000;

Cell cell_of(sqlite3_stmt* row, int i) {
  switch (sqlite3_column_type(row, i)) {
    case SQLITE_NULL:
      return null_cell();
    case SQLITE_INTEGER: {
      const std::string digits = std::to_string(sqlite3_column_int64(row, i));
      return json_cell(digits, digits);
    }
    case SQLITE_FLOAT:
      return real_cell(sqlite3_column_double(row, i));
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(row, i));
      return text_cell(hex({bytes, static_cast<std::size_t>(sqlite3_column_bytes(row, i))}));
    }
    default: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, i));
      return text_cell({text, static_cast<std::size_t>(sqlite3_column_bytes(row, i))});
    }
  }
}

query::Problem sql_problem(const store::Connection& connection, const std::string& home) {
  if ((connection.result() & 0xff) == SQLITE_READONLY)
    return usage_problem("this would change what is stored", "sql only reads", "to delete: honeytel forget");
  query::Problem problem = query::database_problem(connection, query::metrics_path(home), "SQLite does not take this");
  if (problem.kind == query::ProblemKind::failed) {
    problem.kind = query::ProblemKind::usage;
    problem.to_do =
        "tables: spans, logs, points, series, ledger, alerts, slis; columns: honeytel sql \"PRAGMA table_info(spans)\"";
  }
  return problem;
}

int run(Call& call) {
  query::Problem problem;
  const auto limit = call.count("limit", kRows, problem);
  if (!limit) return report(call.terminal, problem);
  if (call.argument(0).empty())
    return report(call.terminal, usage_problem("which statement?", {},
                                               "honeytel sql \"SELECT name, count(*) FROM spans GROUP BY name\""));
  const auto home = call.home();
  if (!home.ok()) return report(call.terminal, home.problem());
  auto opened = query::open_sql(home.value());
  if (!opened.ok()) return report(call.terminal, opened.problem());
  store::Connection& connection = opened.value();
  const std::string sql = call.argument(0);
  sqlite3_stmt* handle = nullptr;
  const char* rest = nullptr;
  if (sqlite3_prepare_v2(connection.get(), sql.c_str(), -1, &handle, &rest) != SQLITE_OK)
    return report(call.terminal, sql_problem(connection, home.value()));
  store::Statement statement(handle);
  if (!statement) return report(call.terminal, usage_problem("there is no statement in this"));
  if (std::string_view(rest).find_first_not_of(" \t\r\n;") != std::string_view::npos)
    return report(call.terminal, usage_problem("one statement at a time", "after it comes: " + std::string(rest)));
  std::vector<Column> columns;
  for (int i = 0; i < sqlite3_column_count(handle); ++i) {
    const std::string name = sqlite3_column_name(handle, i);
    columns.push_back({name, name, false, true});
  }
  Listing listing(columns);
  std::uint64_t total = 0;
  int code = SQLITE_DONE;
  while ((code = statement.step()) == SQLITE_ROW) {
    if (++total > *limit && *limit != 0) continue;
    std::vector<Cell> row;
    for (int i = 0; i < static_cast<int>(columns.size()); ++i) row.push_back(cell_of(handle, i));
    listing.add(std::move(row));
  }
  if (code != SQLITE_DONE) return report(call.terminal, sql_problem(connection, home.value()));
  listing.print(call, "rows", total);
  return kOk;
}

constexpr Option kOptions[] = {
    cli::kLimit,
    {"csv", "", "Short for --format csv"},
};

}  // namespace

extern const Command kSql{
    .name = "sql",
    .summary = "SELECT over everything that is stored",
    .usage = "\"SELECT …\" [--csv|--json]",
    .about =
        "Tables: spans, logs, points (as rows), series, ledger, alerts, slis (metrics.db), traces.* "
        "(traces.db).\nRead-only. Comparisons with start_unix_nano, time_unix_nano and ts_unix_nano are fast.",
    .example =
        "honeytel sql \"SELECT name, count(*), avg(duration_ns)/1e6 AS ms FROM spans GROUP BY name\"\nhoneytel sql "
        "\"SELECT attributes->>'peer', count(*) FROM spans WHERE status='error' GROUP BY 1\" --csv",
    .options = kOptions,
    .arguments_max = 1,
    .reads = true,
    .run = run};

}  // namespace honeylink::telemetry::cli
