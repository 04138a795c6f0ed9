// The bytes of a ring file, as docs/formats/ring_file.md describes them. Included by writer and reader; nothing here
// acts.
//
// A ring is written by one process through a shared mapping and read by others through pread() only: a reader maps
// nothing, so that a truncated or hostile file can cost a reader an error, never a signal. The one field that an engine
// writes besides `flush_done` is ChunkHeader::released, by pwrite(). All integers are little-endian. What says "atomic"
// is written with the named order by its owner and may be read at any moment.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/counters.h"
#include "base/items.h"
#include "base/limits.h"

namespace honeylink::telemetry::ring {

inline constexpr std::uint64_t kMagic = 0x31474e49524c4800ULL;  // "\0HLRING1"
inline constexpr std::uint32_t kVersion = 1;

// Record classes: ordinals are kept per class, because a stolen chunk's content is gone (PROTOCOL 1).
enum class RecordClass : std::uint8_t { kept_span = 0, unsampled_span = 1, log = 2 };
inline constexpr std::size_t kClasses = 3;

enum class ClockSource : std::uint32_t { monotonic_ns = 0, tsc = 1 };

// One reading of all clocks. ticks is in the ring's own clock source.
struct ClockReading {
  std::uint64_t ticks;
  std::int64_t monotonic_ns;
  std::int64_t boottime_ns;
  std::int64_t realtime_ns;
};

// What the process refused or shortened; counted on slow paths only. Names in base/counters.h, the same order.
inline constexpr std::size_t kCounters = 32;
static_assert(static_cast<std::size_t>(ProcessCounter::count_) <= kCounters);

// A ring that its successor unlinked to keep the home under its cap: what it had accepted, per class (PROTOCOL:
// no_engine).
struct UnlinkedRing {
  std::uint8_t ring_id[16];
  std::uint64_t accepted[kClasses];
};
inline constexpr std::size_t kUnlinkedRings = 16;

struct Header {
  // Written once, before the file becomes visible.
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t slot_count;
  std::uint64_t file_bytes;
  std::uint32_t chunk_count;
  std::uint32_t chunk_bytes;
  std::uint64_t slots_offset;
  std::uint64_t chunk_headers_offset;
  std::uint64_t directory_offset;
  std::uint64_t directory_bytes;
  std::uint64_t cells_offset;
  std::uint64_t cells_bytes;
  std::uint64_t chunks_offset;
  std::uint8_t ring_id[16];  // random; hex of it is the file's name
  std::uint8_t boot_id[16];  // of /proc/sys/kernel/random/boot_id
  std::uint64_t pid;
  std::uint64_t process_start;  // field 22 of /proc/self/stat, so that a reused pid is another process
  ClockSource clock_source;
  std::uint32_t retroactive_keep;  // 0: spans that are not kept are not recorded either
  ClockReading created;
  std::uint8_t trace_key[16];  // base/ids.h: trace id = permutation(trace_key, counter)
  std::uint8_t span_key[16];
  // Live words.
  alignas(64) std::atomic<std::uint64_t> next_seq;  // chunk sequence; starts at 1
  std::atomic<std::uint64_t> next_id_block;         // blocks of span and trace counters handed to threads
  std::atomic<std::uint64_t> directory_used;        // bytes; release: entries below are whole
  std::atomic<std::uint64_t> cells_used;            // bytes; release: blocks below are whole
  std::atomic<std::uint32_t> clean;                 // 1: exit() ran
  std::atomic<std::uint32_t> tick_epoch;            // reserved for interval min/max: the engine's tick, by pwrite
  std::atomic<std::uint64_t> flush_request;         // raised by flush()
  std::atomic<std::uint64_t> flush_done;            // by the engine (pwrite): all up to this request is stored
  std::atomic<std::uint64_t> no_slot[kClasses];     // records of threads without a slot: accepted and dropped at once
  std::atomic<std::uint64_t> counters[kCounters];
  std::atomic<std::uint64_t> unlinked_count;  // entries of `unlinked` that are whole
  UnlinkedRing unlinked[kUnlinkedRings];
};
static_assert(sizeof(Header) <= kPageBytes);
static_assert(offsetof(Header, next_seq) == 256);

// One per thread, adopted by a later thread when free, never shared.
struct alignas(128) ThreadSlot {
  std::atomic<std::uint32_t> state;  // SlotState
  std::atomic<std::uint32_t> tid;
  std::atomic<std::uint64_t> seal_seq;
  std::atomic<std::uint64_t> totals[2][kClasses];  // sealed = sum of totals[seal_seq & 1]
};
static_assert(sizeof(ThreadSlot) == 128);
enum class SlotState : std::uint32_t { free = 0, used = 1 };

// word = generation:32 | owner slot:16 | state:16; the only truth about a chunk. Moved by the ring's process alone.
enum class ChunkState : std::uint16_t { free = 0, owned = 1, full = 2, claim = 3, slots = 4 };
constexpr std::uint64_t make_word(std::uint32_t generation, std::uint32_t slot, ChunkState state) noexcept {
  return (std::uint64_t{generation} << 32) | (std::uint64_t{slot & 0xffffU} << 16) | static_cast<std::uint64_t>(state);
}
constexpr std::uint32_t generation_of(std::uint64_t word) noexcept { return static_cast<std::uint32_t>(word >> 32); }
constexpr std::uint32_t slot_of(std::uint64_t word) noexcept {
  return static_cast<std::uint32_t>(word >> 16) & 0xffffU;
}
constexpr ChunkState state_of(std::uint64_t word) noexcept { return static_cast<ChunkState>(word & 0xffffU); }

struct alignas(64) ChunkHeader {
  std::atomic<std::uint64_t> word;
  std::atomic<std::uint64_t> seq;              // global order of taking: "oldest" is the lowest
  std::atomic<std::uint32_t> committed;        // bytes; release by the owner: this store is the publication
  std::atomic<std::uint32_t> released;         // by the engine: FULL chunk of this generation is stored (0: none)
  std::atomic<std::uint64_t> seal_seq;         // of the slot when the chunk was taken
  std::atomic<std::uint64_t> first[kClasses];  // ordinal of the chunk's first record of each class
};
static_assert(sizeof(ChunkHeader) == 64);

// ---- directory: an append-only log of entries, 8-byte aligned
// --------------------------------------------------------------
enum class EntryType : std::uint8_t { text = 1, resource = 2, series = 3, scope = 4 };
struct EntryHeader {
  std::uint32_t bytes;  // of the whole entry, a multiple of 8
  EntryType type;
  std::uint8_t a;      // series: InstrumentKind
  std::uint16_t b;     // series, resource: number of items
  std::uint32_t id;    // text: text id · series: series id · scope: scope id
  std::uint32_t size;  // bytes of payload that follow
};
static_assert(sizeof(EntryHeader) == 16);
// text: the bytes. Text id 0 is "_other". scope: {u32 name, u32 version, u32 schema_url} text ids. resource: items.
struct SeriesEntry {
  std::uint32_t name, unit, description;  // text ids
  std::uint32_t scope;                    // scope id
  // labels follow as items
};
static_assert(sizeof(SeriesEntry) == 16);
enum class InstrumentKind : std::uint8_t { counter = 0, counter_real = 1, up_down = 2, gauge = 3, histogram = 4 };

// ---- cells: blocks one after the other, 64-byte aligned, in [0, cells_used)
// -------------------------------------------------
enum class BlockType : std::uint32_t { slab = 1, histogram = 2, bank = 3, exemplar = 4 };
struct BlockHeader {
  std::uint32_t bytes;  // of the whole block, a multiple of 64
  BlockType type;
  std::uint32_t slot;    // thread slot that writes it; kSharedSlot: gauges, any thread
  std::uint32_t series;  // histogram, exemplar: its series · slab: series of its first cell
  std::uint32_t count;   // slab: number of cells · bank: number of buckets
  std::uint32_t reserved;
};
static_assert(sizeof(BlockHeader) == 24);
inline constexpr std::uint32_t kSharedSlot = 0xffff'ffffU;

// slab: BlockHeader, padding to 64, then `count` cells of 8 bytes: series, series+1, … A thread that needs more cells
// gets a second, larger slab that starts again at series 0; the old one keeps what it holds. The value of a series is
// the sum over all slabs of all slots (counter: modulo 2^64; counter_real: double; up_down: two's complement),
// kSharedSlot included: there threads without a slab add, by locked additions. Gauges live in slabs of kSharedSlot
// only, as doubles; kGaugeUnset means never set. The cell of a histogram is not part of the format (the writer keeps
// its block's offset there).
inline constexpr std::size_t kSlabHeaderBytes = 64;
inline constexpr std::uint64_t kGaugeUnset = 0x7ff8'dead'beef'0000ULL;  // a NaN that no set() can store

// Where the live buckets of a histogram are, in one word, so that growth and rescaling are one release store (PROTOCOL
// 6).
//   bank:24 (offset of the bank block in units of 64 bytes; 0: no bank yet) | scale:8 (signed) | base:24 (signed: index
//   of the bank's first bucket at that scale) | reserved:8
constexpr std::uint64_t make_bank_word(std::uint32_t bank_offset, int scale, std::int32_t base) noexcept {
  return (std::uint64_t{bank_offset / 64U} & 0xffffffU) | (std::uint64_t{static_cast<std::uint8_t>(scale)} << 24) |
         ((std::uint64_t{static_cast<std::uint32_t>(base)} & 0xffffffU) << 32);
}
constexpr std::uint32_t bank_offset_of(std::uint64_t word) noexcept {
  return static_cast<std::uint32_t>(word & 0xffffffU) * 64U;
}
constexpr int bank_scale_of(std::uint64_t word) noexcept { return static_cast<std::int8_t>((word >> 24) & 0xffU); }
constexpr std::int32_t bank_base_of(std::uint64_t word) noexcept {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>((word >> 32) & 0xffffffU) << 8) >> 8;
}
static_assert(bank_base_of(make_bank_word(64, -3, -68736)) == -68736 && bank_scale_of(make_bank_word(64, -3, 5)) == -3);

struct Exemplar {  // written by the owner under an even/odd sequence: odd while it changes
  std::atomic<std::uint32_t> seq;
  std::uint32_t flags;  // SpanFlags::trace_foreign as in SpanRecord
  double value;
  std::uint64_t ticks;
  std::uint64_t trace_hi, trace_lo, span;
};
static_assert(sizeof(Exemplar) == 48);

struct HistogramBlock {  // cumulative since the block was made; written by the owning thread only
  BlockHeader block;
  std::atomic<std::uint64_t> bank;   // make_bank_word
  std::atomic<std::uint64_t> count;  // observations, zeros included: written last of a record (release)
  std::atomic<std::uint64_t> zeros;
  std::atomic<double> sum;
  // Minimum and maximum of the interval in progress and of the one before: index = epoch & 1. They cannot be derived
  // from cumulative values. `epoch` is the header's tick_epoch when the pair was begun.
  struct Range {
    std::atomic<std::uint32_t> epoch;
    std::uint32_t reserved;
    std::atomic<double> min, max;
  } range[2];
  Exemplar exemplar;  // of the largest value since the exemplar's epoch began
};
static_assert(sizeof(HistogramBlock) == 152);
// The block of a counter's name: one for all its series and threads, written by whoever has made the sequence odd.
struct CounterExemplarBlock {
  BlockHeader block;
  std::atomic<std::uint32_t> series;  // that it is of, under the sequence
  std::atomic<std::uint32_t> epoch;   // the header's tick_epoch when it was taken
  Exemplar exemplar;                  // first increment in a span of that interval, or the largest
};
static_assert(sizeof(CounterExemplarBlock) == 80);
// bank: BlockHeader, padding to 64, then `count` buckets of u32, read as differences modulo 2^32.
inline constexpr std::size_t kBankHeaderBytes = 64;

// ---- records
// ------------------------------------------------------------------------------------------------------------------
enum class RecordType : std::uint8_t { span = 1, log = 2 };
struct RecordHeader {
  std::uint16_t bytes;  // of the whole record, a multiple of 8, ≤ kRecordBytesMax
  RecordType type;
  std::uint8_t flags;
  std::uint32_t name;  // text id
};
// Flags of both types.
inline constexpr std::uint8_t kFlagKept = 1;  // span: the sampler keeps it (class kept_span, else unsampled_span)
inline constexpr std::uint8_t kFlagTraceForeign =
    2;  // trace_hi/lo are the id itself (big-endian halves); else lo is a counter
inline constexpr std::uint8_t kFlagParentForeign = 4;  // span: parent is the id itself; log: span is
inline constexpr std::uint8_t kFlagHasParent = 8;      // span: has a parent · log: belongs to a span
inline constexpr std::uint8_t kFlagWallTimes = 16;     // times are Unix ns, given by the caller
inline constexpr std::uint8_t kFlagNoSlot = 32;        // attributes are missing: no open-span slot was to be had
inline constexpr std::uint8_t kFlagKeepTrace = 64;     // span: the application asked to keep the whole trace
inline constexpr std::uint8_t kFlagSlow = 128;  // span: a value over its histogram's slow limit was recorded in it

struct SpanRecord {
  RecordHeader header;
  std::uint64_t start, end;  // ticks, or Unix ns (kFlagWallTimes); end 0: still open
  std::uint64_t trace_hi, trace_lo;
  std::uint64_t span;                               // counter
  std::uint64_t parent;                             // counter, or the id itself
  std::uint16_t scope;                              // scope id
  std::uint8_t kind;                                // SpanKind of trace.h
  std::uint8_t status;                              // SpanStatus of trace.h
  std::uint16_t items;                              // items that follow (attributes, events, links, …)
  std::uint8_t dropped_attributes, dropped_events;  // saturate at 255
};
static_assert(sizeof(SpanRecord) == 64);

struct LogRecord {
  RecordHeader header;
  std::uint64_t time;
  std::uint64_t trace_hi, trace_lo, span;
  std::uint16_t scope;
  std::uint8_t level;  // OpenTelemetry severity number
  std::uint8_t dropped_attributes;
  std::uint16_t items;
  std::uint16_t reserved;
};
static_assert(sizeof(LogRecord) == 48);

// Items (base/items.h) follow a record one after the other.

// ---- open spans: chunks in state `slots`, carved into kSpanSlotBytes
// -----------------------------------------------------------
enum class SpanSlotState : std::uint32_t { free = 0, open = 1, ending = 2, chained = 3 };
struct SpanSlot {
  // SpanSlotState in the lower half: what a reader looks at. In the upper half the recorder's try-lock of the contents,
  // one word with it, so that the end of a span takes both by one compare-and-swap.
  std::atomic<std::uint64_t> word;
  // Lower half: bytes of `bytes` in use here; release. Upper half: 1 + index of the slot that goes on (chunk * slots
  // per chunk + slot); 0: none.
  std::atomic<std::uint64_t> extent;
  std::atomic<std::uint64_t> ending_at;  // state ending: (thread slot + 1) << kEndingSlotShift | ordinal (sum over
                                         // classes) of the record-to-be
  std::uint64_t reserved;
  std::uint8_t bytes[kSpanSlotBytes - 32];  // first of a span: SpanRecord and items; later ones: more items
};
inline constexpr std::uint32_t kEndingSlotShift = 48;
constexpr SpanSlotState span_slot_state_of(std::uint64_t word) noexcept {
  return static_cast<SpanSlotState>(word & 0xffff'ffffU);
}
constexpr std::uint32_t span_slot_used_of(std::uint64_t extent) noexcept { return static_cast<std::uint32_t>(extent); }
constexpr std::uint32_t span_slot_next_of(std::uint64_t extent) noexcept {
  return static_cast<std::uint32_t>(extent >> 32U);
}
constexpr std::uint64_t make_extent(std::uint32_t used, std::uint32_t next) noexcept {
  return std::uint64_t{next} << 32U | used;
}
static_assert(sizeof(SpanSlot) == kSpanSlotBytes);

}  // namespace honeylink::telemetry::ring
