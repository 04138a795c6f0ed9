// Deletes what the owner wants gone from every store of a home. Called by cmd_forget.cc with the engine's lock held, so
// that nobody writes meanwhile. What is deleted is overwritten in the databases (secure_delete) and their files are
// rewritten (VACUUM).
//
// Counts, cursors and the ledger stay: they hold numbers only, and without the cursors records of living programs would
// be stored twice.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "query/problem.h"

namespace honeylink::telemetry::cli {

struct Forgotten {
  std::uint64_t trace_blocks = 0, metric_ticks = 0, log_lines = 0, rings = 0, other_files = 0;
};

/// Everything recorded before `before_unix_ns` and nothing else: blocks and segments that reach over it are cut.
/// INT64_MAX: all, with names, dead rings and quarantined files. `progress` is told the share that is done.
[[nodiscard]] query::Answer<Forgotten> forget_data(const std::string& home, std::int64_t before_unix_ns,
                                                   const std::function<void(double)>& progress);

}  // namespace honeylink::telemetry::cli
