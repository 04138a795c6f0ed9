// What is under /api/: a table of paths, one function each, in one file per family (api_*.cc). Every answer is made
// from the files anew; nothing is kept between two requests. Called by the server's threads at once.
#pragma once
#include <string>
#include <vector>

#include "query/span_view.h"
#include "view/message.h"

namespace honeylink::telemetry::view {

/// What every answer needs to know. Constant while the server runs.
struct Api {
  std::string home;
  bool is_file = false;  // unpacked from one that was made elsewhere: ages are measured by its newest moment

  /// The request has passed the guard. 404 and 405 for what is not there.
  [[nodiscard]] Response answer(const Request& request) const;
};

/// "since" and "until" of a request; nullopt and `problem` where they are no times or turned round.
struct Range {
  std::int64_t since_unix_ns, until_unix_ns;
};
[[nodiscard]] std::optional<Range> range_of(const Request& request, std::int64_t since, std::int64_t until,
                                            query::Problem& problem);

/// Every span of the trace that the path names; `whole`: of shapes, the one span that is wanted whole.
[[nodiscard]] query::Answer<std::vector<query::SpanView>> spans_of(const Api& api, const Request& request,
                                                                   query::SpanDetail detail,
                                                                   const query::SpanIdBytes* whole = nullptr);

[[nodiscard]] Response api_status(const Api& api, const Request& request);
[[nodiscard]] Response api_traces(const Api& api, const Request& request);
[[nodiscard]] Response api_trace(const Api& api, const Request& request);  // /api/traces/ID
[[nodiscard]] Response api_trace_columns(const Api& api, const Request& request);
[[nodiscard]] Response api_trace_span(const Api& api, const Request& request);  // /api/traces/ID/spans/SPAN_ID
[[nodiscard]] Response api_logs(const Api& api, const Request& request);
[[nodiscard]] Response api_log_histogram(const Api& api, const Request& request);
[[nodiscard]] Response api_metrics(const Api& api, const Request& request);
[[nodiscard]] Response api_metric(const Api& api, const Request& request);  // /api/metrics/NAME
[[nodiscard]] Response api_slis(const Api& api, const Request& request);
[[nodiscard]] Response api_sli_history(const Api& api, const Request& request);  // /api/slis/NAME/history
[[nodiscard]] Response api_sli_heatmap(const Api& api, const Request& request);
[[nodiscard]] Response api_sli_compare(const Api& api, const Request& request);
[[nodiscard]] Response api_alerts(const Api& api, const Request& request);
[[nodiscard]] Response api_sql(const Api& api, const Request& request);

}  // namespace honeylink::telemetry::view
