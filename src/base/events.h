// The shared nouns: what a ring holds, once decoded; what scrub cleans, stores keep and views show.
//
// All are views for the length of one call: bytes and texts belong to the reader's buffers or to the Source. Times are
// Unix ns.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/items.h"

namespace honeylink::telemetry {

using RingId = std::array<std::uint8_t, 16>;
using IdKey = std::array<std::uint8_t, 16>;

/// OpenTelemetry "Resource". `more` is scrubbed text.
struct ResourceInfo {
  std::string service_name, service_version, module, environment;
  std::vector<std::pair<std::string, std::string>> more;
};

struct ScopeInfo {
  std::string name, version, schema_url;
};

/// One recording process start (one ring). Lives as long as the engine knows the ring; its tables only grow.
/// `serial` is unique within a run of the engine: stores cache their own ids per (serial, text id).
struct Source {
  std::uint64_t serial = 0;
  RingId ring_id{};
  std::uint64_t pid = 0;
  std::int64_t started_unix_ns = 0;
  IdKey trace_key{}, span_key{};
  ResourceInfo resource;
  std::vector<std::string> texts;  // by text id
  std::vector<ScopeInfo> scopes;   // by scope id

  [[nodiscard]] std::string_view text(std::uint32_t id) const noexcept {
    return id < texts.size() ? std::string_view(texts[id]) : std::string_view("_unknown");
  }
};

/// Where a record stands: exactly-once is kept by (ring, slot, ordinal).
struct RecordPosition {
  std::uint32_t slot = 0;
  std::uint64_t ordinal = 0;  // sum over classes: the n-th record of its slot
};

/// A trace id: foreign = the 16 bytes as two big-endian halves; else `lo` is a counter under Source::trace_key
/// (base/ids.h).
struct TraceRef {
  bool foreign = false;
  std::uint64_t hi = 0, lo = 0;
  friend bool operator==(const TraceRef&, const TraceRef&) = default;
};
/// A span id: foreign = the 8 bytes as a big-endian number; else a counter under Source::span_key.
struct SpanRef {
  bool present = false;
  bool foreign = false;
  std::uint64_t value = 0;
};

enum class Kept : std::uint8_t { sampled = 0, retroactive = 1, crash = 2, unsampled = 3 };

struct SpanEvent {
  const Source* source = nullptr;
  RecordPosition at;
  TraceRef trace;
  std::uint64_t span = 0;  // counter
  SpanRef parent;
  std::uint32_t name = 0;  // text id in source
  std::uint16_t scope = 0;
  std::uint8_t kind = 0;    // SpanKind
  std::uint8_t status = 0;  // SpanStatus: 0 unset, 1 ok, 2 error
  Kept kept = Kept::sampled;
  bool unfinished = false;  // its process died while it was open; duration is up to the last sign of life
  bool keep_trace = false, slow = false, no_slot = false;
  std::int64_t start_unix_ns = 0;
  std::int64_t duration_ns = 0;
  std::uint16_t dropped_attributes = 0, dropped_events = 0;
  std::span<const std::uint8_t> items;  // checked; keys are text ids of source
};

struct LogEvent {
  const Source* source = nullptr;
  RecordPosition at;
  std::int64_t time_unix_ns = 0;
  bool in_span = false;
  TraceRef trace;
  SpanRef span;
  std::uint32_t name = 0;  // event name
  std::uint16_t scope = 0;
  std::uint8_t level = 0;  // OpenTelemetry severity number
  std::uint16_t dropped_attributes = 0;
  std::span<const std::uint8_t> items;
};

enum class MetricType : std::uint8_t { counter = 0, counter_real = 1, up_down = 2, gauge = 3, histogram = 4 };

/// Identity of a series across processes: never a pid or a host. Labels are sorted by key; values are text.
struct SeriesInfo {
  std::string name, unit, description;
  MetricType kind = MetricType::counter;
  std::string scope_name, scope_version;
  std::vector<std::pair<std::string, std::string>> labels;
  std::string service_name, module, environment;
};

/// Counts of an exponential histogram: bucket i covers (base^(index), base^(index+1)] with base = 2^(2^-scale), index =
/// offset + i.
struct Sketch {
  std::int32_t scale = 0;
  std::int32_t offset = 0;
  std::uint64_t zeros = 0;
  std::uint64_t count = 0;
  double sum = 0, min = 0, max = 0;
  std::vector<std::uint64_t> buckets;
};

struct ExemplarInfo {
  bool present = false;
  double value = 0;
  std::int64_t time_unix_ns = 0;
  std::array<std::uint8_t, 16> trace_id{};
  std::array<std::uint8_t, 8> span_id{};
};

/// What one series did since the last commit: a difference (counter, up_down, histogram) or the last value (gauge).
struct MetricDelta {
  std::uint32_t sid = 0;  // of metrics.db's series table
  MetricType kind = MetricType::counter;
  std::uint64_t integer = 0;  // counter (modulo 2^64), up_down (two's complement)
  double real = 0;            // counter_real, gauge
  const Sketch* sketch = nullptr;
  ExemplarInfo exemplar;
};

/// Levels of a service level indicator, worst last: a level's alerts have it as their severity.
enum class Level : std::uint8_t { ok = 0, yellow = 1, orange = 2, red = 3 };

/// A service level indicator reached a level, or left it: what the owner is told, in the log, the table, the toast and
/// the Alertmanager alike (DESIGN 9). Owns its texts: it outlives the tick that made it.
struct AlertEvent {
  std::string alert_id;  // "alert_" + 26 characters of Crockford's base 32 (a ULID): unique, sorts by time
  Level severity = Level::ok;
  std::string sli_name, module, environment, unit;
  double current_value = 0, threshold = 0;  // in the metric's own unit
  std::string threshold_type;               // "upper"
  std::int64_t timestamp_unix_ns = 0;
  std::string trace_id;                 // 32 hexadecimal digits of an exemplar, or empty
  std::int64_t cleared_at_unix_ns = 0;  // 0: it fires
};

}  // namespace honeylink::telemetry
