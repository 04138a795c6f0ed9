// See testing_cells.h.
#include "record/testing_cells.h"

#include <bit>

#include "record/series.h"

namespace honeylink::telemetry::testing {
namespace {

using internal::load_relaxed;
using internal::process;

template <class F>
void for_each_block(const internal::Ring& ring, F&& f) {
  const std::uint64_t used = ring.map.header().cells_used.load(std::memory_order_acquire);
  for (std::uint64_t at = 0; at < used;) {
    auto& block = *reinterpret_cast<ring::BlockHeader*>(ring.map.cells() + at);
    f(block);
    at += block.bytes;
  }
}

std::uint64_t* cells_of(ring::BlockHeader& slab) noexcept {
  return reinterpret_cast<std::uint64_t*>(reinterpret_cast<std::uint8_t*>(&slab) + ring::kSlabHeaderBytes);
}

std::uint64_t observations(const internal::Ring& ring, const ring::HistogramBlock& h) noexcept {
  std::uint64_t sum = h.zeros.load(std::memory_order_relaxed);
  const std::uint32_t offset = ring::bank_offset_of(h.bank.load(std::memory_order_acquire));
  if (offset == 0) return sum;
  auto* bank = reinterpret_cast<ring::BlockHeader*>(ring.map.cells() + offset);
  const auto* buckets =
      reinterpret_cast<const std::uint32_t*>(reinterpret_cast<std::uint8_t*>(bank) + ring::kBankHeaderBytes);
  for (std::uint32_t i = 0; i < bank->count; ++i) sum += load_relaxed(buckets[i]);
  return sum;
}

/// Calls f(address, series, value, shared) for every cell that may hold something.
template <class F>
void for_each_cell(const internal::Ring& ring, F&& f) {
  for_each_block(ring, [&](ring::BlockHeader& block) {
    if (block.type == ring::BlockType::histogram) {
      f(static_cast<const void*>(&block), block.series,
        observations(ring, reinterpret_cast<const ring::HistogramBlock&>(block)), false, true);
    } else if (block.type == ring::BlockType::slab) {
      const std::uint64_t* cells = cells_of(block);
      for (std::uint32_t i = 0; i < block.count; ++i)
        f(static_cast<const void*>(cells + i), block.series + i, load_relaxed(cells[i]),
          block.slot == ring::kSharedSlot, false);
    }
  });
}

template <class F>
void for_each_ring(F&& f) {
  const std::uint32_t rings = process.ring_count.load(std::memory_order_acquire);
  for (std::uint32_t i = 0; i < rings; ++i) f(*process.rings[i]);
}

}  // namespace

CellBaseline CellBaseline::of_now() {
  CellBaseline baseline;
  for_each_ring([&](const internal::Ring& ring) {
    for_each_cell(ring, [&](const void* at, std::uint32_t, std::uint64_t value, bool, bool) {
      if (value != 0) baseline.held_[at] = value;
    });
  });
  return baseline;
}

std::optional<double> CellBaseline::grown(const internal::Ring& ring, std::uint32_t series, MetricType kind) const {
  std::optional<double> sum;
  const auto add = [&](double n) { sum = sum.value_or(0) + n; };
  for_each_ring([&](const internal::Ring& of) {
    for_each_cell(of, [&](const void* at, std::uint32_t whose, std::uint64_t value, bool shared, bool histogram) {
      if (whose != series || histogram != (kind == MetricType::histogram)) return;
      if (kind == MetricType::gauge) {
        if (shared && &of == &ring && value != ring::kGaugeUnset) add(std::bit_cast<double>(value));
        return;
      }
      const auto held = held_.find(at);
      const std::uint64_t before = held != held_.end() ? held->second : 0;
      if (value == before) return;
      if (kind == MetricType::counter_real) add(std::bit_cast<double>(value) - std::bit_cast<double>(before));
      else if (kind == MetricType::up_down) add(static_cast<double>(static_cast<std::int64_t>(value - before)));
      else add(static_cast<double>(value - before));
    });
  });
  return sum;
}

void forget_gauges(const internal::Ring& ring) noexcept {
  for_each_block(ring, [](ring::BlockHeader& block) {
    if (block.type != ring::BlockType::slab || block.slot != ring::kSharedSlot) return;
    for (std::uint32_t i = 0; i < block.count; ++i) {
      // Cells of numbers that no series has yet are set when it gets one.
      if (internal::series_kind(block.series + i) == internal::InstrumentKind::gauge)
        internal::store_relaxed(cells_of(block)[i], std::uint64_t{ring::kGaugeUnset});
    }
  });
}

}  // namespace honeylink::telemetry::testing
