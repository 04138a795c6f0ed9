// Service levels and alerts as JSON for programs (docs/cli.md) and their numbers as words for people: one form for the
// tool, the page and the terminal view. Pure; any thread.
#pragma once
#include <string>

#include "query/sli_reader.h"

namespace honeylink::telemetry::query {

/// One object of {"schema":1,"slis":[…]}.
[[nodiscard]] std::string sli_json(const SliView& sli);
/// An AlertEvent as everywhere (DESIGN 9), with its end and how it was told.
[[nodiscard]] std::string alert_json(const AlertView& alert);

/// Seconds as milliseconds: "650.5 ms", "12.3 s"; a share as it is: "0.052"; other units behind the number.
[[nodiscard]] std::string level_value(double value, const std::string& unit);
/// "40.2 %", "-12.4 %"; "–" where it is not known.
[[nodiscard]] std::string percent_text(const std::optional<double>& share);
/// "3.1x"; "–" where it is not known.
[[nodiscard]] std::string burn_text(const std::optional<double>& rate);

}  // namespace honeylink::telemetry::query
