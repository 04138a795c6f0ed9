// One look at a home: who leads, what records, what is stored. Gathered for `honeytel status`, `doctor` and the views.
// Reads only.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "query/exports.h"
#include "query/ledger.h"
#include "query/problem.h"

namespace honeylink::telemetry::query {

struct EngineStatus {
  std::uint64_t pid = 0;
  std::string mode = "none";  // agent, embedded, none
  std::int64_t started_unix_ns = 0;
};
struct RingStatus {
  std::string path, service, module;
  std::uint64_t pid = 0, bytes = 0;
  bool alive = false, clean = false, same_boot = true;
  std::map<std::string, std::uint64_t> counters;  // what its process refused or shortened; zeros left out
  std::string why;                                // not empty: the file is no sound ring
};
struct StoreStatus {
  std::string name, path;  // metrics, traces, logs
  std::uint64_t bytes = 0;
  std::int64_t oldest_unix_ns = 0, newest_unix_ns = 0;  // 0: empty
};
struct Status {
  std::string home;
  EngineStatus engine;
  std::vector<RingStatus> rings;
  std::vector<StoreStatus> stores;
  Balance balance;
  std::vector<ExportStatus> exports;
};
[[nodiscard]] Answer<Status> read_status(const std::string& home);
[[nodiscard]] EngineStatus read_engine(const std::string& home);
[[nodiscard]] std::vector<RingStatus> read_rings(const std::string& home);
[[nodiscard]] std::vector<StoreStatus> read_stores(const std::string& home);

}  // namespace honeylink::telemetry::query
