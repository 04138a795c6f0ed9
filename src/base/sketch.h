// Exponential histograms as values: coarser, added, asked for a quantile. Used by engine (differences), store (scale
// 4), query and sli.
//
// Must stay true: count = zeros + Σ buckets; every operation keeps count, sum, min and max exact.
#pragma once
#include <cstddef>

#include "base/events.h"
#include "base/limits.h"

namespace honeylink::telemetry {

/// Counts one value: at scale 4, the stores', where the sketch is empty. What is not finite or below 0 is left out.
void observe(Sketch& sketch, double value);
/// Halves the resolution until `scale` is reached (no effect where it is already as coarse).
void downscale(Sketch& sketch, int scale);
/// Drops empty buckets at both ends.
void trim(Sketch& sketch);
/// Adds; goes to the coarser scale, and coarser still until at most `buckets_max` remain.
void merge(Sketch& into, const Sketch& add, std::size_t buckets_max = kHistogramBucketsMax);
/// The value below which a share q of the observations lies: the middle (harmonic) of the bucket that holds that rank,
/// or, where the bucket holds ≥ 1,000, interpolated in it; always within [min, max]. NaN where there is nothing or q is
/// not in [0, 1].
[[nodiscard]] double quantile(const Sketch& sketch, double q);
/// Largest relative error of quantile() at this scale: (base − 1) / (base + 1).
[[nodiscard]] double quantile_error(int scale);
/// Bounds (lower, upper] of a bucket; clamped to the range of double.
[[nodiscard]] double bucket_upper_bound(int scale, std::int64_t index);
/// Observations above a limit: whole buckets, and of the bucket that holds the limit a share as if evenly spread.
[[nodiscard]] double count_above(const Sketch& sketch, double limit);

}  // namespace honeylink::telemetry
