// Cells: a thread's slab grows by a larger one beside it (the old one keeps what it holds: values are summed over
// slabs), gauges live in cells that all threads share, and label sets are found by a per-thread table of 64-bit keyed
// hashes.
#include "record/cells.h"

#include <sys/random.h>

#include <bit>
#include <cstring>

#include "base/limits.h"
#include "honeylink/metrics.h"
#include "record/count.h"
#include "record/counter_exemplar.h"
#include "record/memory.h"
#include "record/process.h"
#include "record/sampler.h"
#include "record/series.h"

namespace honeylink::telemetry::internal {
namespace {

constexpr std::uint32_t kFirstSlab = 64;
constexpr std::uint32_t kCacheFirst = 256, kCacheMax = 8192;

// The table trusts 64 bits: with a seed that nobody outside knows, two of 2,000 label sets meet with a probability of
// 1e-13.
constinit std::uint64_t hash_seed = 0;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a ^ 0xa0761d6478bd642fULL) * (b ^ 0xe7037ed1a0b428dbULL);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t load_bytes(const char* text, std::size_t size) noexcept {  // size ≤ 8
  std::uint64_t word = 0;
  if (size >= 4) {
    std::uint32_t low, high;
    std::memcpy(&low, text, 4);
    std::memcpy(&high, text + size - 4, 4);
    return std::uint64_t{high} << 32 | low;
  }
  for (std::size_t i = 0; i < size; ++i) word = word << 8 | static_cast<unsigned char>(text[i]);
  return word;
}

std::uint64_t hash_text(std::string_view text, std::uint64_t seed) noexcept {
  const char* at = text.data();
  std::size_t left = text.size();
  seed ^= left;
  for (; left > 8; at += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    seed = mix(seed, word);
  }
  return mix(seed, load_bytes(at, left));
}

std::uint64_t hash_labels(const Instrument& instrument, const Label* labels, std::size_t count) noexcept {
  // The name as well: another plug-in's instrument may come to stand where an unloaded one stood.
  std::uint64_t hash =
      hash_seed ^ static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&instrument)) ^ instrument.name.word();
  for (std::size_t i = 0; i < count; ++i) {
    const Value& value = labels[i].value;
    hash = mix(hash, labels[i].key.word());
    hash =
        value.type() == Value::Type::text
            ? hash_text(value.text(), hash)
            : mix(hash, static_cast<std::uint64_t>(value.integer()) ^ static_cast<std::uint64_t>(value.type()) << 60);
  }
  return hash | 1;
}

std::uint32_t look_up(const SlotState& s, std::uint64_t hash) noexcept {
  if (s.series_cache == nullptr) return kNoSeries;
  const std::uint32_t mask = s.series_cache_size - 1;
  for (std::uint32_t at = static_cast<std::uint32_t>(hash >> 20) & mask; s.series_cache[at].hash != 0;
       at = (at + 1) & mask)
    if (s.series_cache[at].hash == hash) return s.series_cache[at].series;
  return kNoSeries;
}

void enter(SeriesCacheEntry* cache, std::uint32_t size, std::uint64_t hash, std::uint32_t series) noexcept {
  std::uint32_t at = static_cast<std::uint32_t>(hash >> 20) & (size - 1);
  while (cache[at].hash != 0) at = (at + 1) & (size - 1);
  cache[at] = {hash, series, 0};
}

// Bounded: a thread that meets ever new label sets (all of them overflow) forgets and begins again.
void remember(SlotState& s, std::uint64_t hash, std::uint32_t series) noexcept {
  if (s.series_cache == nullptr || s.series_cache_used * 2 >= s.series_cache_size) {
    if (s.series_cache_size == kCacheMax) {
      std::memset(s.series_cache, 0, sizeof(SeriesCacheEntry) * kCacheMax);
      s.series_cache_used = 0;
    } else {
      const std::uint32_t size = s.series_cache == nullptr             ? kCacheFirst
                                 : s.series_cache_size * 4 < kCacheMax ? s.series_cache_size * 4
                                                                       : kCacheMax;
      auto* larger = static_cast<SeriesCacheEntry*>(take_pages(sizeof(SeriesCacheEntry) * size));
      if (larger == nullptr) return;
      for (std::uint32_t i = 0; i < s.series_cache_size; ++i)
        if (s.series_cache[i].hash != 0) enter(larger, size, s.series_cache[i].hash, s.series_cache[i].series);
      s.series_cache = larger;
      s.series_cache_size = size;
    }
  }
  enter(s.series_cache, s.series_cache_size, hash, series);
  ++s.series_cache_used;
}

std::uint32_t unlabelled(const Instrument& instrument) noexcept {
  std::uint32_t series = load_relaxed(instrument.series);
  if (series == kNoSeries) {
    series = register_series(instrument, nullptr, 0);
    if (series != kNoSeries) store_relaxed(instrument.series, series);
  }
  return series;
}

// Where a thread has no slab for it, all such threads share one cell; then an addition must be a locked one.
template <class F>
void add_shared(std::uint32_t series, F&& change) noexcept {
  Ring* ring = process.current.load(std::memory_order_acquire);
  if (ring == nullptr) return;
  std::uint64_t* cell = shared_cell(*ring, series, false);
  if (cell == nullptr) {
    const Locked locked;
    cell = shared_cell(*ring, series, true);
  }
  if (cell == nullptr) return count(ProcessCounter::series_overflow);
  std::uint64_t seen = load_relaxed(*cell);
  while (!__atomic_compare_exchange_n(cell, &seen, change(seen), true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
}

template <class F>
void add_anyhow(const Instrument& instrument, std::uint32_t series, double n, F&& change) noexcept {
  const Entry entry;
  if (entry.nested()) return count(ProcessCounter::nested_call);
  if (series == kNoSeries) series = unlabelled(instrument);
  if (series == kNoSeries) return count(ProcessCounter::invalid_name);
  SlotState* s = entry.state();
  const std::uint32_t plain = plain_series(series);
  if (s == nullptr || !grow_cells(*s, plain)) {
    add_shared(plain, change);
  } else {
    std::uint64_t& cell = s->cells[plain];
    store_relaxed(cell, change(load_relaxed(cell)));
  }
  if (keeps_exemplar(series)) keep_exemplar(series, n);
}

}  // namespace

bool grow_cells(SlotState& s, std::uint32_t series) noexcept {
  if (series < s.cell_count) {
    thread_cells = {s.cells, s.ring->map.cells(), s.cell_count};
    return true;
  }
  std::uint32_t count = s.cell_count == 0 ? kFirstSlab : s.cell_count;
  while (count <= series) count *= 4;
  const Locked locked;
  ring::BlockHeader* block = ring::append_block(s.ring->map, ring::BlockType::slab,
                                                ring::kSlabHeaderBytes + std::size_t{count} * 8, s.slot, 0, count);
  if (block == nullptr) return false;
  auto* cells = reinterpret_cast<std::uint64_t*>(reinterpret_cast<std::uint8_t*>(block) + ring::kSlabHeaderBytes);
  // Histograms stay where they are: the new cell points at the same block.
  for (std::uint32_t i = 0; i < s.cell_count; ++i)
    if (series_kind(i) == InstrumentKind::histogram) cells[i] = s.cells[i];
  s.cells = cells;
  s.cell_count = count;
  thread_cells = {cells, s.ring->map.cells(), count};
  return true;
}

std::uint32_t find_series(const Instrument& instrument, const Label* labels, std::size_t count) noexcept {
  if (count == 0) {
    const std::uint32_t series = load_relaxed(instrument.series);
    if (series != kNoSeries) return series;
  }
  const Entry entry;
  if (entry.nested()) return internal::count(ProcessCounter::nested_call), kNoSeries;
  if (count == 0) return unlabelled(instrument);
  SlotState* s = entry.state();
  if (hash_seed == 0) [[unlikely]] {
    std::uint64_t seed = 0;
    (void)!getrandom(&seed, sizeof seed, 0);
    __atomic_store_n(&hash_seed, seed | 2, __ATOMIC_RELAXED);
  }
  const std::uint64_t hash = hash_labels(instrument, labels, count);
  std::uint32_t series = s != nullptr ? look_up(*s, hash) : kNoSeries;
  if (series != kNoSeries) [[likely]]
    return series;
  series = register_series(instrument, labels, count);
  if (series != kNoSeries && s != nullptr) remember(*s, hash, series);
  return series;
}

void add_slow(const Instrument& instrument, std::uint32_t series, std::uint64_t n) noexcept {
  add_anyhow(instrument, series, static_cast<double>(n), [n](std::uint64_t value) { return value + n; });
}

void add_slow_real(const Instrument& instrument, std::uint32_t series, double n) noexcept {
  add_anyhow(instrument, series, n,
             [n](std::uint64_t value) { return std::bit_cast<std::uint64_t>(std::bit_cast<double>(value) + n); });
}

void set_gauge_slow(const Instrument& instrument, std::uint32_t series, double value) noexcept {
  if (!(value - value == 0)) {  // NaN, infinite
    return count_and_say(ProcessCounter::value_refused, "a gauge was set to NaN or infinity, which is refused",
                         instrument.name.text());
  }
  Ring* ring = process.current.load(std::memory_order_acquire);
  std::uint64_t* cell = ring != nullptr && series != kNoSeries ? shared_cell(*ring, series, false) : nullptr;
  if (cell == nullptr) {
    const Entry entry;  // binds, and so makes a ring
    if (entry.nested()) return count(ProcessCounter::nested_call);
    if (series == kNoSeries) series = unlabelled(instrument);
    ring = process.current.load(std::memory_order_acquire);
    cell = ring != nullptr && series != kNoSeries ? shared_cell(*ring, series, false) : nullptr;
    if (cell == nullptr) return count(ProcessCounter::series_overflow);
  }
  store_relaxed(*cell, std::bit_cast<std::uint64_t>(value));
}

void refuse(const Instrument& instrument) noexcept {
  count_and_say(ProcessCounter::increment_refused,
                "a counter was given a negative, NaN or infinite increment, which is refused", instrument.name.text());
}

bool recording() noexcept { return process.current.load(std::memory_order_relaxed) != nullptr || !process.prepared; }

}  // namespace honeylink::telemetry::internal
