// See api.h.
#include "view/api.h"

#include <array>

namespace honeylink::telemetry::view {
namespace {

struct Route {
  const char* method;
  // Segments after "api"; "*" is any one.
  std::array<std::string_view, 5> path;
  Response (*answer)(const Api&, const Request&);
};

// clang-format off
constexpr Route kRoutes[] = {
    {"GET", {"status"}, api_status},
    {"GET", {"slis"}, api_slis},
    {"GET", {"slis", "*", "history"}, api_sli_history},
    {"GET", {"slis", "*", "heatmap"}, api_sli_heatmap},
    {"GET", {"slis", "*", "compare"}, api_sli_compare},
    {"GET", {"alerts"}, api_alerts},
    {"GET", {"traces"}, api_traces},
    {"GET", {"traces", "*"}, api_trace},
    {"GET", {"traces", "*", "columns"}, api_trace_columns},
    {"GET", {"traces", "*", "spans", "*"}, api_trace_span},
    {"GET", {"logs"}, api_logs},
    {"GET", {"logs", "histogram"}, api_log_histogram},
    {"GET", {"metrics"}, api_metrics},
    {"GET", {"metrics", "*"}, api_metric},
    {"POST", {"sql"}, api_sql},
};
// clang-format on

bool matches(const Route& route, const std::vector<std::string>& segments) {
  for (std::size_t i = 0; i < route.path.size(); ++i) {
    const bool there = i + 1 < segments.size();
    if (there == route.path[i].empty()) return false;
    if (there && route.path[i] != "*" && route.path[i] != segments[i + 1]) return false;
  }
  return segments.size() <= route.path.size() + 1;
}

}  // namespace

Response Api::answer(const Request& request) const {
  bool other_method = false;
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  for (const Route& route : kRoutes) {
    if (!matches(route, request.segments)) continue;
    if (route.method == method) return route.answer(*this, request);
    other_method = true;
  }
  if (other_method) return error_response(405, "this is not asked by " + request.method);
  return error_response(404, "there is no " + std::string(request.path()), {},
                        "docs/formats/view_api.md lists what is");
}

std::optional<Range> range_of(const Request& request, std::int64_t since, std::int64_t until, query::Problem& problem) {
  const auto from = request.moment("since", since, problem), to = request.moment("until", until, problem);
  if (!from || !to) return std::nullopt;
  if (*from <= *to) return Range{*from, *to};
  problem = {query::ProblemKind::usage, "since is after until", "nothing lies between them", ""};
  return std::nullopt;
}

}  // namespace honeylink::telemetry::view
