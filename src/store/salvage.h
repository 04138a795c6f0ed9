// Copying rows out of a quarantined database. Used by the stores' salvage functions.
#pragma once
#include <functional>
#include <string_view>

#include "store/sqlite.h"

namespace honeylink::telemetry::store {

/// Copies each row of `select` by `insert` (same number of columns) unless `wanted` says no. False where reading or
/// writing ended with an error: what came before it is copied.
bool copy_rows(Connection& from, Connection& to, std::string_view select, std::string_view insert,
               const std::function<bool(const Statement& row)>& wanted = {});

}  // namespace honeylink::telemetry::store
