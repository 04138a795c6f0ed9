// One run of `honeytel bench`: an engine and a recorder, each a process of its own, in a temporary home; afterwards
// every event is looked for in the stores. Called by cmd_bench.cc; one thread.
#pragma once
#include <cstdint>
#include <string>

#include "cli/bench_recorder.h"
#include "cli/command.h"

namespace honeylink::telemetry::cli {

struct BenchOutcome {
  BenchResult recorded;
  std::uint64_t stored = 0, dropped = 0, missing = 0;
  double seconds_until_stored = 0;
  bool exact = true;
  double cpu_recorder = 0, cpu_engine = 0;
  std::uint64_t rss_recorder = 0, rss_engine = 0;
};

[[nodiscard]] query::Answer<BenchOutcome> measure_bench(const Call& call, const BenchPlan& plan,
                                                        const std::string& mix);

/// What the recorder tells its parent, as one line.
[[nodiscard]] std::string recorder_json(const BenchResult& result);

}  // namespace honeylink::telemetry::cli
