// The part of `honeytel forget` that is about traces.db. Called by forget_data.cc inside its transaction.
#pragma once
#include <cstdint>

#include "store/sqlite.h"

namespace honeylink::telemetry::cli {

/// Deletes every span that started before the moment, with what only those named; a block or a drain that reaches over
/// it keeps the others in a block of their own. INT64_MAX: all, with names and processes. Adds the blocks and drains
/// that it touched to `blocks`. False: see the connection.
[[nodiscard]] bool forget_spans(store::Connection& connection, std::int64_t before_unix_ns, std::uint64_t& blocks);

}  // namespace honeylink::telemetry::cli
