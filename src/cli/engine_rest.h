// Commands that rewrite a store need its engine to be at rest: they hold the engine's lock meanwhile, so that nobody
// else writes. An embedded engine gives way; an agent must be stopped.
#pragma once
#include <optional>
#include <string>

#include "engine/election.h"
#include "query/problem.h"

namespace honeylink::telemetry::cli {

/// Takes the lock, within three seconds. A Problem names who holds it.
[[nodiscard]] std::optional<query::Problem> hold_engine(engine::Election& election, const std::string& home);

/// A store of the home that only a newer version may write (meta.min_writer).
[[nodiscard]] std::optional<query::Problem> newer_store(const std::string& home);

}  // namespace honeylink::telemetry::cli
