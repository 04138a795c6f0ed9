// The line in a view's header: who leads, who records, what was lost, how old the newest point is. One look; reads
// only.
#pragma once
#include <cstdint>
#include <string>

namespace honeylink::telemetry::query {

struct LiveStatus {
  std::string engine = "none";           // agent, embedded, none
  std::uint64_t lost = 0;                // of all signals: dropped, but for sampled_out, policy and expired
  std::uint64_t in_ring = 0;             // spans and logs that no engine has taken yet
  std::int64_t newest_point_unix_s = 0;  // end of the newest tick; 0: none
};
/// What cannot be read is left as it is above.
[[nodiscard]] LiveStatus read_live_status(const std::string& home);

}  // namespace honeylink::telemetry::query
