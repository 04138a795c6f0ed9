// The lines that a child writes to its parent: `ready …` once by the responder, `stats …` four times a second by the
// initiator. Both ends are this executable; a line that does not parse is ignored, a child is never trusted to be
// whole.
#pragma once
#include <optional>

#include "link.h"

namespace honeylink::link {

inline constexpr int kReportFd = 3;  // in a child

[[nodiscard]] std::string hex(const std::array<std::uint8_t, 32>& key);
[[nodiscard]] std::string to_line(const Peer& peer);
[[nodiscard]] std::optional<Peer> peer_from_line(std::string_view line);

}  // namespace honeylink::link
