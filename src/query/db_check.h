// Is everything that is stored whole? SQLite's integrity check, then every checksum that SQLite does not know: each
// blob is decoded to its end, each line of a log taken apart. For `honeytel db check`. Reads only, in short
// transactions beside a running engine; one thread.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "query/problem.h"

namespace honeylink::telemetry::query {

struct Damage {
  std::string store;  // "metrics", "traces", "logs"
  std::string where;  // "hot 17", "seg 4, series 12", "honeylink.log.3.zst"
  std::string what;
  std::int64_t oldest_unix_ns = 0, newest_unix_ns = 0;  // of what it concerns; 0: unknown
};
struct CheckReport {
  std::vector<Damage> damages;  // kDamagesMax at most; `damaged` counts all
  std::uint64_t damaged = 0;
  std::uint64_t databases = 0, rows = 0, points = 0, spans = 0, files = 0, lines = 0;
  bool interrupted = false;
};
inline constexpr std::size_t kDamagesMax = 1'000;

/// `progress`: told the share that is done; false ends the check. A Problem: it could not be looked at (locked, no
/// permission, no home).
[[nodiscard]] Answer<CheckReport> check_stores(const std::string& home, const std::function<bool(double)>& progress);

}  // namespace honeylink::telemetry::query
