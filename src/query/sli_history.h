// What a service level indicator was over time, as it is drawn: equal steps that what is kept can fill, with the usual
// quantiles beside the judged value. Reads only; one thread.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "query/sli_reader.h"

namespace honeylink::telemetry::query {

struct SliHistory {
  std::string tier = "10s";  // "10s", "1m", "1h": the coarsest that was read
  std::int64_t step_s = 10;
  std::vector<SliPoint> points;  // contiguous from the first with data to the last
};
/// At most so many points, or one more.
[[nodiscard]] Answer<SliHistory> read_sli_history(SliReader& reader, const SliView& sli, std::int64_t since_unix_s,
                                                  std::int64_t until_unix_s, std::size_t points_max);
[[nodiscard]] std::string sli_history_json(const SliView& sli, const SliHistory& history);

}  // namespace honeylink::telemetry::query
