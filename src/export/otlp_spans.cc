// See otlp_spans.h.
#include "export/otlp_spans.h"

#include <array>
#include <protozero/pbf_builder.hpp>

#include "export/otlp_fields.h"
#include "store/span_block.h"

namespace honeylink::telemetry::exporting {
namespace {

using otlp::nanos;
using otlp::tag_of;
using protozero::pbf_builder;
using SpanBuilder = pbf_builder<otlp::Span>;

template <class Bytes>
const char* chars(const Bytes& bytes) noexcept {
  return reinterpret_cast<const char*>(bytes.data());
}
void put_ids(SpanBuilder& to, const store::StoredSpan& span, const IdCipher& ids, IdRuns& runs) {
  const auto trace = span.trace.foreign ? store::trace_bytes(span.trace.hi, span.trace.lo)
                                        : runs.trace(span.source, ids, span.trace.lo);
  to.add_bytes(otlp::Span::trace_id, chars(trace), trace.size());
  const auto& id = runs.span(span.source, ids, span.span);
  to.add_bytes(otlp::Span::span_id, chars(id), id.size());
  if (!span.parent.present) return;
  const auto parent = span.parent.foreign ? store::span_bytes(span.parent.value) : ids.span_id(span.parent.value);
  to.add_bytes(otlp::Span::parent_span_id, chars(parent), parent.size());
}

void put_event(SpanBuilder& to, std::string& bytes, const store::StoredItem& item, std::int64_t start,
               SpanNames& names) {
  pbf_builder<otlp::Event> event(to, otlp::Span::events);
  event.add_fixed64(otlp::Event::time_unix_nano, nanos(item.time_unix_ns));
  const std::string_view name = names.text(item.key);
  event.add_string(otlp::Event::name, name.data(), name.size());
  store::StoredItems inner(item.items, start);
  for (store::StoredItem attribute; inner.next(attribute);)
    put_attribute(bytes, tag_of(otlp::Event::attributes), attribute, names);
}

void put_link(SpanBuilder& to, std::string& bytes, const store::StoredItem& item, std::int64_t start,
              SpanNames& names) {
  pbf_builder<otlp::Link> link(to, otlp::Span::links);
  link.add_bytes(otlp::Link::trace_id, chars(item.trace_id), item.trace_id.size());
  link.add_bytes(otlp::Link::span_id, chars(item.span_id), item.span_id.size());
  store::StoredItems inner(item.items, start);
  for (store::StoredItem attribute; inner.next(attribute);)
    put_attribute(bytes, tag_of(otlp::Link::attributes), attribute, names);
  if (item.flags != 0) link.add_fixed32(otlp::Link::flags, item.flags);
}

// What OTLP has no field for, under our own names.
void put_own(std::string& bytes, const store::StoredSpan& span) {
  constexpr auto kAttributes = tag_of(otlp::Span::attributes);
  if (span.kept == Kept::retroactive) put_text_attribute(bytes, kAttributes, "honeylink.kept", "retroactive");
  if (span.kept == Kept::crash) put_text_attribute(bytes, kAttributes, "honeylink.kept", "crash");
  if (span.unfinished) put_bool_attribute(bytes, kAttributes, "honeylink.unfinished", true);
}

// Returns what the status says in words; a view into the span's items.
std::string_view put_items(SpanBuilder& to, std::string& bytes, const store::StoredSpan& span, SpanNames& names) {
  std::string_view status;
  store::StoredItems items(span.items, span.start_unix_ns);
  for (store::StoredItem item; items.next(item);) {
    switch (item.type) {
      case ItemType::event:
        put_event(to, bytes, item, span.start_unix_ns, names);
        break;
      case ItemType::link:
        put_link(to, bytes, item, span.start_unix_ns, names);
        break;
      case ItemType::status_text:
        status = item.text;
        break;
      case ItemType::trace_state:
        to.add_string(otlp::Span::trace_state, item.text.data(), item.text.size());
        break;
      case ItemType::keep_reason:
        put_text_attribute(bytes, tag_of(otlp::Span::attributes), "honeylink.keep.reason", item.text);
        break;
      case ItemType::message:
        break;
      default:
        put_attribute(bytes, tag_of(otlp::Span::attributes), item, names);
    }
  }
  return status;
}

void put_status(SpanBuilder& to, const store::StoredSpan& span, std::string_view words) {
  if (span.status == 0 && words.empty()) return;
  pbf_builder<otlp::Status> status(to, otlp::Span::status);
  if (!words.empty()) status.add_string(otlp::Status::message, words.data(), words.size());
  if (span.status != 0) status.add_enum(otlp::Status::code, span.status);
}

std::uint32_t flags_of(const store::StoredSpan& span) noexcept {
  std::uint32_t flags = otlp::kFlagSampled | otlp::kFlagHasIsRemote;  // what is sent was kept
  if (span.parent.present && span.parent.foreign) flags |= otlp::kFlagIsRemote;
  return flags;
}

}  // namespace

bool SpanRequest::add(const store::StoredSpan& span, SpanNames& names) {
  const SpanNames::Recording* recording = names.recording(span.source);
  if (recording == nullptr) return false;
  std::string& bytes = groups_.items_of(span.source, span.scope, recording->recorder, names.scope(span.scope));
  const std::size_t before = bytes.size();
  {
    pbf_builder<otlp::ScopeItems> scope(bytes);
    SpanBuilder to(scope, otlp::ScopeItems::items);
    put_ids(to, span, recording->ids, runs_);
    const std::string_view name = names.text(span.name);
    to.add_string(otlp::Span::name, name.data(), name.size());
    to.add_enum(otlp::Span::kind, span.kind + 1);  // OTLP's 0 is unspecified
    to.add_fixed64(otlp::Span::start_time_unix_nano, nanos(span.start_unix_ns));
    std::int64_t end = 0;
    if (__builtin_add_overflow(span.start_unix_ns, span.duration_ns, &end)) end = INT64_MAX;
    to.add_fixed64(otlp::Span::end_time_unix_nano, nanos(end));
    const std::string_view words = put_items(to, bytes, span, names);
    put_own(bytes, span);
    if (span.dropped_attributes != 0) to.add_uint32(otlp::Span::dropped_attributes_count, span.dropped_attributes);
    if (span.dropped_events != 0) to.add_uint32(otlp::Span::dropped_events_count, span.dropped_events);
    put_status(to, span, words);
    to.add_fixed32(otlp::Span::flags, flags_of(span));
  }
  groups_.added(bytes.size() - before);
  return true;
}

}  // namespace honeylink::telemetry::exporting
