// Constants of the blob in metrics.db's table hot, shared by its writer and reader (docs/formats/metrics_db.md).
#pragma once
#include <cstddef>
#include <cstdint>

namespace honeylink::telemetry::store {

inline constexpr std::uint32_t kMetricBlobMagic = 0x324d'4c48U;  // "HLM2"
// magic, crc32c of all that follows it, count, bytes of the directory (u32 each); tick (i64, Unix seconds)
inline constexpr std::size_t kMetricBlobHead = 24;

// First byte of a point: kind:3 | exemplar:1 | places left out before it:4; kPlacesMore: a byte says how many.
inline constexpr unsigned kPointKindMask = 7, kPointExemplar = 8, kPlacesShift = 4, kPlacesMore = 15;

// A real number: a head byte, then as it says.
inline constexpr std::uint8_t kRealWhole =
    32;  // 0…31: decimal places of the zigzag varint that follows; kRealWhole: 8 bytes
inline constexpr int kRealPlacesMax = 9;  // more never pays: eight bytes are shorter

// A sketch is bounded by what merge() can make and a little more.
inline constexpr std::size_t kSketchBucketsMax = 4096;
/// Ticks lie within so many seconds of 1970: sums of times stay far from the ends. What lies beyond is damage.
inline constexpr std::int64_t kTickMax = std::int64_t{1} << 39;
constexpr bool is_tick(std::int64_t unix_s) noexcept { return unix_s >= -kTickMax && unix_s <= kTickMax; }
inline constexpr std::int64_t kSketchIndexMax = 1 << 24;  // scale 4 spans ±17,184 over all doubles
inline constexpr int kSketchScaleMin = -64;

}  // namespace honeylink::telemetry::store
