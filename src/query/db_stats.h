// What the stores of a home hold, table by table and tier by tier: for `honeytel db stats`. Reads only; one thread.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "query/problem.h"

namespace honeylink::telemetry::query {

struct TableStats {
  std::string store, table;  // "metrics", "seg"
  std::string tier;          // "10 s", "1 min", "1 h"; empty: none
  std::uint64_t rows = 0;
  std::string unit;         // of `items`: "points", "spans"; empty: none
  std::uint64_t items = 0;  // recorded ones, through all tiers: an hour's row stands for 360 ticks
  std::uint64_t bytes = 0;  // of what the rows hold; of files: all of them
  std::int64_t oldest_unix_ns = 0, newest_unix_ns = 0;  // 0: none
  [[nodiscard]] double bytes_each() const noexcept {
    return items == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(items);
  }
};

/// Files last of each store: table "file" (with -wal and -shm), "free" (of it, pages that hold nothing). A store that
/// is not there is left out.
[[nodiscard]] Answer<std::vector<TableStats>> read_table_stats(const std::string& home);

}  // namespace honeylink::telemetry::query
