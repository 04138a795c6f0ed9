// What a histogram's body in a segment begins with: all its ticks as one sketch, so that who asks for days does not
// decode every ten seconds of them (docs/formats/metrics_db.md, *digest*). Used by point_codec and MetricScan.
//
// Must stay true: it lies under a checksum of its own, so that it can be read without the rest of the body.
#pragma once
#include <optional>
#include <span>

#include "store/point_series.h"
#include "store/segment_format.h"

namespace honeylink::telemetry::store {

struct SegmentDigest {
  Sketch sketch;
  int live_scale = 0;
  ExemplarInfo exemplar;  // of the largest value
};

/// Bytes that are worth reading at once: nearly every digest is within.
inline constexpr std::size_t kDigestHeadBytes = 1024;

/// Appends the digest of these ticks.
void put_digest(const SeriesPoints& points, std::int64_t t0_unix_s, Bytes& to);
/// Bytes of the digest at the beginning of a body, told by its first 8; 0 where they are not there.
[[nodiscard]] std::size_t digest_bytes(std::span<const std::uint8_t> body) noexcept;
/// From the whole digest. Nothing where it is damaged.
[[nodiscard]] std::optional<SegmentDigest> read_digest(std::span<const std::uint8_t> body, std::int64_t t0_unix_s);

}  // namespace honeylink::telemetry::store
