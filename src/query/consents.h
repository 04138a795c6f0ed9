// What may leave this device, for `honeytel status`, the page and `honeytel consent status`. Reads receipts, asks no
// gate. Pure; any thread.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "consent/store.h"

namespace honeylink::telemetry::query {

[[nodiscard]] std::string_view name_of(consent::State state) noexcept;
/// An array: endpoint, signals, expires, state.
[[nodiscard]] std::string consents_json(const std::vector<consent::Checked>& all);
/// A line each, safe for a terminal; "nothing may leave this device" where there is none.
[[nodiscard]] std::vector<std::string> consent_lines(const std::vector<consent::Checked>& all);

}  // namespace honeylink::telemetry::query
