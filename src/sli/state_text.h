// A tracker's state as one line of numbers, for metrics.db's sli_state.state (docs/formats/metrics_db.md). What is not
// read back whole is no state: the tracker then begins anew and learns its level from the alert that fires. Any thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "sli/tracker.h"

namespace honeylink::telemetry::sli {

[[nodiscard]] std::string to_text(const State& state);
[[nodiscard]] std::optional<State> state_from(std::string_view text);

}  // namespace honeylink::telemetry::sli
