// See take.h. An unsampled span costs a look at its fixed part unless its trace is marked or it asks for marking.
#include "engine/take.h"

#include <cstring>

#include "base/killpoint.h"
#include "engine/retro_keep.h"

namespace honeylink::telemetry::engine {
namespace {

constexpr std::uint8_t kStatusError = 2;  // SpanStatus of trace.h
constexpr std::uint8_t kLevelError = 17;  // OpenTelemetry severity numbers: ERROR and above

ring::SpanRecord fixed_part(const ring::RawRecord& record) noexcept {
  ring::SpanRecord fixed;
  std::memcpy(&fixed, record.bytes.data(), sizeof fixed);  // the cursor has checked that it is whole
  return fixed;
}

}  // namespace

void take_span(Core& core, RingState& ring, const ring::TickScale& scale, const ring::RawRecord& record,
               RecordPosition at) {
  Sink& sink = core.sinks[kTraceSink];
  const ring::SpanRecord fixed = fixed_part(record);
  const bool unsampled = record.record_class == ring::RecordClass::unsampled_span;
  const bool marking =
      fixed.status == kStatusError || (fixed.header.flags & (ring::kFlagKeepTrace | ring::kFlagSlow)) != 0;
  ++sink.pending.accepted;
  Kept kept = Kept::sampled;
  if (unsampled) {
    const TraceRef trace{(fixed.header.flags & ring::kFlagTraceForeign) != 0, fixed.trace_hi, fixed.trace_lo};
    if (marking)
      mark_trace(core, ring, trace,
                 fixed.status == kStatusError                  ? "error"
                 : (fixed.header.flags & ring::kFlagSlow) != 0 ? "slow"
                                                               : "asked");
    const bool wanted = is_marked(core, ring, trace) && core.traces->keep_once(ring.id, at.slot, at.ordinal);
    if (!wanted) {
      ++sink.sampled_out;
      return;
    }
    kept = Kept::retroactive;
  }
  SpanEvent span;
  if (!decode_span(ring.source(), scale, record, at, span)) return;  // the class was read from the same bytes
  span.kept = kept;
  core.scrubber->clean(span);
  core.traces->add(span);
  killpoint("drain.after_trace_add");
  ++sink.pending.stored;
  ++ring.spans_stored;
  if (span.status == kStatusError) sink.urgent = true;
}

void take_log(Core& core, RingState& ring, const ring::TickScale& scale, const ring::RawRecord& record,
              RecordPosition at) {
  Sink& sink = core.sinks[kLogSink];
  LogEvent log;
  if (!decode_log(ring.source(), scale, record, at, log)) return;
  ++sink.pending.accepted;
  core.scrubber->clean(log);
  core.logs->add(log);
  killpoint("drain.after_log_add");
  ++sink.pending.stored;
  if (log.level >= kLevelError) sink.urgent = true;
}

}  // namespace honeylink::telemetry::engine
