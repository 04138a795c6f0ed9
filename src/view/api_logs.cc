// GET /api/logs and /api/logs/histogram.
#include <algorithm>
#include <array>

#include "query/log_histogram.h"
#include "query/log_search.h"
#include "view/api.h"

namespace honeylink::telemetry::view {
namespace {
constexpr std::uint64_t kLines = 200, kColumns = 120, kColumnsMax = 2'000;
constexpr std::int64_t kHourNs = 3'600'000'000'000;
}  // namespace

Response api_logs(const Api& api, const Request& request) {
  query::Problem problem;
  query::LogFilter filter;
  const auto range = range_of(request, INT64_MIN, INT64_MAX, problem);
  const auto limit = request.count("limit", kLines, problem);
  if (!range || !limit) return problem_response(problem);
  filter.since_unix_ns = range->since_unix_ns, filter.until_unix_ns = range->until_unix_ns;
  if (const auto wrong =
          query::read_log_words({request.text("level"), request.text("trace"), request.text("grep")}, "", filter))
    return problem_response(*wrong);
  const query::LogPage page = query::find_logs(api.home, filter, *limit);
  if (page.problem && page.lines.empty()) return problem_response(*page.problem);
  return json_response(query::log_page_json(page));
}

Response api_log_histogram(const Api& api, const Request& request) {
  query::Problem problem;
  const std::int64_t now = now_unix_ns();
  const auto range = range_of(request, now - kHourNs, now, problem);
  const auto columns = request.count("columns", kColumns, problem);
  if (!range || !columns) return problem_response(problem);
  if (*columns == 0 || *columns > kColumnsMax)
    return error_response(400, "columns is a number from 1 to " + std::to_string(kColumnsMax));
  return json_response(query::log_histogram_json(
      query::count_logs(api.home, {range->since_unix_ns, range->until_unix_ns, static_cast<std::size_t>(*columns)})));
}

}  // namespace honeylink::telemetry::view
