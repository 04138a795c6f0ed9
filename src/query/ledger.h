// The balance at this moment (I-3): what each sink says it settled, and what still stands in the rings beyond its
// cursors. Computed from the sinks' own numbers, whether an engine runs or not. Also its history, for `health`. Reads
// only; one thread.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "query/problem.h"
#include "store/store.h"

namespace honeylink::telemetry::query {

struct SignalBalance {
  store::Counts counts;  // accepted: settled and still in a ring
  std::uint64_t in_ring = 0;
  /// accepted + retro_kept − stored − Σ dropped − in_ring: 0, or the ledger is wrong.
  [[nodiscard]] std::int64_t error() const noexcept;
};
struct Balance {
  SignalBalance metrics, spans, logs;
};
[[nodiscard]] Answer<Balance> read_balance(const std::string& home);

/// Is a record that was dropped for this reason lost? What the owner chose to leave out is not.
[[nodiscard]] bool is_loss(std::string_view reason) noexcept;

struct Loss {
  std::string signal;
  std::uint64_t accepted = 0, lost = 0;
  std::map<std::string, std::uint64_t> reasons;  // sampled_out, policy and expired are no loss: left out
  [[nodiscard]] double share() const noexcept {
    return accepted == 0 ? (lost == 0 ? 0.0 : 1.0) : static_cast<double>(lost) / static_cast<double>(accepted);
  }
};
struct Health {
  std::vector<Loss> signals;  // metrics, spans, logs
  std::vector<Loss> exports;  // "metrics", "traces", "logs", where something was due; accepted: what was due
  std::int64_t from_unix_s = 0, to_unix_s = 0;
  bool any = false;  // is there a ledger at all?
};
/// What was lost since then: the newest rows of the ledger less the last ones before.
[[nodiscard]] Answer<Health> read_health(const std::string& home, std::int64_t since_unix_ns);

}  // namespace honeylink::telemetry::query
