// Counts what the process refused or shortened, and says each kind once on stderr. Slow paths only; any thread;
// signal-safe but for the sentence.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/counters.h"

namespace honeylink::telemetry::internal {

/// Into the current ring's header; before there is one, into the process's own table, which the first ring takes over.
void count(ProcessCounter what, std::uint64_t n = 1) noexcept;
/// Also writes "honeylink: <sentence>: <detail>" to stderr, the first time for each `what`.
void count_and_say(ProcessCounter what, std::string_view sentence, std::string_view detail) noexcept;
/// Of this process, all rings together.
[[nodiscard]] std::uint64_t counted(ProcessCounter what) noexcept;

}  // namespace honeylink::telemetry::internal
