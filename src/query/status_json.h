// A home's status as JSON: the shape of `honeytel status --json`, which the page is told too. One thread.
#pragma once
#include <array>
#include <string>

#include "config/config.h"
#include "query/status.h"

namespace honeylink::telemetry::query {

/// Reads the home's config, for the caps.
[[nodiscard]] std::string status_json(const Status& status);

/// What a store of this name ("metrics", "traces", "logs") may hold.
[[nodiscard]] std::uint64_t store_cap_bytes(const config::Config& config, std::string_view store);

struct NamedBalance {
  const char* name;
  const SignalBalance* balance;
};
[[nodiscard]] std::array<NamedBalance, 3> signals_of(const Balance& balance);

}  // namespace honeylink::telemetry::query
