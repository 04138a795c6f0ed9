// The recording half of `honeytel bench`: a process of its own that only records, so that its CPU and memory are its
// own.
#pragma once
#include <cstdint>
#include <string>

namespace honeylink::telemetry::cli {

struct BenchPlan {
  std::uint64_t events = 1'000'000;
  std::uint64_t threads = 1;
  double rate = 0;                               // events per second in all; 0: as fast as they can
  bool even = false;                             // wait for each event's own time, not for a millisecond's worth
  unsigned metrics = 70, spans = 15, logs = 15;  // shares; their sum is 100
};

/// "metrics=70,spans=15,logs=15". False: `why` says what is wrong.
bool parse_mix(const std::string& text, BenchPlan& plan, std::string& why);

struct BenchResult {
  std::uint64_t metrics = 0, spans = 0, logs = 0;
  double seconds = 0;
  double p50 = 0, p99 = 0, p99_9 = 0, p99_99 = 0, worst = 0;  // ns a call
  // The same loop without a call, for at most a second before: what the machine itself adds to every call.
  double floor_seconds = 0, floor_p99_9 = 0, floor_p99_99 = 0;
  [[nodiscard]] std::uint64_t events() const noexcept { return metrics + spans + logs; }
};
/// Records in this process, into the home that start() was given.
[[nodiscard]] BenchResult record_bench(const BenchPlan& plan);

}  // namespace honeylink::telemetry::cli
