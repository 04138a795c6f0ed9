// Histogram sketches of one series as columns: scales, numbers of buckets, gaps between them, counts; exact sum, min
// and max (docs/formats/metrics_db.md, *sketches*). Used by point_codec.h.
#pragma once
#include "store/point_series.h"
#include "store/segment_integers.h"

namespace honeylink::telemetry::store {

/// `live_scales` has as many elements as `sketches`.
void encode_sketches(std::span<const Sketch> sketches, std::span<const int> live_scales, SegmentWorkspace& work,
                     Bytes& to);
/// `count` sketches into `points`. False where they are not whole or hold more than the bounds of segment_format.h.
[[nodiscard]] bool decode_sketches(Decoder& in, SegmentWorkspace& work, std::size_t count, SeriesPoints& points);

}  // namespace honeylink::telemetry::store
