// "Did you mean …?": the nearest of a few known words. For keys here, for commands, options and names in the tool.
#pragma once
#include <cstddef>
#include <span>
#include <string_view>

namespace honeylink::telemetry::config {

/// Edits (insert, delete, replace, swap of neighbours) between two words. Any thread.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);
/// The nearest word if it is near enough to be meant (a third of its length at most); else empty.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

}  // namespace honeylink::telemetry::config
