// Histograms: a block per thread and series in the ring's cells. The usual observation is inlined into the application
// (honeylink/internal/histogram.h); here is the rest. Growth and rescaling build a new bank of buckets and publish it
// with one store (PROTOCOL 6), so that a kill at any instruction leaves one whole bank.
#include <bit>
#include <cmath>
#include <limits>
#include <new>

#include "base/limits.h"
#include "honeylink/metrics.h"
#include "record/cells.h"
#include "record/count.h"
#include "record/histogram_index.h"
#include "record/process.h"
#include "record/series.h"
#include "record/span_access.h"
#include "record/ticks.h"

namespace honeylink::telemetry::internal {
namespace {

// What the file shows, then what only this process uses; as far as `epoch` it is what HistogramCell says.
struct Live {
  ring::HistogramBlock shared;
  std::uint64_t low, above;
  std::uint64_t place;
  const std::uint32_t* tick_epoch;
  std::uint32_t epoch;
  std::uint32_t shift;  // kHistogramScaleStart - scale
  double slow_limit;
  double lowest;  // of what went into a bucket in this interval
  std::uint32_t* buckets;
  std::uint32_t bucket_count;
  std::int32_t base;  // index of buckets[0] at this scale
};
static_assert(offsetof(Live, shared.sum) == offsetof(HistogramCell, sum) &&
              offsetof(Live, low) == offsetof(HistogramCell, low) &&
              offsetof(Live, above) == offsetof(HistogramCell, above) &&
              offsetof(Live, place) == offsetof(HistogramCell, place) &&
              offsetof(Live, tick_epoch) == offsetof(HistogramCell, tick_epoch) &&
              offsetof(Live, epoch) == offsetof(HistogramCell, epoch));
// A coarser index is a finer one shifted, bias and all.
static_assert(kHistogramScaleStart - kHistogramScaleMin <= 16 && kIndexBias == 1U << 16U);

double load(const std::atomic<double>& v) noexcept { return v.load(std::memory_order_relaxed); }
void store(std::atomic<double>& v, double n) noexcept { v.store(n, std::memory_order_relaxed); }

ring::Header& header_of(const SlotState& s) noexcept { return s.ring->map.header(); }

std::uint32_t* make_bank(SlotState& s, std::uint32_t series, std::uint32_t count, std::uint32_t& offset) noexcept {
  ring::BlockHeader* bank = ring::append_block(s.ring->map, ring::BlockType::bank,
                                               ring::kBankHeaderBytes + std::size_t{count} * 4, s.slot, series, count);
  if (bank == nullptr) return nullptr;
  auto* bytes = reinterpret_cast<std::uint8_t*>(bank);
  offset = static_cast<std::uint32_t>(bytes - s.ring->map.cells());
  return reinterpret_cast<std::uint32_t*>(bytes + ring::kBankHeaderBytes);
}

// The range of indexes (at the current scale) that hold something, together with one that is to come.
struct Extent {
  std::int32_t low, high;
};
Extent extent_with(const Live& h, std::int32_t index) noexcept {
  Extent extent{index, index};
  for (std::uint32_t i = 0; i < h.bucket_count; ++i) {
    if (load_relaxed(h.buckets[i]) == 0) continue;
    const std::int32_t at = h.base + static_cast<std::int32_t>(i);
    extent.low = at < extent.low ? at : extent.low;
    extent.high = at > extent.high ? at : extent.high;
  }
  return extent;
}

std::uint64_t place_of(std::uint32_t first_bucket, std::uint32_t shift, std::int32_t base) noexcept {
  static_assert(kRingBytesMax < (std::uint64_t{1} << 31U), "a bank's offset is a positive number of 32 bits");
  const std::int32_t biased_base = base + static_cast<std::int32_t>(kIndexBias >> shift);
  const std::int32_t origin =
      static_cast<std::int32_t>(first_bucket) - biased_base * static_cast<std::int32_t>(sizeof(std::uint32_t));
  return std::uint64_t{shift} << 32U | static_cast<std::uint32_t>(origin);
}

// What is recorded by a signal handler from now on is refused as nested, and counted.
void shut_out_handlers(Live& h) noexcept {
  store_relaxed(h.above, std::uint64_t{0});
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

// Makes room for the bucket of `index6` (an index at scale 6): more buckets while there may be more, then a coarser
// scale.
bool make_room(SlotState& s, Live& h, std::int32_t index6) noexcept {
  Extent extent = extent_with(h, index6 >> h.shift);
  std::int32_t coarser = 0;
  while ((extent.high >> coarser) - (extent.low >> coarser) >= static_cast<std::int32_t>(kHistogramBucketsMax))
    ++coarser;
  extent = {extent.low >> coarser, extent.high >> coarser};
  const auto span = static_cast<std::uint32_t>(extent.high - extent.low + 1);
  std::uint32_t count = h.bucket_count == 0 ? kHistogramBucketsStart : h.bucket_count;
  while (count < span) count *= 2;
  if (count > kHistogramBucketsMax || (coarser > 0 && h.bucket_count != 0)) count = kHistogramBucketsMax;
  std::uint32_t offset = 0;
  std::uint32_t* bank;
  {
    const Locked locked;
    bank = make_bank(s, h.shared.block.series, count, offset);
  }
  if (bank == nullptr) return false;
  shut_out_handlers(h);
  const std::int32_t base = extent.low - static_cast<std::int32_t>((count - span) / 2);
  for (std::uint32_t i = 0; i < h.bucket_count; ++i) {
    const std::uint32_t n = load_relaxed(h.buckets[i]);
    if (n != 0) bank[((h.base + static_cast<std::int32_t>(i)) >> coarser) - base] += n;
  }
  h.shift += static_cast<std::uint32_t>(coarser);
  h.buckets = bank;
  h.bucket_count = count;
  h.base = base;
  store_relaxed(h.place, place_of(offset + ring::kBankHeaderBytes, h.shift, base));
  h.shared.bank.store(ring::make_bank_word(offset, kHistogramScaleStart - static_cast<int>(h.shift), base),
                      std::memory_order_release);
  return true;
}

void begin_interval(Live& h, std::uint32_t epoch) noexcept {
  shut_out_handlers(h);
  ring::HistogramBlock::Range& range = h.shared.range[epoch & 1U];
  store(range.min, std::numeric_limits<double>::infinity());
  store(range.max, -std::numeric_limits<double>::infinity());
  range.epoch.store(epoch, std::memory_order_release);
  h.epoch = epoch;
  h.lowest = std::numeric_limits<double>::infinity();
}

bool has_bucket(const Live& h, double value) noexcept {
  return static_cast<std::uint32_t>((bucket_index(value) >> h.shift) - h.base) < h.bucket_count;
}

// Between the interval's extremes none is a new extreme or slow. Zeros and subnormal numbers are nobody's extreme here:
// they have no place among the buckets of their neighbours. The extremes' buckets are there as long as they hold
// something, which a count of 2^32 does not: so they are looked for, and record() need look no more.
void set_usual_values(Live& h, double highest) noexcept {
  const double low = is_normal(h.lowest) ? h.lowest : std::numeric_limits<double>::min();
  const double high = highest < h.slow_limit ? highest : h.slow_limit;
  const bool any = low <= high && is_normal(high) && has_bucket(h, low) && has_bucket(h, high);
  shut_out_handlers(h);
  store_relaxed(h.low, std::bit_cast<std::uint64_t>(low));
  std::atomic_signal_fence(std::memory_order_seq_cst);
  store_relaxed(h.above, any ? std::bit_cast<std::uint64_t>(high) + 1 : std::uint64_t{0});
}

void take_exemplar(Live& h, double value, const SpanRef& span) noexcept {
  if ((span.flags & kRefValid) == 0) return;
  ring::Exemplar& e = h.shared.exemplar;
  const std::uint32_t seq = e.seq.load(std::memory_order_relaxed);
  e.seq.store(seq + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  unsigned flags = 0;
  if ((span.flags & kRefTraceForeign) != 0) flags |= ring::kFlagTraceForeign;
  if ((span.flags & kRefSpanForeign) != 0) flags |= ring::kFlagParentForeign;
  e.flags = flags;
  e.value = value;
  e.ticks = ticks_now();
  e.trace_hi = span.trace_hi;
  e.trace_lo = span.trace_lo;
  e.span = span.span;
  e.seq.store(seq + 2, std::memory_order_release);
}

// Rare: the first value of an interval, a new minimum or maximum, a slow one.
void attend(Live& h, double value) noexcept {
  const std::uint32_t epoch = __atomic_load_n(h.tick_epoch, __ATOMIC_RELAXED);
  if (epoch != h.epoch) begin_interval(h, epoch);
  ring::HistogramBlock::Range& range = h.shared.range[epoch & 1U];
  if (value < load(range.min)) store(range.min, value);
  if (value > load(range.max)) {
    store(range.max, value);
    take_exemplar(h, value, thread.current.span);
  }
  if (value > h.slow_limit) flag_open_span(thread.current.span, ring::kFlagSlow);
  if (value > 0.0 && value < h.lowest) h.lowest = value;
  set_usual_values(h, load(range.max));
}

Live* make_histogram(SlotState& s, std::uint32_t series) noexcept {
  ring::BlockHeader* block;
  {
    const Locked locked;
    block = ring::append_block(s.ring->map, ring::BlockType::histogram, sizeof(Live), s.slot, series, 0);
  }
  if (block == nullptr) return nullptr;
  auto* h = reinterpret_cast<Live*>(block);
  h->slow_limit = slow_limit_of(series);
  h->tick_epoch = reinterpret_cast<const std::uint32_t*>(&header_of(s).tick_epoch);
  begin_interval(*h, header_of(s).tick_epoch.load(std::memory_order_relaxed));
  s.cells[series] = static_cast<std::uint64_t>(reinterpret_cast<std::uint8_t*>(block) - s.ring->map.cells());
  return h;
}

// False where the value lies outside the buckets.
bool record_in(Live& h, double value, std::int32_t index6) noexcept {
  const auto k = static_cast<std::uint32_t>((index6 >> h.shift) - h.base);
  if (k >= h.bucket_count) return false;
  store(h.shared.sum, load(h.shared.sum) + value);
  add_to_bucket(h.buckets[k]);
  attend(h, value);
  return true;
}

}  // namespace

void record_histogram(const Instrument& instrument, std::uint32_t series, double value) noexcept {
  if (!(value >= 0.0 && value <= std::numeric_limits<double>::max()))
    return count_and_say(ProcessCounter::value_refused,
                         "a histogram was given a negative, NaN or infinite value, which is refused",
                         instrument.name.text());
  const Entry entry;
  if (entry.nested()) return count(ProcessCounter::nested_call);
  if (series == kNoSeries) {
    series = register_series(instrument, nullptr, 0);
    if (series == kNoSeries) return;
    store_relaxed(instrument.series, series);
  }
  SlotState* s = entry.state();
  if (s == nullptr || !grow_cells(*s, series)) return count(ProcessCounter::series_overflow);
  auto* h = s->cells[series] != 0 ? reinterpret_cast<Live*>(s->ring->map.cells() + s->cells[series])
                                  : make_histogram(*s, series);
  if (h == nullptr) return count(ProcessCounter::series_overflow);
  if (value == 0.0) {
    h->shared.zeros.store(h->shared.zeros.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return attend(*h, value);
  }
  const std::int32_t index6 = bucket_index(value);
  if (record_in(*h, value, index6)) return;
  if (!make_room(*s, *h, index6) || !record_in(*h, value, index6)) count(ProcessCounter::series_overflow);
}

}  // namespace honeylink::telemetry::internal
