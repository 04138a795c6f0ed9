// Tables of one database made anew in another, and rows copied between them. Used by bundle_*.cc.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "query/problem.h"
#include "store/sqlite.h"

namespace honeylink::telemetry::cli {

/// A new file with the tables, indexes and numbers of `from`, in an open transaction. Not synced: who reads it made it.
[[nodiscard]] std::optional<query::Problem> make_like(store::Connection& from, const std::string& path,
                                                      store::Connection& to);
/// Rows of a table; `where` may name ?1 and ?2. False: see either connection.
[[nodiscard]] bool copy_rows(store::Connection& from, store::Connection& to, const std::string& table,
                             const std::string& where, std::int64_t first = 0, std::int64_t second = 0);

}  // namespace honeylink::telemetry::cli
