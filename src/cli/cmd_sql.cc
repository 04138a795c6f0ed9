// honeytel sql: SELECT over everything that is stored, read-only.
#include "cli/commands.h"
#include "cli/listing.h"
#include "query/sql_run.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::uint64_t kRows = 1'000;

Cell cell_of(const query::SqlValue& value) {
  switch (value.kind) {
    case query::SqlValue::Kind::integer: {
      const std::string digits = std::to_string(value.integer);
      return json_cell(digits, digits);
    }
    case query::SqlValue::Kind::real:
      return real_cell(value.real);
    case query::SqlValue::Kind::text:
      return text_cell(value.text);
    default:
      return null_cell();
  }
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
  query::SqlBounds bounds;
  bounds.rows = *limit;
  const auto result = query::run_sql(home.value(), call.argument(0), bounds);
  if (!result.ok()) return report(call.terminal, result.problem());
  std::vector<Column> columns;
  for (const std::string& name : result.value().columns) columns.push_back({name, name, false, true});
  Listing listing(columns);
  for (const auto& values : result.value().rows) {
    std::vector<Cell> row;
    for (const query::SqlValue& value : values) row.push_back(cell_of(value));
    listing.add(std::move(row));
  }
  listing.print(call, "rows", result.value().total);
  if (const std::uint64_t damaged = result.value().damaged; damaged != 0)
    call.terminal.say(query::format_count(damaged) + " damaged pieces were left out; honeytel db check names them");
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
