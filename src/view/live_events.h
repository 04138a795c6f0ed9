// What the page is told while it is open, as frames of a server-sent event stream (docs/formats/view_api.md, "Live").
// Pure; any thread.
#pragma once
#include <string>
#include <unordered_map>

#include "query/live_reader.h"
#include "query/live_status.h"

namespace honeylink::telemetry::view {

inline constexpr std::size_t kLiveSeriesMax = 200;

/// What was told of which series, by its place in the reader's list.
struct ToldSeries {
  std::unordered_map<const query::LiveSeries*, std::uint64_t> looks;  // the look whose value was told last
  std::size_t next = 0;  // where the next event begins: where more change than fit, each has its turn
};
/// Series that changed since they were told; empty: none did.
[[nodiscard]] std::string changed_metrics_event(const query::LiveReader& reader, ToldSeries& told,
                                                std::int64_t now_unix_ns);
/// The first series of all, for who has just come.
[[nodiscard]] std::string all_metrics_event(const query::LiveReader& reader, std::int64_t now_unix_ns);
[[nodiscard]] std::string status_event(const query::LiveStatus& status, std::size_t recorders,
                                       std::int64_t now_unix_ns);

/// "event: NAME", "data: JSON", an empty line.
[[nodiscard]] std::string event_frame(std::string_view name, std::string_view json);

}  // namespace honeylink::telemetry::view
