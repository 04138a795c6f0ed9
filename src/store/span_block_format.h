// Constants of the blocks in traces.db's table blk, shared by their writer and reader (docs/formats/traces_db.md).
#pragma once
#include <cstddef>
#include <cstdint>

namespace honeylink::telemetry::store {

inline constexpr std::uint32_t kSpanBlockMagic = 0x3142'4c48U;  // "HLB1"
inline constexpr std::size_t kSpanBlockHead = 16;               // magic, crc32c, base; then varints
inline constexpr std::uint8_t kSpanZoneVersion = 1, kForeignFilterVersion = 1;

// A block is what one look-up must decode: 4,096 spans take about a millisecond.
inline constexpr std::size_t kBlockSpansMax = 4096;
inline constexpr std::size_t kBlockItemBytes = 2'000'000;  // items of a block, unless its only span has more
// Bounds of what a block may describe; the writer keeps spans raw beyond them, the reader calls it damaged.
inline constexpr std::size_t kShapeTokensMax = 256, kBlockTokensMax = 32'768, kBlockColumnsMax = 1024;
inline constexpr std::size_t kBlockLanes = 64;  // streams of starts and of durations
inline constexpr std::size_t kStreamBytesMax = 8'000'000, kBlockExpandedMax = 32'000'000;
inline constexpr std::size_t kBlockSpanItemsMax = 65'535;
static_assert(kBlockItemBytes + kBlockSpanItemsMax < kStreamBytesMax);  // raw items fit into one stream

// Streams with a fixed place; lanes and columns of items follow.
enum class SpanStream : std::uint8_t {
  tables,
  run_sizes,
  run_sources,
  foreign_traces,
  trace_counters,
  classes,
  sources,
  trace_forms,
  counter_lanes,
  counter_steps,
  parents,
  parent_steps,
  foreign_parents,
  statuses,
  flags,
  dropped_attributes,
  dropped_events,
  shapes,
  run_starts,
  raw_sizes,
  raw_items,
};
inline constexpr std::size_t kFixedStreams = 21;
static_assert(static_cast<std::size_t>(SpanStream::raw_items) + 1 == kFixedStreams);
inline constexpr std::size_t kBlockStreamsMax = kFixedStreams + 2 * kBlockLanes + kBlockColumnsMax;

// Symbols of the stream `parents`.
inline constexpr std::uint64_t kParentNone = 0, kParentOwn = 1, kParentForeign = 2, kParentOfRun = 3, kParentInRun = 4;

// Bits of the stream `flags` above the two of Kept.
inline constexpr unsigned kPackedUnfinished = 4, kPackedKeepTrace = 8, kPackedSlow = 16, kPackedNoSlot = 32;

}  // namespace honeylink::telemetry::store
