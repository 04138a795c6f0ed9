// See series.h. Identity is by content (scope, name, kind, unit, labels): the same instrument in two translation units
// is one.
#include "record/series.h"

#include <cstring>
#include <limits>

#include "base/limits.h"
#include "record/count.h"
#include "record/counter_exemplar.h"
#include "record/items_writer.h"
#include "record/memory.h"
#include "record/names.h"
#include "record/process.h"
#include "record/slow_limits.h"

namespace honeylink::telemetry::internal {

constinit std::uint64_t* gauge_cells = nullptr;

namespace {

constexpr std::uint32_t kTableSize = 2 * kSeriesMax;
constexpr std::uint32_t kInstrumentsMax = 4096;
constexpr std::size_t kPayloadMax = sizeof(ring::SeriesEntry) + kLabelsMax * (sizeof(ItemHeader) + kTextBytesMax);

struct SeriesRecord {
  const std::uint8_t* payload;  // SeriesEntry and label items
  std::uint32_t bytes;
  std::uint16_t labels;
  InstrumentKind kind;
  double slow_limit;
};
struct InstrumentRecord {
  std::uint64_t hash;      // of SeriesEntry and kind; 0: free
  std::uint64_t identity;  // of scope and name: to see conflicts
  std::uint32_t series;    // how many
  std::uint32_t overflow;  // its overflow series
};

constinit SeriesRecord all[kSeriesMax]{};
constinit std::uint32_t series_count = 0;
constinit std::uint32_t table[kTableSize]{};  // series + 1
constinit InstrumentRecord instruments[kInstrumentsMax]{};

std::uint64_t hash_bytes(const void* bytes, std::size_t size, std::uint64_t seed) noexcept {
  return hash_literal(static_cast<const char*>(bytes), size) * 0x9e3779b97f4a7c15ULL ^ seed * 0xff51afd7ed558ccdULL;
}

struct Definition {
  alignas(8) std::uint8_t payload[kPayloadMax];
  std::uint32_t bytes = 0;
  std::uint16_t labels = 0;
};

std::uint32_t find(const Definition& wanted, InstrumentKind kind, std::uint32_t& place) noexcept {
  place = static_cast<std::uint32_t>(hash_bytes(wanted.payload, wanted.bytes, static_cast<std::uint64_t>(kind) + 1) %
                                     kTableSize);
  for (; table[place] != 0; place = (place + 1) % kTableSize) {
    const SeriesRecord& there = all[table[place] - 1];
    if (there.kind == kind && there.bytes == wanted.bytes &&
        std::memcmp(there.payload, wanted.payload, wanted.bytes) == 0)
      return table[place] - 1;
  }
  return kNoSeries;
}

bool write_series(const Ring& ring, std::uint32_t id) noexcept {
  const SeriesRecord& series = all[id];
  return ring::append_entry(ring.map, ring::EntryType::series, static_cast<std::uint8_t>(series.kind), series.labels,
                            id, {series.payload, series.bytes});
}

bool make_gauge_cell(Ring& ring, std::uint32_t id) noexcept {
  std::uint64_t* cell = shared_cell(ring, id, true);
  if (cell == nullptr) return false;
  store_relaxed(*cell, ring::kGaugeUnset);
  return true;
}

std::uint32_t add(const Definition& definition, InstrumentKind kind, std::uint32_t place, double slow_limit) noexcept {
  const Ring* current = process.current.load(std::memory_order_relaxed);
  if (series_count == kSeriesMax) return kNoSeries;
  // Before start() the ring is a small one; what it has no room for is shown by the next.
  if (process.started && current != nullptr && !ring::has_room(current->map, definition.bytes)) return kNoSeries;
  std::uint8_t* copy = take_bytes(definition.bytes);
  if (copy == nullptr) return kNoSeries;
  std::memcpy(copy, definition.payload, definition.bytes);
  const std::uint32_t id = series_count++;
  all[id] = {copy, definition.bytes, definition.labels, kind, slow_limit};
  table[place] = id + 1;
  const std::uint32_t rings = process.ring_count.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < rings; ++i) {
    // The cell first: a reader that sees the series must not find a gauge of 0 that nobody set.
    if (kind == InstrumentKind::gauge) make_gauge_cell(*process.rings[i], id);
    // Rings of before (start() leaves a small one behind) may be full without a loss: nobody begins a series in them.
    if (!write_series(*process.rings[i], id) && process.rings[i] == current) count(ProcessCounter::names_full);
  }
  return id;
}

InstrumentRecord* instrument_record(const Definition& plain, std::uint64_t identity, InstrumentKind kind,
                                    std::string_view name) noexcept {
  std::uint64_t hash = hash_bytes(plain.payload, sizeof(ring::SeriesEntry), static_cast<std::uint64_t>(kind) + 1);
  if (hash == 0) hash = 1;
  for (std::uint32_t probe = 0, at = static_cast<std::uint32_t>(hash % kInstrumentsMax); probe < kInstrumentsMax;
       ++probe, at = (at + 1) % kInstrumentsMax) {
    InstrumentRecord& record = instruments[at];
    if (record.hash == hash) return &record;
    if (record.hash != 0) continue;
    for (const InstrumentRecord& other : instruments)
      if (other.hash != 0 && other.identity == identity)
        count_and_say(ProcessCounter::instrument_conflict,
                      "an instrument is declared with different kinds or units; both are kept apart", name);
    record = {hash, identity, 0, kNoSeries};
    return &record;
  }
  return nullptr;
}

// Sorted by key, so that the order of a call does not matter. False: too many labels, or a key that is refused. The
// keys are interned here, before the lock is taken.
bool define(const Label* labels, std::size_t count, Definition& definition) noexcept {
  if (count > kLabelsMax) return false;
  const Label* sorted[kLabelsMax];
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t place = i;
    for (; place > 0 && labels[i].key.text() < sorted[place - 1]->key.text(); --place)
      sorted[place] = sorted[place - 1];
    sorted[place] = &labels[i];
  }
  std::uint8_t* at = definition.payload + sizeof(ring::SeriesEntry);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint8_t* end = write_item(at, definition.payload + sizeof definition.payload,
                                   Key::runtime(sorted[i]->key.text()), sorted[i]->value);
    if (end == at || end == nullptr) return false;
    ++definition.labels;
    at = end;
  }
  definition.bytes = static_cast<std::uint32_t>(at - definition.payload);
  return true;
}

void complete(const Instrument& instrument, std::uint32_t name, Definition& definition) noexcept {
  const ring::SeriesEntry entry{name, intern_text_locked(instrument.unit), intern_text_locked(instrument.description),
                                scope_id_locked(*instrument.scope)};
  std::memcpy(definition.payload, &entry, sizeof entry);
}

/// The number by which the application's threads know it.
std::uint32_t handed_out(std::uint32_t id, const Instrument& instrument) noexcept {
  const bool counts = instrument.kind == InstrumentKind::counter || instrument.kind == InstrumentKind::counter_real;
  const int name = counts && id != kNoSeries ? exemplar_name_of(instrument.name.text()) : -1;
  return name < 0 ? id : with_exemplar(id, static_cast<std::uint32_t>(name));
}

}  // namespace

std::uint32_t register_series(const Instrument& instrument, const Label* labels, std::size_t count) noexcept {
  const std::uint32_t name = intern(instrument.name, NameKind::metric);
  if (name >= kUnknownName || !is_valid_name(instrument.name.text(), NameKind::metric)) {
    count_and_say(ProcessCounter::invalid_name, "a metric's name was refused (OpenTelemetry, instrument name syntax)",
                  {});
    return kNoSeries;
  }
  Definition definition;
  if (!define(labels, count, definition)) {
    internal::count(ProcessCounter::invalid_name);
    return kNoSeries;
  }
  Definition overflow;
  const Label overflow_label[] = {{"otel.metric.overflow", true}};
  define(overflow_label, 1, overflow);
  const Locked locked;
  complete(instrument, name, definition);
  complete(instrument, name, overflow);
  std::uint32_t place = 0;
  if (const std::uint32_t id = find(definition, instrument.kind, place); id != kNoSeries)
    return handed_out(id, instrument);
  const std::uint64_t identity = hash_bytes(definition.payload, 4, 7) ^ scope_id_locked(*instrument.scope);
  InstrumentRecord* record = instrument_record(definition, identity, instrument.kind, instrument.name.text());
  const double slow_limit = slow_limit_for(instrument.name.text());
  if (record != nullptr && record->overflow == kNoSeries) {  // reserved now: it must be there when nothing else fits
    std::uint32_t overflow_place = 0;
    record->overflow = find(overflow, instrument.kind, overflow_place);
    if (record->overflow == kNoSeries) record->overflow = add(overflow, instrument.kind, overflow_place, slow_limit);
    find(definition, instrument.kind, place);  // its place may be taken now
  }
  if (record == nullptr || record->series >= kSeriesPerInstrumentMax || series_count >= kSeriesMax - kInstrumentsMax) {
    count_and_say(ProcessCounter::series_overflow,
                  "over 2,000 series; further label sets are counted as otel.metric.overflow", instrument.name.text());
    return record != nullptr ? handed_out(record->overflow, instrument) : kNoSeries;
  }
  const std::uint32_t id = add(definition, instrument.kind, place, slow_limit);
  if (id == kNoSeries) {
    count_and_say(ProcessCounter::series_overflow,
                  "no room for more series in the ring; further label sets are counted as otel.metric.overflow",
                  instrument.name.text());
    return handed_out(record->overflow, instrument);
  }
  ++record->series;
  return handed_out(id, instrument);
}

InstrumentKind series_kind(std::uint32_t series) noexcept { return all[series].kind; }

double slow_limit_of(std::uint32_t series) noexcept { return all[series].slow_limit; }

bool replay_series(Ring& ring) noexcept {
  bool whole = true;
  for (std::uint32_t id = 0; id < series_count; ++id) {
    if (all[id].kind == InstrumentKind::gauge) whole &= make_gauge_cell(ring, id);
    whole &= write_series(ring, id);
  }
  return whole;
}

void publish_gauge_cells(const Ring* ring) noexcept {
  static_assert(kGaugeCells == kSharedCellsPerSegment);
  std::uint64_t* const cells = ring != nullptr ? ring->shared[0].load(std::memory_order_relaxed) : nullptr;
  __atomic_store_n(&gauge_cells, cells, __ATOMIC_RELEASE);
}

std::uint64_t* shared_cell(Ring& ring, std::uint32_t series, bool make) noexcept {
  if (series >= kSeriesMax) return nullptr;
  std::atomic<std::uint64_t*>& segment = ring.shared[series / kSharedCellsPerSegment];
  std::uint64_t* cells = segment.load(std::memory_order_acquire);
  if (cells == nullptr && make) {
    ring::BlockHeader* block = ring::append_block(
        ring.map, ring::BlockType::slab, ring::kSlabHeaderBytes + kSharedCellsPerSegment * 8, ring::kSharedSlot,
        series / kSharedCellsPerSegment * kSharedCellsPerSegment, kSharedCellsPerSegment);
    if (block == nullptr) return nullptr;
    cells = reinterpret_cast<std::uint64_t*>(reinterpret_cast<std::uint8_t*>(block) + ring::kSlabHeaderBytes);
    segment.store(cells, std::memory_order_release);
    if (process.current.load(std::memory_order_relaxed) == &ring) publish_gauge_cells(&ring);
  }
  return cells != nullptr ? cells + series % kSharedCellsPerSegment : nullptr;
}

}  // namespace honeylink::telemetry::internal
