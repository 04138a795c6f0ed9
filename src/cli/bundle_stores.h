// The part of each store that a bundle takes: databases and a log file that hold a period and nothing else of its kind.
// Called by cmd_bundle.cc; reads the home like any reader, writes new files.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "query/problem.h"

namespace honeylink::telemetry::cli {

struct Period {
  std::int64_t since_unix_ns = INT64_MIN, until_unix_ns = INT64_MAX;
};

/// What went into it.
struct Bundled {
  std::uint64_t points = 0, spans = 0, lines = 0;
};

/// Told now and then; false: stop.
using GoOn = std::function<bool()>;

/// Rows of `hot` by their tick; segments that touch the period, whole: up to four hours, a day or ten days more.
[[nodiscard]] std::optional<query::Problem> bundle_metrics(const std::string& home, const Period& period,
                                                           const std::string& to, Bundled& bundled);
/// Spans that start in the period, in new blocks, with the names, values and processes that they name. Nothing else.
[[nodiscard]] std::optional<query::Problem> bundle_traces(const std::string& home, const Period& period,
                                                          const std::string& to, const GoOn& go_on, Bundled& bundled);
/// Lines of the period.
[[nodiscard]] std::optional<query::Problem> bundle_logs(const std::string& home, const Period& period,
                                                        const std::string& to, Bundled& bundled);

}  // namespace honeylink::telemetry::cli
