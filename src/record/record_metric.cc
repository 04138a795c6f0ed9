// The one-line form for a metric used in one place only: finds or makes an instrument by its content.
#include <new>

#include "honeylink/telemetry.h"
#include "record/count.h"
#include "record/memory.h"
#include "record/names.h"
#include "record/process.h"

namespace honeylink::telemetry {
namespace internal {
namespace {

constexpr std::uint32_t kTableSize = 4096;

struct InstrumentEntry {
  std::uint64_t word = 0;  // of name, unit and kind
  const Instrument* instrument = nullptr;
};
constinit InstrumentEntry table[kTableSize]{};

std::uint64_t word_of(MetricKind kind, const MetricName& name, const Unit& unit) noexcept {
  return (name.word() * 0x9e3779b97f4a7c15ULL ^ unit.word()) * 0xff51afd7ed558ccdULL +
         static_cast<std::uint64_t>(kind) + 1;
}

std::string_view stay(std::string_view text) noexcept {  // the caller's text may be gone tomorrow
  std::uint8_t* copy = take_bytes(text.size() + 1);
  if (copy == nullptr) return {};
  for (std::size_t i = 0; i < text.size(); ++i) copy[i] = static_cast<std::uint8_t>(text[i]);
  return {reinterpret_cast<const char*>(copy), text.size()};
}

const Instrument* find_instrument(MetricKind kind, const MetricName& name, const Unit& unit) noexcept {
  const std::uint64_t word = word_of(kind, name, unit);
  for (std::uint32_t at = static_cast<std::uint32_t>(word >> 50) % kTableSize, probes = 0; probes < kTableSize;
       at = (at + 1) % kTableSize, ++probes) {
    if (__atomic_load_n(&table[at].word, __ATOMIC_ACQUIRE) == word) return table[at].instrument;
    if (table[at].word != 0) continue;
    const Locked locked;
    if (table[at].word == word) return table[at].instrument;
    if (table[at].word != 0) continue;
    std::uint8_t* memory = take_bytes(sizeof(Instrument));
    if (memory == nullptr) return nullptr;
    const InstrumentKind as = kind == MetricKind::counter ? InstrumentKind::counter_real
                              : kind == MetricKind::gauge ? InstrumentKind::gauge
                                                          : InstrumentKind::histogram;
    table[at].instrument =
        new (memory) Instrument{MetricName::runtime(stay(name.text())), stay(unit.text()), {}, &kApplicationScope, as};
    __atomic_store_n(&table[at].word, word, __ATOMIC_RELEASE);
    return table[at].instrument;
  }
  return nullptr;
}

}  // namespace
}  // namespace internal

void record_metric(MetricKind kind, MetricName name, Unit unit, double value, Labels labels) noexcept {
  using namespace internal;
  if (!is_valid_name(name.text(), NameKind::metric) || unit.size() == 0 || unit.size() > 63)
    return count_and_say(ProcessCounter::invalid_name,
                         "a metric's name or unit was refused (OpenTelemetry, instrument name syntax)", {});
  const Instrument* instrument = find_instrument(kind, name, unit);
  if (instrument == nullptr) return count(ProcessCounter::names_full);
  const std::uint32_t series = find_series(*instrument, labels.begin(), labels.size());
  if (series == kNoSeries) return;
  if (kind == MetricKind::counter) add_real(*instrument, series, value);
  else if (kind == MetricKind::gauge) set_gauge(*instrument, series, value);
  else record_histogram(*instrument, series, value);
}

}  // namespace honeylink::telemetry
