// Signs, colours and words of levels, the same in every command (UX 12): never a colour alone. Pure; one thread.
#pragma once
#include <string>

#include "cli/listing.h"
#include "query/sli_reader.h"

namespace honeylink::telemetry::cli {

[[nodiscard]] Colour colour_of(Level level) noexcept;
/// "◆", or "*" where there is no UTF-8; ok: "●".
[[nodiscard]] std::string_view sign_of(Level level, const Style& style) noexcept;
/// "◆ ORANGE"; "○ no data".
[[nodiscard]] std::string state_text(const query::SliView& sli, const Style& style);
[[nodiscard]] Colour state_colour(const query::SliView& sli) noexcept;
/// "◆ ORANGE" of an alert.
[[nodiscard]] std::string level_text(Level level, const Style& style);
/// "honeytel traces ID", with the home where one was named.
[[nodiscard]] std::string traces_command(const Call& call, const std::string& trace_id);
/// "4 s", "12 min", "3 h 20 min": whole seconds.
[[nodiscard]] std::string age_text(std::int64_t ns);

}  // namespace honeylink::telemetry::cli
