// Names of the counters that a process keeps in its ring's header (ring/layout.h, Header::counters). Append only: the
// numbers are part of the file format.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace honeylink::telemetry {

enum class ProcessCounter : std::uint8_t {
  invalid_name,       // metric name, unit or run-time name refused
  name_cut,           // span or event name over 128 bytes
  value_cut,          // text over 256 bytes
  attribute_dropped,  // over 32 attributes, over 8 KB, or lost the try-lock twice
  event_dropped,
  increment_refused,   // negative, NaN or infinite increment
  value_refused,       // NaN or infinite gauge; negative or NaN observation
  series_overflow,     // recorded into {otel.metric.overflow=true}
  names_full,          // interned as "_other"
  nested_call,         // recording from a signal handler inside a record
  foreign_activation,  // an Activation that ended on another thread
  span_without_slot,   // open-span slots exhausted
  baggage_refused,
  trace_state_refused,
  invalid_utf8,         // replaced by U+FFFD
  too_many_threads,     // threads without a slot
  instrument_conflict,  // two declarations that differ in kind or unit
  ring_moved,           // the ring's file was removed; a new one was made
  memory_only,          // no ring file could be made
  count_                // number of the above
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(ProcessCounter::count_)> kProcessCounterNames{
    "invalid_name",        "name_cut",
    "value_cut",           "attribute_dropped",
    "event_dropped",       "increment_refused",
    "value_refused",       "series_overflow",
    "names_full",          "nested_call",
    "foreign_activation",  "span_without_slot",
    "baggage_refused",     "trace_state_refused",
    "invalid_utf8",        "too_many_threads",
    "instrument_conflict", "ring_moved",
    "memory_only"};

}  // namespace honeylink::telemetry
