// Constants of the blob in traces.db's table hot, shared by its writer and reader (docs/formats/traces_db.md).
#pragma once
#include <cstddef>
#include <cstdint>

namespace honeylink::telemetry::store {

inline constexpr std::uint32_t kTraceBlobMagic = 0x3153'4c48U;  // "HLS1"
// magic, crc32c of all that follows it, count, reserved (u32 each); base, earliest start, latest start (i64 each)
inline constexpr std::size_t kTraceBlobHead = 40;

// First byte of a span.
inline constexpr unsigned kSpanTraceForeign = 1, kSpanHasParent = 2, kSpanParentForeign = 4, kSpanUnfinished = 8,
                          kSpanKeepTrace = 16, kSpanSlow = 32, kSpanNoSlot = 64, kSpanDropped = 128;

// A span's size is a u16: what does not fit beside the largest head is left out and counted.
inline constexpr std::size_t kSpanHeadMax = 112;
inline constexpr std::size_t kSpanItemsMax = 65'000;
static_assert(kSpanHeadMax + kSpanItemsMax <= 0xffff);

}  // namespace honeylink::telemetry::store
