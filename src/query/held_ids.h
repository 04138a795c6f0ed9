// Does a span hold a certain hashed id: in its attributes, lists of texts, events or links? Called by
// TraceReader::list().
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace honeylink::telemetry::query {

/// `items` as the trace codec has them; `pseudonym` as scrub stores it: 32 hex digits, then "@N" from the second key
/// on.
[[nodiscard]] bool holds_pseudonym(std::span<const std::uint8_t> items, std::string_view pseudonym);

}  // namespace honeylink::telemetry::query
