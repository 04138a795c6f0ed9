// Slow paths of cells that more than one file needs; the fast ones are in honeylink/internal/cells.h.
#pragma once
#include <cstdint>

#include "record/thread.h"

namespace honeylink::telemetry::internal {

/// Makes this thread's slab hold `series`. False: no cell left in the ring.
[[nodiscard]] bool grow_cells(SlotState& s, std::uint32_t series) noexcept;

}  // namespace honeylink::telemetry::internal
