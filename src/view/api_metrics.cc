// GET /api/metrics and /api/metrics/NAME.
#include "query/metric_answer.h"
#include "view/api.h"

namespace honeylink::telemetry::view {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000, kRangeNs = 3'600 * kSecond;
constexpr std::uint64_t kRows = 1'000;

/// Every "label=key=value" of the query.
bool read_labels(const Request& request, query::SeriesFilter& filter) {
  for (const auto& [name, value] : request.query) {
    if (name == "label" && !query::parse_label(value, filter)) return false;
  }
  return true;
}

}  // namespace

Response api_metrics(const Api& api, const Request& request) {
  query::Problem problem;
  query::SeriesFilter filter;
  const std::int64_t now = now_unix_ns();
  const auto range = range_of(request, now - kRangeNs, now + kRangeNs, problem);
  const auto limit = request.count("limit", kRows, problem);
  if (!range || !limit) return problem_response(problem);
  if (!read_labels(request, filter)) return error_response(400, "label takes key=value");
  auto reader = query::MetricReader::open(api.home);
  if (!reader.ok() && reader.problem().kind == query::ProblemKind::not_found)
    return json_response(query::series_list_json({}, 0));
  if (!reader.ok()) return problem_response(reader.problem());
  const auto summaries = reader.value()->summarize(
      reader.value()->find(filter), {range->since_unix_ns / kSecond, range->until_unix_ns / kSecond, 10});
  if (!summaries.ok()) return problem_response(summaries.problem());
  return json_response(query::series_list_json(summaries.value(), *limit));
}

Response api_metric(const Api& api, const Request& request) {
  query::Problem problem;
  query::MetricQuestion question;
  const std::int64_t now = now_unix_ns();
  const auto range = range_of(request, now - kRangeNs, now + kRangeNs, problem);
  const auto step = request.duration("step", 10 * kSecond, problem);
  const auto q = request.real("quantile", 0.95, problem);
  const auto limit = request.count("limit", kRows, problem);
  if (!range || !step || !q || !limit) return problem_response(problem);
  if (*q < 0 || *q > 1) return error_response(400, "quantile is a share from 0 to 1");
  if (*step < 10 * kSecond)
    return error_response(400, "step cannot be under 10s", "points are stored every 10 seconds");
  if (!read_labels(request, question.filter)) return error_response(400, "label takes key=value");
  question.filter.name = request.segments[2];
  question.range = {range->since_unix_ns / kSecond, range->until_unix_ns / kSecond, *step / kSecond};
  question.step_given = request.has("step"), question.quantile = *q;
  auto reader = query::MetricReader::open(api.home);
  if (!reader.ok()) return problem_response(reader.problem());
  const auto answer = query::ask_metric(*reader.value(), question);
  return answer.ok() ? json_response(query::metric_json(answer.value(), *limit)) : problem_response(answer.problem());
}

}  // namespace honeylink::telemetry::view
