// POST /api/sql.
#include <chrono>

#include "query/json.h"
#include "query/sql_run.h"
#include "view/api.h"

namespace honeylink::telemetry::view {
namespace {
constexpr std::uint64_t kRows = 1'000;
constexpr std::int64_t kMilliseconds = 5'000;
constexpr std::size_t kBytes = 8'000'000;
}  // namespace

Response api_sql(const Api& api, const Request& request) {
  std::vector<query::JsonMember> members;
  std::string sql;
  if (!query::read_json_object(request.body, members)) return error_response(400, "the body is no JSON object");
  for (const auto& [name, value] : members) {
    if (name == "query") sql = query::json_text_of(value);
  }
  if (sql.empty()) return error_response(400, "which statement?", "the body is {\"query\":\"SELECT …\"}");
  query::SqlBounds bounds;
  bounds.rows = kRows, bounds.milliseconds = kMilliseconds, bounds.bytes = kBytes, bounds.guarded = true;
  const auto began = std::chrono::steady_clock::now();
  const auto result = query::run_sql(api.home, sql, bounds);
  if (!result.ok()) return problem_response(result.problem());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  return json_response(query::sql_json(result.value(), took.count()));
}

}  // namespace honeylink::telemetry::view
