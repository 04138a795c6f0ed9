// --id KIND=RAW of `traces` and `logs`: what a person knows as a device's or user's id, as the stores have it. Only its
// keyed hash was ever stored; the same key hashes what is typed, and nothing is written.
#pragma once
#include <optional>
#include <string>

#include "cli/command.h"

namespace honeylink::telemetry::cli {

inline constexpr Option kId{"id", "KIND=RAW", "With this id, typed as it is: device=AA-17, user=ann"};

/// The stored form; empty where --id was not given. nullopt and `problem`: it cannot be hashed.
[[nodiscard]] std::optional<std::string> pseudonym_of(const Call& call, const std::string& home,
                                                      query::Problem& problem);

}  // namespace honeylink::telemetry::cli
