// GET /api/slis, /api/slis/NAME/history, heatmap and compare, and /api/alerts.
#include "query/compare.h"
#include "query/heatmap.h"
#include "query/json.h"
#include "query/sli_history.h"
#include "query/sli_text.h"
#include "view/api.h"

namespace honeylink::telemetry::view {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000, kHourNs = 3'600 * kSecond, kDayNs = 24 * kHourNs;
constexpr std::uint64_t kPoints = 360, kColumns = 120, kPointsMax = 4'000, kAlerts = 200;

query::Answer<std::unique_ptr<query::SliReader>> open(const Api& api) {
  auto reader = query::SliReader::open(api.home, now_unix_ns());
  if (reader.ok() && api.is_file) reader.value()->measure_ages_by_the_newest();
  return reader;
}

query::Answer<query::SliView> sli_of(query::SliReader& reader, const std::string& name) {
  auto all = reader.slis(false);
  if (!all.ok()) return all.problem();
  for (query::SliView& sli : all.value()) {
    if (sli.definition.name == name) return std::move(sli);
  }
  return reader.sli(name);  // not found, with the nearest one
}

/// How many points or columns; an answer where it is none.
std::optional<std::uint64_t> steps_of(const Request& request, std::string_view name, std::uint64_t otherwise,
                                      query::Problem& problem) {
  const auto steps = request.count(name, otherwise, problem);
  if (!steps || (*steps > 0 && *steps <= kPointsMax)) return steps;
  problem = {query::ProblemKind::usage, std::string(name) + " is a number from 1 to " + std::to_string(kPointsMax), "",
             ""};
  return std::nullopt;
}

query::Problem no_histogram(const query::SliView& sli) {
  return {query::ProblemKind::usage, sli.definition.name + " is a ratio of two counters",
          "only what is a quantile of a histogram has one to show", ""};
}

}  // namespace

Response api_slis(const Api& api, const Request&) {
  auto reader = open(api);
  if (!reader.ok()) return problem_response(reader.problem());
  const auto slis = reader.value()->slis(true);
  if (!slis.ok()) return problem_response(slis.problem());
  query::JsonWriter json;
  json.begin_object().key("schema").integer(1).key("slis").begin_array();
  for (const query::SliView& sli : slis.value()) json.raw(query::sli_json(sli));
  return json_response(json.end_array().end_object().str());
}

Response api_sli_history(const Api& api, const Request& request) {
  query::Problem problem;
  const std::int64_t now = now_unix_ns();
  const auto range = range_of(request, now - kHourNs, now, problem);
  const auto points = steps_of(request, "points", kPoints, problem);
  if (!range || !points) return problem_response(problem);
  auto reader = open(api);
  if (!reader.ok()) return problem_response(reader.problem());
  const auto sli = sli_of(*reader.value(), request.segments[2]);
  if (!sli.ok()) return problem_response(sli.problem());
  const auto history = query::read_sli_history(*reader.value(), sli.value(), range->since_unix_ns / kSecond,
                                               range->until_unix_ns / kSecond, static_cast<std::size_t>(*points));
  if (!history.ok()) return problem_response(history.problem());
  return json_response(query::sli_history_json(sli.value(), history.value()));
}

Response api_sli_heatmap(const Api& api, const Request& request) {
  query::Problem problem;
  const std::int64_t now = now_unix_ns();
  const auto range = range_of(request, now - kHourNs, now, problem);
  const auto columns = steps_of(request, "columns", kColumns, problem);
  if (!range || !columns) return problem_response(problem);
  auto reader = open(api);
  if (!reader.ok()) return problem_response(reader.problem());
  const auto sli = sli_of(*reader.value(), request.segments[2]);
  if (!sli.ok()) return problem_response(sli.problem());
  if (sli.value().definition.is_ratio()) return problem_response(no_histogram(sli.value()));
  query::Heatmap empty;
  empty.unit = sli.value().unit;
  if (reader.value()->metrics() == nullptr) return json_response(query::heatmap_json(empty));
  const auto heatmap = query::read_heatmap(*reader.value()->metrics(),
                                           {sli.value().definition.of, range->since_unix_ns / kSecond,
                                            range->until_unix_ns / kSecond, static_cast<std::size_t>(*columns)});
  if (heatmap.ok()) return json_response(query::heatmap_json(heatmap.value()));
  const bool none = heatmap.problem().kind == query::ProblemKind::not_found;
  return none ? json_response(query::heatmap_json(empty)) : problem_response(heatmap.problem());
}

Response api_sli_compare(const Api& api, const Request& request) {
  query::Problem problem;
  query::CompareQuestion question;
  for (const auto& [name, to] :
       {std::pair{"t0", &question.t0}, {"t1", &question.t1}, {"v0", &question.v0}, {"v1", &question.v1}}) {
    if (!request.has(name))
      return error_response(400, std::string(name) + " is missing", "a box has t0, t1, v0 and v1");
    const auto value = request.real(name, 0, problem);
    if (!value) return problem_response(problem);
    *to = *value;
  }
  auto reader = open(api);
  if (!reader.ok()) return problem_response(reader.problem());
  const auto sli = sli_of(*reader.value(), request.segments[2]);
  if (!sli.ok()) return problem_response(sli.problem());
  if (sli.value().definition.is_ratio()) return problem_response(no_histogram(sli.value()));
  question.metric = sli.value().definition.of;
  const auto comparison = query::compare_box(api.home, question);
  return comparison.ok() ? json_response(query::comparison_json(comparison.value()))
                         : problem_response(comparison.problem());
}

Response api_alerts(const Api& api, const Request& request) {
  query::Problem problem;
  auto reader = open(api);
  if (!reader.ok()) return problem_response(reader.problem());
  query::AlertFilter filter;
  const auto range = range_of(request, reader.value()->now_unix_ns() - kDayNs, INT64_MAX, problem);
  const auto limit = request.count("limit", kAlerts, problem);
  if (!range || !limit) return problem_response(problem);
  filter.since_unix_ns = range->since_unix_ns, filter.until_unix_ns = range->until_unix_ns, filter.limit = *limit;
  filter.sli_name = request.text("sli"), filter.alert_id = request.text("id"), filter.trace_id = request.text("trace");
  const auto list = reader.value()->alerts(filter);
  if (!list.ok()) return problem_response(list.problem());
  query::JsonWriter json;
  json.begin_object().key("schema").integer(1).key("alerts").begin_array();
  for (const query::AlertView& alert : list.value().alerts) json.raw(query::alert_json(alert));
  json.end_array().key("truncated").boolean(list.value().alerts.size() < list.value().total);
  return json_response(json.key("total").count(list.value().total).end_object().str());
}

}  // namespace honeylink::telemetry::view
