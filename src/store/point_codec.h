// The body of one series in a segment: presence, then columns by kind and tier (docs/formats/metrics_db.md). Used by
// segment_blob.h.
#pragma once
#include "store/point_series.h"
#include "store/segment_integers.h"

namespace honeylink::telemetry::store {

/// Appends the body. `rolled_up`: of tier 1 or 2.
void encode_points(const SeriesPoints& series, bool rolled_up, std::uint32_t ticks, std::int64_t t0_unix_s,
                   std::int64_t step_s, SegmentWorkspace& work, Bytes& to);
/// Fills the columns; series.kind says which. False where the body is not whole; the columns are then void.
[[nodiscard]] bool decode_points(std::span<const std::uint8_t> body, bool rolled_up, std::uint32_t ticks,
                                 std::int64_t t0_unix_s, std::int64_t step_s, SegmentWorkspace& work,
                                 SeriesPoints& series);

}  // namespace honeylink::telemetry::store
