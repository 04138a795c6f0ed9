// One SELECT over a home, run to its end or to a bound, for `honeytel sql` and the page. The connection is read-only
// in any case; `guarded` is for questions that come over the network: nothing but SELECT over the home's own tables,
// bounded in time and memory. One thread.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "query/problem.h"

namespace honeylink::telemetry::query {

struct SqlBounds {
  std::uint64_t rows = 0;         // 0: all; those beyond are counted, unless `guarded`
  std::int64_t milliseconds = 0;  // 0: as long as it takes
  std::size_t bytes = 0;          // of the answer; 0: any
  bool guarded = false;           // no PRAGMA, ATTACH, load_extension; no other home
};

struct SqlValue {
  enum class Kind : std::uint8_t { null, integer, real, text };
  Kind kind = Kind::null;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;  // a blob as hexadecimal digits
};

struct SqlResult {
  std::vector<std::string> columns;
  std::vector<std::vector<SqlValue>> rows;
  std::uint64_t total = 0;  // rows that there are; where `truncated` cut the run short: at least
  bool truncated = false;
  std::uint64_t damaged = 0;  // pieces of the stores that were left out because they cannot be read
};
[[nodiscard]] Answer<SqlResult> run_sql(const std::string& home, const std::string& sql, const SqlBounds& bounds);

/// {"schema":1,"columns":[…],"rows":[[…]],"truncated","seconds"}; integers beyond 2^53 as decimal strings.
[[nodiscard]] std::string sql_json(const SqlResult& result, double seconds);

}  // namespace honeylink::telemetry::query
