// What the page is told while it is open, as frames of a server-sent event stream (docs/formats/view_api.md, "Live").
// Pure; any thread.
#pragma once
#include <string>

#include "query/live_reader.h"
#include "query/live_status.h"

namespace honeylink::telemetry::view {

inline constexpr std::size_t kLiveSeriesMax = 200;

/// Series that changed in look `since` or later; empty where none did.
[[nodiscard]] std::string metrics_event(const query::LiveReader& reader, std::uint64_t since, std::int64_t now_unix_ns);
[[nodiscard]] std::string status_event(const query::LiveStatus& status, std::size_t recorders,
                                       std::int64_t now_unix_ns);

/// "event: NAME", "data: JSON", an empty line.
[[nodiscard]] std::string event_frame(std::string_view name, std::string_view json);

}  // namespace honeylink::telemetry::view
