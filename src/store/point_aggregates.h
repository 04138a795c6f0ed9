// The five columns of a roll-up - count, last, min, max, sum - told by what they have in common
// (docs/formats/metrics_db.md, Segments). Used by point_codec.h.
#pragma once
#include "store/point_series.h"
#include "store/segment_integers.h"

namespace honeylink::telemetry::store {

/// Of at least one tick.
void encode_aggregates(const SeriesPoints& series, SegmentWorkspace& work, Bytes& to);
/// Fills the five columns, which have their length already. False where they are not whole.
[[nodiscard]] bool decode_aggregates(Decoder& in, SegmentWorkspace& work, SeriesPoints& series);

}  // namespace honeylink::telemetry::store
