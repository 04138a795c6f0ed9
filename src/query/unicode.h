// Text in a terminal's columns. For text that terminal_safe() of base/text.h has made; pure, any thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/text.h"

namespace honeylink::telemetry::query {

struct CodePoint {
  char32_t value = 0;
  std::uint8_t bytes = 0;  // taken from the text; 0 at its end. Where the text is not UTF-8: U+FFFD and one byte
};
[[nodiscard]] CodePoint next_code_point(std::string_view text) noexcept;
using telemetry::append_utf8;

/// Columns of a terminal: 0 for combining marks, 2 for wide East Asian characters and emoji.
[[nodiscard]] std::size_t columns_of(std::string_view text) noexcept;
/// The longest beginning that fits into `columns`, the last of them "…" (or "~") where something was cut.
[[nodiscard]] std::string cut_to_columns(std::string_view text, std::size_t columns, bool ascii = false);

}  // namespace honeylink::telemetry::query
