// A segment without what is older than a moment: what the owner wants forgotten goes, what is younger stays. Used by
// `honeytel forget`.
#pragma once
#include <optional>
#include <span>

#include "store/segment_format.h"

namespace honeylink::telemetry::store {

struct CutSegment {
  Bytes blob;  // empty: nothing is left
  std::uint64_t points =
      0;  // committed points that are left, about: a roll-up does not know which of its ticks had how many
};

/// Ticks that begin before the moment go, with all that they sum up. Nothing where the segment is damaged.
[[nodiscard]] std::optional<CutSegment> cut_segment(std::span<const std::uint8_t> blob, std::int64_t before_unix_s);

}  // namespace honeylink::telemetry::store
