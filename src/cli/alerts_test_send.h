// honeytel alerts --test LEVEL: one alert, clearly marked, through the ways that are switched on, and what became of
// it.
#pragma once
#include "cli/command.h"

namespace honeylink::telemetry::cli {

/// Waits kTestAlertMs at most for each way. 0: every way that is on has a receipt; 8: consent is all that is missing; 1
/// else.
int send_test_alert(const Call& call);

inline constexpr int kTestAlertMs = 6000;

/// What --test takes.
inline constexpr std::string_view kTestLevels = "yellow|orange|red";

}  // namespace honeylink::telemetry::cli
