// Writes a log record straight into the thread's chunk: no slot, nothing to survive but the finished record.
#include <cstring>

#include "honeylink/log.h"
#include "record/count.h"
#include "record/identity.h"
#include "record/items_writer.h"
#include "record/names.h"
#include "record/process.h"
#include "record/ticks.h"

namespace honeylink::telemetry::internal {

constinit unsigned char min_log_level = static_cast<unsigned char>(LogLevel::info);

namespace {

ring::LogRecord make_record(const SpanRef& in, LogLevel level, std::uint32_t name, std::uint16_t scope,
                            const LogOptions* options) noexcept {
  ring::LogRecord record{};
  record.header = {0, ring::RecordType::log, 0, name};
  unsigned flags = 0;
  if ((in.flags & kRefValid) != 0) {
    flags |= ring::kFlagHasParent;
    if ((in.flags & kRefTraceForeign) != 0) flags |= ring::kFlagTraceForeign;
    if ((in.flags & kRefSpanForeign) != 0) flags |= ring::kFlagParentForeign;
    record.trace_hi = in.trace_hi;
    record.trace_lo = in.trace_lo;
    record.span = in.span;
  }
  if (options != nullptr && options->at.unix_ns != 0) {
    flags |= ring::kFlagWallTimes;
    record.time = static_cast<std::uint64_t>(options->at.unix_ns);
  } else {
    record.time = ticks_now();
  }
  record.header.flags = static_cast<std::uint8_t>(flags);
  record.scope = scope;
  record.level = static_cast<std::uint8_t>(level);
  return record;
}

SpanRef span_of(const Thread& t, const LogOptions* options) noexcept {
  SpanRef ref = options != nullptr && options->context != nullptr ? ref_of(options->context->span()) : t.current.span;
  if ((ref.flags & kRefValid) != 0) make_foreign_if_older(ref);
  return ref;
}

}  // namespace

void log(const Scope& scope, std::uint32_t& cached_scope, LogLevel level, const EventName& name,
         const Attribute* fields, std::size_t field_count, const LogOptions* options) noexcept {
  const Entry entry;
  SlotState* s = entry.state();
  if (s == nullptr) [[unlikely]]
    return count_unplaced(entry, ring::RecordClass::log);
  const std::uint32_t id = intern(name, NameKind::name);
  if (id >= kUnknownName) [[unlikely]]
    return;
  const std::string_view message = options != nullptr ? options->message : std::string_view{};
  ring::LogRecord record =
      make_record(span_of(entry.current_thread(), options), level, id, scope_id(scope, cached_scope), options);
  const std::uint32_t bytes_max = (static_cast<std::uint32_t>(sizeof record) + items_bytes(fields, field_count) +
                                   text_bytes(message, kValueBytesMax) + 7U) &
                                  ~7U;
  static_assert(sizeof(ring::LogRecord) + kItemsPerRecordMax * (sizeof(ItemHeader) + kTextBytesMax) + kTextBytesMax +
                    16 >
                kRecordBytesMax);
  std::size_t fitting = field_count;
  if (bytes_max > kRecordBytesMax) [[unlikely]] {  // 32 long values: the last ones go
    for (std::uint32_t bytes = bytes_max; bytes > kRecordBytesMax - 8; bytes -= item_bytes(fields[fitting].value))
      if (fitting > kItemsPerRecordMax) fitting = kItemsPerRecordMax - 1;
      else --fitting;
    saturate_add(record.dropped_attributes, field_count - fitting);
    count(ProcessCounter::attribute_dropped, field_count - fitting);
  }
  std::uint8_t* at =
      s->writer.reserve(bytes_max < kRecordBytesMax ? bytes_max : kRecordBytesMax, ring::RecordClass::log);
  if (at == nullptr) [[unlikely]]
    return;
  std::uint8_t* end = write_items(at + sizeof record, fields, fitting, record.items, record.dropped_attributes);
  if (!message.empty()) [[unlikely]] {
    end = write_text(end, ItemType::message, 0, message, kValueBytesMax);
    ++record.items;
  }
  const std::uint32_t bytes = (static_cast<std::uint32_t>(end - at) + 7U) & ~7U;
  record.header.bytes = static_cast<std::uint16_t>(bytes);
  std::memcpy(at, &record, sizeof record);
  s->writer.publish(bytes, ring::RecordClass::log);
  after_publication(*s);
  if (s->writer.switches() != s->switches_seen) [[unlikely]]
    after_switch(*s);
}

}  // namespace honeylink::telemetry::internal
