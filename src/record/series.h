// Series of instruments: (instrument, labels) → a number that all threads and rings of the process share. Registered
// once under the lock and written into the ring's directory; found afterwards by a per-thread table (cells.cc).
#pragma once
#include <cstdint>

#include "honeylink/internal/cells.h"

namespace honeylink::telemetry::internal {

struct Ring;

/// Registers or finds; the lock is not held. kNoSeries: refused (bad name or unit, or no number left), counted.
[[nodiscard]] std::uint32_t register_series(const Instrument& instrument, const Label* labels,
                                            std::size_t count) noexcept;

/// Kind of a registered series.
[[nodiscard]] InstrumentKind series_kind(std::uint32_t series) noexcept;
/// A histogram's slow limit in its own unit (recorder_opts.h); +inf: none.
[[nodiscard]] double slow_limit_of(std::uint32_t series) noexcept;

/// Writes all series into a new ring and makes cells for its gauges. The lock is held.
bool replay_series(Ring& ring) noexcept;

/// The cell of a gauge, or of a counter that has no thread's slab; made if needed when `make`. nullptr: no memory in
/// the ring.
[[nodiscard]] std::uint64_t* shared_cell(Ring& ring, std::uint32_t series, bool make) noexcept;
/// Lets set_gauge() know the cells of the ring that is current now; nullptr: of none. The lock is held.
void publish_gauge_cells(const Ring* ring) noexcept;

}  // namespace honeylink::telemetry::internal
