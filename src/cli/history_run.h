// `honeytel bench --history`: thirteen months of ticks through the metric store under an injected clock, then every
// stored point against what the data says (docs/decisions/0012).
#pragma once
#include <array>
#include <string>

#include "cli/command.h"
#include "cli/history_data.h"
#include "query/problem.h"

namespace honeylink::telemetry::cli {

struct HistoryPlan {
  std::size_t scalars = 40, histograms = 0;
  std::int64_t ticks = 0;
  std::uint64_t cap_bytes = 500'000'000;
  std::string home;  // must be new or empty
};

struct HistoryTier {
  std::uint64_t rows = 0, bytes = 0;
  std::uint64_t values = 0;  // of the grid: ticks or aggregates
  std::uint64_t points = 0;  // committed points in them
  std::int64_t oldest_unix_s = 0, newest_unix_s = 0;
  double quantile_error = 0;  // largest, relative
};

struct HistoryOutcome {
  std::uint64_t ticks = 0, points = 0, expired = 0, damaged = 0;
  std::uint64_t disk_bytes = 0, disk_bytes_most = 0, written_bytes = 0, rss_bytes = 0;
  double seconds_to_write = 0, seconds_to_check = 0;
  std::array<HistoryTier, 4> tiers;  // 10 s, 1 min, 1 h; not packed yet
  std::uint64_t checked = 0, wrong = 0, quantiles = 0;
  std::string first_wrong;
  [[nodiscard]] bool whole() const noexcept { return wrong == 0 && damaged == 0; }
};

/// The command: reads its options, runs, prints.
int bench_history(Call& call);

/// Writes, then checks. The problem: the home cannot be used, or a commit was refused.
[[nodiscard]] query::Answer<HistoryOutcome> run_history(const Call& call, const HistoryPlan& plan);

/// The second half alone: fills tiers, checked, wrong and quantiles. `begin_unix_s`: of tick 0.
[[nodiscard]] std::optional<query::Problem> check_history(const Call& call, const HistoryData& data,
                                                          const HistoryPlan& plan, std::int64_t begin_unix_s,
                                                          HistoryOutcome& out);

}  // namespace honeylink::telemetry::cli
