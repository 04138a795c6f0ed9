// RingReader: the cells, as one cumulative snapshot. Scalars come from one copy of the whole area; a histogram is read
// by itself, because its bank may be exchanged while one looks (docs/formats/ring_file.md, "Reading", 5 and 6).
#include <algorithm>
#include <iterator>
#include <limits>

#include "ring/reader_state.h"
#include "ring/recorder_opts.h"

namespace honeylink::telemetry::ring {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Range {
  std::uint32_t epoch;
  double min, max;
};
struct Histogram {
  std::uint64_t bank, zeros;
  double sum;
  Range range[2];
};

Histogram parse(const std::uint8_t* block) noexcept {
  Histogram h{};
  h.bank = load<std::uint64_t>(block + offsetof(HistogramBlock, bank));
  h.zeros = load<std::uint64_t>(block + offsetof(HistogramBlock, zeros));
  h.sum = load<double>(block + offsetof(HistogramBlock, sum));
  for (std::size_t i = 0; i < 2; ++i) {
    const std::uint8_t* range = block + offsetof(HistogramBlock, range) + i * sizeof(HistogramBlock::Range);
    h.range[i] = {load<std::uint32_t>(range + offsetof(HistogramBlock::Range, epoch)),
                  load<double>(range + offsetof(HistogramBlock::Range, min)),
                  load<double>(range + offsetof(HistogramBlock::Range, max))};
  }
  return h;
}

// The newest epoch that has a value. Epochs are compared by their distance: they may wrap.
void take_range(const Histogram& h, Sketch& sketch) noexcept {
  sketch.min = kInfinity;
  sketch.max = -kInfinity;
  if (sketch.count == 0) return;
  std::uint32_t epoch = 0;
  bool any = false;
  for (const Range& range : h.range) {
    if (!(range.min <= range.max) || (any && static_cast<std::int32_t>(range.epoch - epoch) < 0)) continue;
    any = true;
    epoch = range.epoch;
    sketch.min = range.min;
    sketch.max = range.max;
  }
}

void take_buckets(const Histogram& h, const std::vector<std::uint8_t>& buckets, Sketch& sketch) {
  std::size_t count = buckets.size() / 4;
  while (count > 0 && load<std::uint32_t>(&buckets[(count - 1) * 4]) == 0) --count;
  sketch.scale = h.bank == 0 ? kHistogramScaleStart : bank_scale_of(h.bank);
  sketch.offset = h.bank == 0 ? 0 : bank_base_of(h.bank);
  sketch.zeros = h.zeros;
  sketch.count = h.zeros;
  sketch.sum = h.sum;
  sketch.buckets.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    sketch.buckets[i] = load<std::uint32_t>(&buckets[i * 4]);
    sketch.count += sketch.buckets[i];
  }
  take_range(h, sketch);
}

void put_big_endian(std::uint8_t* to, std::uint64_t value) noexcept {
  for (int i = 0; i < 8; ++i) to[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
}

ExemplarInfo exemplar_from(const std::uint8_t* at, const IdCipher& cipher, const TickScale& scale) noexcept {
  ExemplarInfo e;
  e.present = true;
  e.value = load<double>(at + offsetof(Exemplar, value));
  e.time_unix_ns = scale.unix_ns(load<std::uint64_t>(at + offsetof(Exemplar, ticks)));
  const auto flags = load<std::uint32_t>(at + offsetof(Exemplar, flags));
  const auto lo = load<std::uint64_t>(at + offsetof(Exemplar, trace_lo)),
             span = load<std::uint64_t>(at + offsetof(Exemplar, span));
  if ((flags & kFlagTraceForeign) != 0) {
    put_big_endian(e.trace_id.data(), load<std::uint64_t>(at + offsetof(Exemplar, trace_hi)));
    put_big_endian(e.trace_id.data() + 8, lo);
  } else {
    e.trace_id = cipher.trace_id(lo);
  }
  if ((flags & kFlagParentForeign) != 0) put_big_endian(e.span_id.data(), span);
  else e.span_id = cipher.span_id(span);
  return e;
}

}  // namespace

// Where the blocks of one reading are, and what may still be unfolded from them.
struct RingReader::CellWalk {
  std::uint64_t offset, used;  // of the cells in the file; bytes in use
  std::uint64_t buckets_left;  // every bank belongs to one histogram: more buckets than the area holds is a lie
  IdCipher cipher;
  TickScale scale;
};

bool RingReader::read_histogram(CellWalk& walk, HistogramCell& cell) {
  State& s = *state_;
  alignas(8) std::uint8_t before[sizeof(HistogramBlock)], block[sizeof(HistogramBlock)];
  const std::uint64_t at = walk.offset + cell.block;
  for (int tries = 0; tries < kTriesMax; ++tries) {
    if (!s.read(before, sizeof before, at)) return false;
    const auto bank = load<std::uint64_t>(before + offsetof(HistogramBlock, bank));
    s.second.clear();
    if (bank != 0) {
      alignas(8) std::uint8_t head[sizeof(BlockHeader)];
      const std::uint64_t bank_at = bank_offset_of(bank);
      if (bank_at > walk.used || walk.used - bank_at < kBankHeaderBytes) return false;
      if (!s.read(head, sizeof head, walk.offset + bank_at)) return false;
      const auto header = load<BlockHeader>(head);
      if (header.type != BlockType::bank || header.count > kHistogramBucketsMax || header.count > walk.buckets_left ||
          walk.used - bank_at - kBankHeaderBytes < header.count * 4ULL) {
        return false;
      }
      if (!s.read(s.second, header.count * 4ULL, walk.offset + bank_at + kBankHeaderBytes)) return false;
    }
    if (!s.read(block, sizeof block, at)) return false;
    if (load<std::uint64_t>(block + offsetof(HistogramBlock, bank)) != bank) continue;
    // Zeros and sum of the earlier copy: the buckets may know more than the sum, never less. The range of the later
    // one: it may be too wide for the buckets, never too narrow.
    Histogram h = parse(before);
    const Histogram later = parse(block);
    std::copy(std::begin(later.range), std::end(later.range), std::begin(h.range));
    take_buckets(h, s.second, cell.sketch);
    for (std::size_t i = 0; i < 2; ++i) cell.range[i] = {h.range[i].epoch, h.range[i].min, h.range[i].max};
    walk.buckets_left -= s.second.size() / 4;
    constexpr std::size_t kSeqAt = offsetof(HistogramBlock, exemplar) + offsetof(Exemplar, seq);
    const auto seq = load<std::uint32_t>(before + kSeqAt);
    std::uint32_t after = 0;
    if (seq != 0 && seq % 2 == 0 && s.read(&after, sizeof after, at + kSeqAt) && after == seq) {
      cell.exemplar = exemplar_from(block + offsetof(HistogramBlock, exemplar), walk.cipher, walk.scale);
    }
    return true;
  }
  return false;
}

// As of a histogram: between two equal even numbers nobody wrote.
bool RingReader::read_exemplar(CellWalk& walk, std::uint64_t at, CounterExemplar& to) {
  State& s = *state_;
  alignas(8) std::uint8_t block[sizeof(CounterExemplarBlock)];
  constexpr std::size_t kExemplarAt = offsetof(CounterExemplarBlock, exemplar);
  const std::uint64_t seq_at = walk.offset + at + kExemplarAt + offsetof(Exemplar, seq);
  std::uint32_t before = 0, after = 0;
  if (!s.read(&before, sizeof before, seq_at) || before == 0 || before % 2 != 0 ||
      !s.read(block, sizeof block, walk.offset + at) || !s.read(&after, sizeof after, seq_at) || after != before)
    return false;
  to.series = load<std::uint32_t>(block + offsetof(CounterExemplarBlock, series));
  to.exemplar = exemplar_from(block + kExemplarAt, walk.cipher, walk.scale);
  return true;
}

bool RingReader::read_cells(CellSnapshot& to) try {
  State& s = *state_;
  const Header& h = s.header();
  to.scalars.clear();
  to.histograms.clear();
  to.exemplars.clear();
  to.skipped = 0;
  if (!s.read(s.first, s.live.cells_used, h.cells_offset)) return false;
  CellWalk walk{h.cells_offset, s.live.cells_used, s.live.cells_used / 4,
                IdCipher(s.source.trace_key, s.source.span_key), tick_scale()};
  for (std::uint64_t at = 0; at < walk.used;) {
    if (walk.used - at < 64) return s.fail("its cells end in the middle of a block");
    const auto block = load<BlockHeader>(&s.first[at]);
    if (block.bytes < 64 || block.bytes % 64 != 0 || block.bytes > walk.used - at)
      return s.fail("a block of cells has an impossible size");
    if (block.type == BlockType::slab) {
      if (block.count > (block.bytes - kSlabHeaderBytes) / 8)
        return s.fail("a slab says that it has more cells than fit into it");
      const bool shared = block.slot == kSharedSlot;
      for (std::uint32_t i = 0; i < block.count; ++i) {
        const auto value = load<std::uint64_t>(&s.first[at + kSlabHeaderBytes + i * 8ULL]);
        // A shared slab spans series of all kinds: gauges, and what threads without a slab of their own added to
        // counters.
        if (shared ? value != kGaugeUnset && (value != 0 || s.is_gauge(block.series + i)) : value != 0)
          to.scalars.push_back({block.slot, block.series + i, value});
      }
    } else if (block.type == BlockType::histogram) {
      if (block.bytes < sizeof(HistogramBlock)) return s.fail("a histogram's block is too small");
      HistogramCell cell;
      cell.slot = block.slot;
      cell.series = block.series;
      cell.block = static_cast<std::uint32_t>(at);
      if (read_histogram(walk, cell)) to.histograms.push_back(std::move(cell));
      else ++to.skipped;
    } else if (block.type == BlockType::exemplar) {
      if (block.bytes < sizeof(CounterExemplarBlock)) return s.fail("an exemplar's block is too small");
      CounterExemplar exemplar;
      // As many as a recorder may have been asked for: more are a lie that costs three reads each.
      if (to.exemplars.size() < kSlowLimitsMax && read_exemplar(walk, at, exemplar)) to.exemplars.push_back(exemplar);
    } else if (block.type != BlockType::bank) {
      return s.fail("a block of cells has an unknown type");
    }
    at += block.bytes;
  }
  return true;
} catch (const std::bad_alloc&) { return false; }

bool RingReader::cells_changed() try {
  State& s = *state_;
  if (!s.read(s.second, s.live.cells_used, s.header().cells_offset)) return true;
  if (s.second == s.cells_seen) return false;
  s.cells_seen.swap(s.second);
  return true;
} catch (const std::bad_alloc&) { return true; }

}  // namespace honeylink::telemetry::ring
