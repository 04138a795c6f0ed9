// Reads a ring file that somebody else writes, or wrote before it died. Trusts nothing: everything is copied by pread()
// and checked on the copy; nothing is mapped, so a truncated file is an error and never a signal
// (docs/formats/ring_file.md, "Reading").
//
// Used by the engine (drain), by query's live view and last-words (read-only: open with `writable` false) and by the
// fuzzers.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/events.h"
#include "base/file.h"
#include "ring/layout.h"
#include "ring/record_view.h"

namespace honeylink::telemetry::ring {

/// Header words that change, as plain numbers.
struct LiveWords {
  std::uint64_t directory_used = 0, cells_used = 0, flush_request = 0, flush_done = 0;
  bool clean = false;
  std::uint64_t no_slot[kClasses]{};
  std::uint64_t counters[kCounters]{};
  std::vector<UnlinkedRing> unlinked;
};

struct SlotView {
  bool used = false;
  std::uint32_t tid = 0;
  std::uint64_t seal_seq = 0;
  std::uint64_t sealed[kClasses]{};  // totals[seal_seq & 1]
  [[nodiscard]] std::uint64_t sealed_total() const noexcept { return sealed[0] + sealed[1] + sealed[2]; }
};

struct ChunkView {
  std::uint32_t index = 0, generation = 0, slot = 0, committed = 0, released = 0;
  ChunkState state = ChunkState::free;
  std::uint64_t seq = 0, seal_seq = 0;
  std::uint64_t first[kClasses]{};
  [[nodiscard]] std::uint64_t first_total() const noexcept { return first[0] + first[1] + first[2]; }
};

/// One chunk as it stood at one generation. Its memory is kept for the next copy.
struct ChunkCopy {
  ChunkView view;
  bool full = false;                // was FULL before its length was read: nothing will be added
  std::vector<std::uint8_t> bytes;  // from the offset that was asked for up to `committed`
};

/// Ticks of a ring to Unix ns. tsc: by two readings of all clocks (the ring's own and one now, same boot); monotonic:
/// by offset. A value; any thread. Two tsc readings less than 50 ms apart tell no frequency: the processor's is taken,
/// by CPUID or, once in the life of a process, by 10 ms of measuring.
class TickScale {
 public:
  TickScale(ClockSource source, const ClockReading& created, const ClockReading& now) noexcept;
  [[nodiscard]] std::int64_t unix_ns(std::uint64_t ticks) const noexcept {
    // Ninety years of ticks either way; one multiplication. What is farther off is no time but damage, and wraps.
    // Never negative: the difference of two times fits.
    const std::int64_t ns = clamped(unix_ns_ + scaled(static_cast<std::int64_t>(ticks - ticks_)));
    return ns < 0 ? 0 : ns;
  }
  /// Of a difference of ticks; never negative, saturates.
  [[nodiscard]] std::int64_t duration_ns(std::uint64_t ticks) const noexcept {
    return ticks > INT64_MAX ? INT64_MAX : clamped(scaled(static_cast<std::int64_t>(ticks)));
  }

 private:
  __extension__ using Int128 = __int128;
  static constexpr int kPointBits = 48;  // a day of ticks is right to a nanosecond, and 65,536 ns a tick still fit
  [[nodiscard]] Int128 scaled(std::int64_t ticks) const noexcept {
    return (Int128{ticks} * Int128{ns_per_tick_}) >> kPointBits;
  }
  static constexpr std::int64_t clamped(Int128 n) noexcept {
    const auto low = static_cast<std::int64_t>(n);
    if (low == n) [[likely]]
      return low;
    return n < 0 ? INT64_MIN : INT64_MAX;
  }

  std::int64_t ns_per_tick_;  // fixed point
  std::uint64_t ticks_;       // of the reading that times are counted from
  std::int64_t unix_ns_;
};
[[nodiscard]] ClockReading read_clocks(ClockSource source) noexcept;

/// Fills the event from a checked record. False if the record is of the other type.
bool decode_span(const Source&, const TickScale&, const RawRecord&, RecordPosition, SpanEvent&) noexcept;
bool decode_log(const Source&, const TickScale&, const RawRecord&, RecordPosition, LogEvent&) noexcept;

struct OpenSpan {
  std::uint32_t slot = 0;  // thread slot that owns it
  std::uint64_t ending_slot = 0, ending_ordinal = 0;
  bool ending = false;
  std::vector<std::uint8_t> record;  // SpanRecord and items, as a finished one would be (end 0), checked
};

struct SeriesDef {
  std::uint32_t id = 0;
  SeriesInfo info;  // without resource: the caller fills service_name, module, environment from Source
};
struct ScalarCell {
  std::uint32_t slot, series;
  std::uint64_t value;
};  // kSharedSlot: gauge
struct HistogramCell {
  std::uint32_t slot = 0, series = 0;
  std::uint32_t block = 0;  // offset of its block: identity within the ring
  // Cumulative; buckets modulo 2^32; count = zeros + Σ buckets. min/max of the newest interval that has a value, else
  // +inf/−inf.
  Sketch sketch;
  struct Range {  // of one interval; empty where !(min <= max)
    std::uint32_t epoch = 0;
    double min = 0, max = 0;
  };
  Range range[2];  // by epoch & 1: the interval in progress and the one before
  ExemplarInfo exemplar;
};
struct CounterExemplar {
  std::uint32_t series = 0;
  ExemplarInfo exemplar;
};
struct CellSnapshot {
  std::vector<ScalarCell> scalars;  // one per slab cell that is not zero; several per (slot, series) are to be summed
  std::vector<HistogramCell> histograms;
  std::vector<CounterExemplar> exemplars;
  std::uint32_t skipped =
      0;  // histograms whose bank was unsound or would not stand still: cumulative, so the next reading has them
};

/// Not thread-safe; one owner. Errors: false, and why() says what is wrong with which file.
class RingReader {
 public:
  /// Takes an open descriptor. nullptr and `why` where the header is not a sound ring of this version.
  [[nodiscard]] static std::unique_ptr<RingReader> open(Fd file, std::string name, bool writable, std::string& why);

  [[nodiscard]] const Header& header() const noexcept;  // the immutable part of the copy is valid
  [[nodiscard]] const Source& source() const noexcept;  // texts, scopes, resource: as of the last refresh()
  [[nodiscard]] Source& mutable_source() noexcept;      // the engine sets `serial`
  [[nodiscard]] const std::string& name() const noexcept;
  [[nodiscard]] int fd() const noexcept;
  [[nodiscard]] bool process_alive() const noexcept;    // F_OFD_GETLK: somebody holds the lock
  [[nodiscard]] bool same_boot() const noexcept;        // else pages may be of different ages: count, do not drain
  [[nodiscard]] TickScale tick_scale() const noexcept;  // as of now; of another boot: as of the ring's creation

  /// Reads live words and whatever the directory has grown by. False: the file is damaged or shorter than it says.
  bool refresh();
  [[nodiscard]] const LiveWords& live() const noexcept;
  bool read_slots(std::vector<SlotView>&);
  bool read_chunks(std::vector<ChunkView>&);
  /// Reads what the directory has grown by, and no other live word: names of records that were copied after refresh().
  bool refresh_names();
  /// PROTOCOL 4, step 4: FULL first, then the length (both by read_chunks(), which made `seen`), then the bytes, then
  /// the word again. False with `moved` if the chunk was taken meanwhile; false without it: damaged. Works on released
  /// chunks too, as long as nobody takes them (the flight recorder). `from`: bytes before it are left out.
  bool copy_chunk(const ChunkView& seen, ChunkCopy& copy, bool& moved, std::uint32_t from = 0);
  /// Records accepted so far, per class: sealed of all slots and what their open chunks hold. Exact where the process
  /// is dead. Without no_slot (they have no ordinals) and without open spans (they have not ended).
  bool read_accepted(std::uint64_t (&accepted)[kClasses]);
  /// Says by pwrite that a FULL chunk of this generation is stored in all sinks.
  bool release_chunk(std::uint32_t index, std::uint32_t generation) noexcept;
  bool acknowledge_flush(std::uint64_t request) noexcept;
  bool set_tick_epoch(std::uint32_t epoch) noexcept;
  bool read_open_spans(std::vector<OpenSpan>&);
  bool read_cells(CellSnapshot&);
  /// Is any byte of the cells another than at the last call? One pread; for who looks often and mostly in vain.
  [[nodiscard]] bool cells_changed();
  [[nodiscard]] const std::vector<SeriesDef>& series() const noexcept;  // by series id; as of the last refresh()
  [[nodiscard]] const std::string& why() const noexcept;

  ~RingReader();

 private:
  struct State;
  struct CellWalk;
  bool read_histogram(CellWalk&, HistogramCell&);
  bool read_exemplar(CellWalk& walk, std::uint64_t at, CounterExemplar& to);
  explicit RingReader(std::unique_ptr<State>) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace honeylink::telemetry::ring
