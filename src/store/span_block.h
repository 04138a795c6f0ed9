// A block of traces.db's table blk: up to 4,096 spans grouped by trace, column by column (docs/formats/traces_db.md).
// Written by the packer out of hot rows, read by query, salvage and the fuzzer.
//
// Must stay true: what goes in comes out, items byte for byte; the reader trusts nothing and takes a bounded amount of
// memory.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/ids.h"
#include "store/span_block_bytes.h"
#include "store/span_block_values.h"
#include "store/trace_codec.h"

namespace honeylink::telemetry::store {

/// The cipher of a row of idkey; nullptr: there is no such row. Valid as long as the reader of the block.
using KeyLookup = std::function<const IdCipher*(std::uint32_t source)>;

/// The keys of a database, for finding out whose counter a foreign trace id is. Not thread-safe.
class SpanKeys {
 public:
  void add(std::uint32_t source, const IdKey& trace_key, const IdKey& span_key);
  void clear() noexcept { keys_.clear(); }
  void keep_newest(std::size_t n) noexcept {
    while (keys_.size() > n) keys_.erase(keys_.begin());
  }
  [[nodiscard]] const IdCipher* find(std::uint32_t source) const noexcept;
  /// Tries the key that fitted last, then the newest ones.
  [[nodiscard]] bool owner_of(std::uint64_t hi, std::uint64_t lo, std::uint32_t& source, std::uint64_t& counter);

 private:
  std::map<std::uint32_t, IdCipher> keys_;
  std::uint32_t last_ = 0;
};

[[nodiscard]] std::array<std::uint8_t, 16> trace_bytes(std::uint64_t hi, std::uint64_t lo) noexcept;
[[nodiscard]] TraceRef foreign_trace(const std::array<std::uint8_t, 16>& id) noexcept;
[[nodiscard]] std::array<std::uint8_t, 8> span_bytes(std::uint64_t value) noexcept;
[[nodiscard]] std::uint64_t span_value(const std::array<std::uint8_t, 8>& id) noexcept;

/// Spans of one trace that stand together. `source` 0: the trace is foreign, hi and lo are its id; else lo is a counter
/// of that source.
struct SpanRun {
  std::uint32_t source = 0;
  std::uint64_t hi = 0, lo = 0;
  std::uint32_t first = 0, count = 0;
};

/// Spans in the order in which blocks hold them. A value; its memory is kept for the next use.
struct SpanOrder {
  std::vector<std::uint32_t> spans;  // indexes into what was grouped
  std::vector<SpanRun> runs;         // `first`: index into `spans`
};
void group_spans(std::span<const StoredSpan> spans, SpanKeys& keys, SpanOrder& order);

struct ZoneName {
  std::uint32_t name = 0;
  std::uint64_t spans = 0, errors = 0;
  std::int64_t longest_ns = 0;
};
/// What a reader must know of a block to leave it alone.
struct SpanZone {
  std::uint64_t errors = 0, kept = 0;  // kept as in hot
  bool unfinished = false, slow = false;
  std::int64_t end_after_t0_ns = 0;  // latest end
  std::uint32_t value_epoch = 1;
  std::vector<ZoneName> names;  // ascending
  [[nodiscard]] std::int64_t longest_ns() const noexcept;
};
[[nodiscard]] ByteBuffer write_zone(const SpanZone& zone);
/// False: damaged, or of a version to come: the block has to be looked into.
[[nodiscard]] bool read_zone(std::span<const std::uint8_t> bytes, SpanZone& zone);

/// Counters of traces that lie together, a row of trace_range.
struct TraceRange {
  std::uint32_t source = 0;
  std::uint64_t lo = 0, hi = 0;
};
inline constexpr std::uint64_t kTraceRangeMax = 65'535;  // hi − lo: a look-up seeks no farther than that
[[nodiscard]] std::vector<TraceRange> trace_ranges(std::span<const SpanRun> runs);

/// What the row of a block needs besides its bytes.
struct WrittenBlock {
  ByteBuffer data;
  SpanZone zone;
  std::int64_t t0 = 0, t1 = 0;
};

/// Not thread-safe; one owner; its memory is kept for the next block.
class SpanBlockWriter {
 public:
  SpanBlockWriter();
  ~SpanBlockWriter();
  /// Spans `order` names in `runs` (1 to kBlockSpansMax spans in all, runs side by side).
  void write(std::span<const StoredSpan> spans, const SpanOrder& order, std::span<const SpanRun> runs,
             const SpanKeys& keys, SpanValues& values, WrittenBlock& to);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What is known of a span before its items and ids are made.
struct SpanHead {
  std::uint32_t run = 0, span_class = 0, source = 0, name = 0, shape = 0, parent_run_index = 0;
  std::uint64_t counter = 0, parent_symbol = 0, parent_value = 0;
  std::int64_t start_unix_ns = 0, duration_ns = 0;
  std::uint8_t status = 0, flags = 0;
  bool foreign_form = false;
  std::uint32_t dropped_attributes = 0, dropped_events = 0;
};

/// Not thread-safe; one owner; its memory is kept for the next block. The bytes must outlive their use.
class SpanBlockReader {
 public:
  SpanBlockReader();
  ~SpanBlockReader();
  SpanBlockReader(SpanBlockReader&&) noexcept;
  SpanBlockReader& operator=(SpanBlockReader&&) noexcept;
  /// Checks the checksum and decodes what all spans need; columns of items are decoded when they are asked for. False:
  /// damaged.
  [[nodiscard]] bool open(std::span<const std::uint8_t> bytes, KeyLookup keys, ValueLookup values);
  /// A block of this version whose checksum fits.
  [[nodiscard]] static bool sound(std::span<const std::uint8_t> bytes) noexcept;
  [[nodiscard]] std::size_t count() const noexcept;
  [[nodiscard]] std::span<const SpanHead> heads() const noexcept;
  [[nodiscard]] std::span<const SpanRun> runs() const noexcept;
  /// The i-th span, whole; its items are valid until the next call. Each i is larger than the one before. False:
  /// damaged.
  [[nodiscard]] bool read(std::size_t i, StoredSpan& span);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace honeylink::telemetry::store
