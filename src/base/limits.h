// Every bound of the product that more than one room relies on, with its reason. A bound that only one file needs stays
// there.
#pragma once
#include <cstddef>
#include <cstdint>

namespace honeylink::telemetry {

inline constexpr std::size_t kPageBytes = 4096;

// Ring file (DESIGN 5). 1 MiB steps are for people; the file is laid out in pages.
inline constexpr std::size_t kRingBytesDefault = std::size_t{10} << 20;
inline constexpr std::size_t kRingBytesMin = std::size_t{256} << 10;  // before start(), and `honeytel record`
inline constexpr std::size_t kRingBytesMax = std::size_t{1} << 30;    // offsets of cells stay within 32 bits
inline constexpr std::size_t kRingsBytesMax = 64'000'000;             // all rings of a home together

// A record never spans chunks, so a chunk holds at least two of the largest.
inline constexpr std::size_t kRecordBytesMax = 8192;
inline constexpr std::size_t kChunkBytes = 32768;
inline constexpr std::size_t kChunkBytesSmall = 16384;  // rings under 1 MiB: more chunks for more threads
static_assert(kChunkBytesSmall >= 2 * kRecordBytesMax);

// Open spans (API.md, decision 7).
inline constexpr std::size_t kSpanSlotBytes = 512;
inline constexpr std::size_t kSpanSlotsPerSpanMax = kRecordBytesMax / kSpanSlotBytes;

// Values and names.
inline constexpr std::size_t kTextBytesMax = 256;  // a value; longer text is cut at a character boundary and counted
inline constexpr std::size_t kItemsPerRecordMax = 32;  // attributes of a span, event or log
inline constexpr std::size_t kNameTextBytesMax = 128;
inline constexpr std::uint32_t kNamesMax = 4096;  // interned texts of a process; beyond: "_other"
inline constexpr std::uint32_t kSeriesPerInstrumentMax = 2000;
inline constexpr std::uint32_t kSeriesMax = 65536;  // of a process
inline constexpr std::size_t kLabelsMax = 16;

// Histograms: OpenTelemetry's base-2 exponential mapping. Scale 6 = 64 buckets an octave: 0.55 % at the middle of a
// bucket.
inline constexpr int kHistogramScaleStart = 6;
inline constexpr int kHistogramScaleMin = -10;
inline constexpr std::uint32_t kHistogramBucketsStart = 64;
inline constexpr std::uint32_t kHistogramBucketsMax = 320;

// Engine (DESIGN 6).
inline constexpr std::int64_t kTickNs = 10'000'000'000;
inline constexpr std::int64_t kDrainIntervalNs = 20'000'000;
inline constexpr std::int64_t kSpanCommitDelayNs = 200'000'000;
inline constexpr std::size_t kSpanCommitBytes = 256 * 1024;
inline constexpr std::int64_t kLogSyncNs = 5'000'000'000;
inline constexpr std::uint32_t kRetroKeepPerSecondMax = 100;

}  // namespace honeylink::telemetry
