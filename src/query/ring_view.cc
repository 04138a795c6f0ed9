// See ring_view.h.
#include "query/ring_view.h"

#include <algorithm>
#include <cstring>

#include "base/ids.h"
#include "query/json.h"

namespace honeylink::telemetry::query {
namespace {

void put_big_endian(std::uint8_t* to, std::uint64_t value) noexcept {
  for (int i = 0; i < 8; ++i) to[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
}

TraceIdBytes trace_id_of(const TraceRef& trace, const IdCipher& ids) noexcept {
  if (!trace.foreign) return ids.trace_id(trace.lo);
  TraceIdBytes id{};
  put_big_endian(id.data(), trace.hi);
  put_big_endian(id.data() + 8, trace.lo);
  return id;
}

std::string json_of(const Item& item) {
  JsonWriter json;
  const auto numbers = [&](auto sample) {
    json.begin_array();
    for (std::size_t at = 0; at + sizeof sample <= item.payload.size(); at += sizeof sample) {
      const auto value = item.as<decltype(sample)>(at);
      if constexpr (std::is_same_v<decltype(sample), double>) json.real(value);
      else if constexpr (sizeof sample == 1) json.boolean(value != 0);
      else json.integer(value);
    }
    json.end_array();
  };
  switch (item.type) {
    case ItemType::boolean:
      json.boolean(item.payload[0] != 0);
      break;
    case ItemType::integer:
      json.integer(item.as<std::int64_t>());
      break;
    case ItemType::real:
      json.real(item.as<double>());
      break;
    case ItemType::id:
      json.text(hex(item.payload.subspan(2)));
      break;
    case ItemType::booleans:
      numbers(std::uint8_t{});
      break;
    case ItemType::integers:
      numbers(std::int64_t{});
      break;
    case ItemType::reals:
      numbers(double{});
      break;
    case ItemType::texts: {
      json.begin_array();
      for (auto rest = item.payload; rest.size() >= 2;) {
        std::uint16_t size = 0;
        std::memcpy(&size, rest.data(), sizeof size);
        rest = rest.subspan(2);
        if (size > rest.size()) break;
        json.text({reinterpret_cast<const char*>(rest.data()), size});
        rest = rest.subspan(size);
      }
      json.end_array();
      break;
    }
    default:
      json.text(item.text());
  }
  return json.str();
}

SpanView view_of(const SpanEvent& event, const IdCipher& ids) {
  SpanView view;
  const Source& source = *event.source;
  view.trace_id = trace_id_of(event.trace, ids);
  view.span_id = ids.span_id(event.span);
  view.has_parent = event.parent.present;
  if (event.parent.foreign) put_big_endian(view.parent_span_id.data(), event.parent.value);
  else if (event.parent.present) view.parent_span_id = ids.span_id(event.parent.value);
  view.name = source.text(event.name), view.service = source.resource.service_name,
  view.module = source.resource.module;
  view.kind = event.kind, view.status = event.status, view.kept = event.kept, view.unfinished = event.unfinished;
  view.start_unix_ns = event.start_unix_ns, view.duration_ns = event.duration_ns;
  ItemCursor items(event.items);
  for (Item item; items.next(item);) {
    if (item.type == ItemType::status_text) view.status_text = item.text();
    else if (item.type == ItemType::event)
      view.has_events = true,
      view.events.push_back({std::string(source.text(item.as<std::uint32_t>())), item.as<std::int64_t>(4), {}});
    else if (item.type < ItemType::event) view.attributes.emplace_back(source.text(item.key), json_of(item));
  }
  return view;
}

LastLog view_of(const LogEvent& event, const IdCipher& ids) {
  LastLog log;
  const Source& source = *event.source;
  log.time_unix_ns = event.time_unix_ns, log.level = event.level;
  log.event = source.text(event.name), log.module = source.resource.module;
  if (event.in_span) log.trace_id = hex(trace_id_of(event.trace, ids));
  ItemCursor items(event.items);
  for (Item item; items.next(item);) {
    if (item.type == ItemType::message) log.message = item.text();
    else if (item.type < ItemType::event) log.fields.emplace_back(source.text(item.key), json_of(item));
  }
  return log;
}

bool is_among(const std::vector<SpanView>& spans, const SpanView& one) {
  return std::any_of(spans.begin(), spans.end(), [&](const SpanView& span) {
    return span.span_id == one.span_id && span.trace_id == one.trace_id;
  });
}

}  // namespace

void read_ring_content(ring::RingReader& reader, scrub::Scrubber& scrubber, std::vector<SpanView>& spans,
                       std::vector<LastLog>& logs) {
  scrubber.names(reader.mutable_source());
  const Source& source = reader.source();
  const IdCipher ids(source.trace_key, source.span_key);
  const ring::TickScale scale = reader.tick_scale();
  std::vector<ring::ChunkView> chunks;
  if (!reader.read_chunks(chunks)) return;
  SpanEvent span;
  LogEvent log;
  ring::RawRecord record;
  for (const ring::ChunkView& chunk : chunks) {
    ring::ChunkCopy copy;
    bool moved = false;
    const bool holds = chunk.state == ring::ChunkState::owned || chunk.state == ring::ChunkState::full;
    if (!holds || !reader.copy_chunk(chunk, copy, moved)) continue;
    ring::RecordCursor records(copy.bytes);
    while (records.next(record)) {
      if (decode_span(source, scale, record, {}, span)) scrubber.clean(span), spans.push_back(view_of(span, ids));
      else if (decode_log(source, scale, record, {}, log)) scrubber.clean(log), logs.push_back(view_of(log, ids));
    }
  }
  std::int64_t last = source.started_unix_ns;
  for (const SpanView& view : spans) last = std::max(last, view.end_unix_ns());
  for (const LastLog& view : logs) last = std::max(last, view.time_unix_ns);
  std::vector<ring::OpenSpan> open;
  if (!reader.read_open_spans(open)) return;
  for (const ring::OpenSpan& slot : open) {
    ring::RecordCursor one(slot.record);
    if (!one.next(record) || !decode_span(source, scale, record, {}, span)) continue;
    span.unfinished = true;
    span.duration_ns = std::max<std::int64_t>(0, last - span.start_unix_ns);
    scrubber.clean(span);
    SpanView view = view_of(span, ids);
    // Between its record and the end of its slot a span is in both (docs/models, VIEW_ENDING).
    if (slot.ending && is_among(spans, view)) continue;
    spans.push_back(std::move(view));
  }
}

}  // namespace honeylink::telemetry::query
