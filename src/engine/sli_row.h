// An SLI between the evaluator's values and the rows of metrics.db, both ways; the engine's clocks as a Moment. Pure
// but for the clock.
#pragma once
#include "base/clock.h"
#include "sli/tracker.h"
#include "store/sli_rows.h"

namespace honeylink::telemetry::engine {

[[nodiscard]] sli::Moment moment_now(const Clock& clock);
[[nodiscard]] store::SliRow row_of(const sli::Definition& definition, const sli::Outcome& outcome);
[[nodiscard]] sli::Reading reading_of(const store::SliRow& row);

}  // namespace honeylink::telemetry::engine
