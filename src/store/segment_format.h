// Constants of the segments in metrics.db's table seg, shared by their writer and reader
// (docs/formats/metrics_db.md). Included by the codecs, by MetricStore and by query.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace honeylink::telemetry::store {

using Bytes = std::vector<std::uint8_t>;

inline constexpr std::uint32_t kSegmentMagic = 0x3247'4c48U;  // "HLG2"
inline constexpr std::size_t kSegmentHead = 32;

/// A resolution: seconds between ticks, ticks of a whole segment, and how long it is kept.
struct Tier {
  int number;
  std::int64_t step_s, ticks, keep_s;
  [[nodiscard]] constexpr std::int64_t window_s() const noexcept { return step_s * ticks; }
};
inline constexpr std::int64_t kDaySeconds = 86'400;
inline constexpr std::array<Tier, 3> kTiers{{
    {0, 10, 1440, 7 * kDaySeconds},
    {1, 60, 1440, 90 * kDaySeconds},
    {2, 3600, 240, 397 * kDaySeconds},
}};
static_assert(kDaySeconds % kTiers[0].window_s() == 0 && kTiers[1].window_s() == kDaySeconds);
static_assert(kTiers[2].window_s() % kDaySeconds == 0);

inline constexpr std::uint32_t kGroupSeries = 64;  // series of a group: blobs of 50 to 200 KB
// Bounds that a reader checks before it allocates.
inline constexpr std::uint32_t kSegmentTicksMax = 4096;
inline constexpr std::uint32_t kSegmentSeriesMax = 4096;
inline constexpr std::uint32_t kDirectoryBytesMax = 1 << 18;
static_assert(kDirectoryBytesMax >= std::size_t{kSegmentSeriesMax} * 40);
inline constexpr std::size_t kSketchListMax = std::size_t{1} << 21;  // non-empty buckets of one body
/// Roll-ups keep sketches at this scale or coarser (I-10: 4.4 %).
inline constexpr int kRollupScaleMax = 3;

// Forms of integer columns; how their tokens stand is added (TokenForm).
enum class IntegerForm : std::uint8_t { constant = 0, plain = 1, delta = 2, delta_of_delta = 3, from_mean = 4 };
inline constexpr std::size_t kMeanWindow = 8;  // from_mean: of so many values before; a power of two
inline constexpr unsigned kIntegerFormMask = 15;
enum class TokenForm : std::uint8_t { framed = 0, plain = 16, ranged = 32 };
constexpr bool is_token_form(TokenForm form) noexcept {
  return form == TokenForm::framed || form == TokenForm::plain || form == TokenForm::ranged;
}
// Forms of real columns: up to kDecimalPlacesMax, the places; kExceptions is added where a list of exceptions precedes.
inline constexpr int kDecimalPlacesMax = 12;
inline constexpr unsigned kRealBits = 64, kRealPlanes = 65, kRealDictionary = 66, kRealQuotients = 67,
                          kExceptions = 128;
inline constexpr unsigned kQuotientWindowMax = 8;  // quotients whose mean the next one is held against
// Forms of aggregates: the places of decimal numbers (integers: 0), plus kAggregateFromMean where min and max are told
// from the mean, plus kAggregateLast where the last value is not between them; kAggregateWhole: not decimal.
inline constexpr unsigned kAggregatePlaces = 15, kAggregateLast = 32, kAggregateFromMean = 64, kAggregateWhole = 255;
enum class PresenceForm : std::uint8_t { all = 0, runs = 1, bitmap = 2, bitmap_frame = 3 };

}  // namespace honeylink::telemetry::store
