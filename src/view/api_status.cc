// GET /api/status.
#include "query/status_json.h"
#include "view/api.h"

namespace honeylink::telemetry::view {

Response api_status(const Api& api, const Request&) {
  const auto status = query::read_status(api.home);
  return status.ok() ? json_response(query::status_json(status.value())) : problem_response(status.problem());
}

}  // namespace honeylink::telemetry::view
