// testing::Capture: the process records into a ring of memory for a while, which is then read back like any other ring.
//
// One ring serves all Captures of a process: threads that were bound to it keep their slots, so a Capture remembers
// where every slot stood when it began (ordinals, cells, counters) and shows what came after. Spans and logs are read
// by ring::RingReader; cells are summed over all rings of the process, because a thread that has not looked at the gate
// yet still adds to the one it had.
#include "honeylink/testing.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <semaphore>

#include "base/events.h"
#include "base/ids.h"
#include "record/count.h"
#include "record/rings.h"
#include "record/sampler.h"
#include "record/testing_cells.h"
#include "record/thread_end.h"
#include "ring/reader.h"

namespace honeylink::telemetry::testing {
namespace {

using internal::process;
using internal::Ring;

constexpr std::uint64_t kCaptureBytes = std::uint64_t{16} << 20;  // pages that no test touches cost nothing

struct Running {
  std::unique_ptr<ring::RingReader> reader;
  std::vector<std::uint64_t> begun_at;  // per slot: the ordinal of the first record that counts
  CellBaseline cells;
  std::uint64_t refused = 0;
  Ring* ring = nullptr;
  Ring* before = nullptr;
  internal::Sampling sampling;
  unsigned char tracing_on = 1, min_log_level = 0;
};

std::binary_semaphore turn{1};
std::unique_ptr<Running> running;
Ring* capture_ring = nullptr;
std::int32_t capture_pid = 0;  // a fork child has rings of its own

Ring* ring_of_this_process() {
  const internal::Locked locked;
  internal::prepare_process();
  const std::int32_t pid = process.pid.load();
  if (capture_ring == nullptr || capture_pid != pid) capture_ring = internal::make_readable_ring(kCaptureBytes);
  capture_pid = pid;
  return capture_ring;
}

std::uint64_t count_refused() noexcept {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(ProcessCounter::ring_moved); ++i)
    sum += internal::counted(static_cast<ProcessCounter>(i));
  return sum;
}

void switch_to(Ring* ring) {
  const internal::Locked locked;
  internal::make_current(ring);
}

// The calling thread looks at the gate now: its next additions go where they belong.
void rebind_this_thread() {
  internal::Thread& t = internal::thread;
  if (process.current.load() != nullptr) {
    const internal::Entry entry;
  } else if ((t.gate & internal::kInside) == 0) {
    t.gate |= internal::kInside;
    internal::release_slot(t);
    internal::leave_recorder(t);
  }
}

struct Placed {  // a record with its place
  ring::RawRecord raw;
  RecordPosition at;
};

/// Calls f(record) for all records of this Capture, every slot's in its own order.
template <class F>
void for_each_record(const Running& now, F&& f) {
  ring::RingReader& reader = *now.reader;
  std::vector<ring::ChunkView> chunks;
  if (!reader.refresh() || !reader.read_chunks(chunks)) return;
  std::sort(chunks.begin(), chunks.end(), [](const auto& a, const auto& b) { return a.seq < b.seq; });
  for (const ring::ChunkView& view : chunks) {
    ring::ChunkCopy copy;
    bool moved = false;
    if ((view.state != ring::ChunkState::owned && view.state != ring::ChunkState::full) ||
        !reader.copy_chunk(view, copy, moved))
      continue;
    ring::RecordCursor cursor(copy.bytes);
    std::uint64_t ordinal = copy.view.first_total();
    for (ring::RawRecord raw; cursor.next(raw); ++ordinal) {
      if (view.slot < now.begun_at.size() && ordinal < now.begun_at[view.slot]) continue;
      f(Placed{raw, {view.slot, ordinal}});
    }
  }
}

std::vector<std::uint64_t> next_ordinals(ring::RingReader& reader) {
  std::vector<ring::SlotView> slots;
  std::vector<std::uint64_t> next;
  if (!reader.refresh() || !reader.read_slots(slots)) return next;
  for (const ring::SlotView& slot : slots) next.push_back(slot.sealed_total());
  std::vector<ring::ChunkView> chunks;
  if (!reader.read_chunks(chunks)) return next;
  for (const ring::ChunkView& view : chunks) {
    ring::ChunkCopy copy;
    bool moved = false;
    if (view.state != ring::ChunkState::owned || view.slot >= next.size() || !reader.copy_chunk(view, copy, moved))
      continue;
    std::uint64_t ordinal = copy.view.first_total();
    ring::RecordCursor cursor(copy.bytes);
    for (ring::RawRecord raw; cursor.next(raw);) ++ordinal;
    next[view.slot] = std::max(next[view.slot], ordinal);
  }
  return next;
}

// What earlier Captures left may be taken first.
void release_what_is_full(const Ring& ring) noexcept {
  for (std::uint32_t i = 0; i < ring.map.geometry.chunk_count; ++i) {
    ring::ChunkHeader& chunk = ring.map.chunk(i);
    const std::uint64_t word = chunk.word.load(std::memory_order_acquire);
    if (ring::state_of(word) == ring::ChunkState::full)
      chunk.released.store(ring::generation_of(word), std::memory_order_release);
  }
}

template <class T>
std::string number_text(T value) {
  char text[40];
  const auto result = std::to_chars(text, text + sizeof text, value);
  return {text, result.ptr};
}

template <class T>
std::string array_text(const Item& item) {
  std::string text = "[";
  for (std::size_t at = 0; at + sizeof(T) <= item.payload.size(); at += sizeof(T)) {
    if (at != 0) text += ",";
    text += number_text(item.as<T>(at));
  }
  return text + "]";
}

std::string texts_text(const Item& item) {
  std::string text = "[";
  for (std::size_t at = 0; at + 2 <= item.payload.size();) {
    const std::size_t size = item.as<std::uint16_t>(at);
    if (at + 2 + size > item.payload.size()) break;
    if (at != 0) text += ",";
    text += item.text().substr(at + 2, size);
    at += 2 + size;
  }
  return text + "]";
}

std::string value_text(const Source& source, const Item& item) {
  switch (item.type) {
    case ItemType::boolean:
      return item.as<std::uint8_t>() != 0 ? "true" : "false";
    case ItemType::integer:
      return number_text(item.as<std::int64_t>());
    case ItemType::real:
      return number_text(item.as<double>());
    case ItemType::id:
      return std::string(source.text(item.as<std::uint16_t>())) + ":" + std::string(item.text().substr(2));
    case ItemType::booleans: {
      std::string text = "[";
      for (std::size_t i = 0; i < item.payload.size(); ++i)
        text += std::string(i != 0 ? "," : "") + (item.payload[i] != 0 ? "true" : "false");
      return text + "]";
    }
    case ItemType::integers:
      return array_text<std::int64_t>(item);
    case ItemType::reals:
      return array_text<double>(item);
    case ItemType::texts:
      return texts_text(item);
    default:
      return std::string(item.text());
  }
}

TraceId trace_id_of(const IdCipher& ids, const TraceRef& ref) {
  if (!ref.foreign) return {ids.trace_id(ref.lo)};
  TraceId id;
  for (std::size_t i = 0; i < 8; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(ref.hi >> (56 - 8 * i));
    id.bytes[8 + i] = static_cast<std::uint8_t>(ref.lo >> (56 - 8 * i));
  }
  return id;
}

SpanId span_id_of(const IdCipher& ids, const telemetry::SpanRef& ref) {
  SpanId id;
  if (!ref.present) return id;
  if (!ref.foreign) return {ids.span_id(ref.value)};
  for (std::size_t i = 0; i < 8; ++i) id.bytes[i] = static_cast<std::uint8_t>(ref.value >> (56 - 8 * i));
  return id;
}

SpanContext link_of(const Item& item) {
  TraceId trace;
  SpanId span;
  std::memcpy(trace.bytes.data(), item.payload.data(), 16);
  std::memcpy(span.bytes.data(), item.payload.data() + 16, 8);
  return {trace, span, static_cast<std::uint8_t>(item.as<std::uint32_t>(24))};
}

std::string scope_name(const Source& source, std::uint16_t scope) {
  return scope < source.scopes.size() ? source.scopes[scope].name : std::string();
}

SpanRecord span_record(const Source& source, const IdCipher& ids, const SpanEvent& event) {
  SpanRecord span;
  span.name = source.text(event.name);
  span.scope = scope_name(source, event.scope);
  span.trace_id = trace_id_of(ids, event.trace);
  span.span_id = {ids.span_id(event.span)};
  span.parent_span_id = span_id_of(ids, event.parent);
  span.kind = static_cast<SpanKind>(event.kind);
  span.status = static_cast<SpanStatus>(event.status);
  span.start_unix_ns = event.start_unix_ns;
  span.end_unix_ns = event.start_unix_ns + event.duration_ns;
  ItemCursor items(event.items);
  for (Item item; items.next(item);) {
    switch (item.type) {
      case ItemType::event:
        span.events.emplace_back(source.text(item.as<std::uint32_t>()));
        break;
      case ItemType::link:
        span.links.push_back(link_of(item));
        break;
      case ItemType::status_text:
        span.status_description = item.text();
        break;  // the last one counts
      case ItemType::trace_state:
      case ItemType::keep_reason:
      case ItemType::message:
        break;
      default:
        span.attributes[std::string(source.text(item.key))] = value_text(source, item);
    }
  }
  return span;
}

// Every slot's spans are in the order of their ends; slots are merged by time.
std::vector<SpanRecord> merge(std::vector<std::vector<SpanRecord>>& slots) {
  std::vector<SpanRecord> merged;
  std::vector<std::size_t> next(slots.size());
  for (;;) {
    std::size_t best = slots.size();
    for (std::size_t i = 0; i < slots.size(); ++i)
      if (next[i] < slots[i].size() &&
          (best == slots.size() || slots[i][next[i]].end_unix_ns < slots[best][next[best]].end_unix_ns))
        best = i;
    if (best == slots.size()) return merged;
    merged.push_back(std::move(slots[best][next[best]++]));
  }
}

std::vector<std::pair<std::string, std::string>> sorted_labels(Labels labels) {
  std::vector<std::pair<std::string, std::string>> sorted;
  for (const Label& label : labels) {
    const Value& value = label.value;
    std::string text = value.type() == Value::Type::boolean ? std::string(value.integer() != 0 ? "true" : "false")
                       : value.type() == Value::Type::integer
                           ? value.size() != 0 ? number_text(static_cast<std::uint64_t>(value.integer()))
                                               : number_text(value.integer())
                           : std::string(value.text());
    sorted.emplace_back(label.key.text(), std::move(text));
  }
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

}  // namespace

Capture::Capture() {
  turn.acquire();
  auto now = std::make_unique<Running>();
  now->ring = ring_of_this_process();
  std::string why;
  if (now->ring != nullptr) now->reader = ring::RingReader::open(Fd(dup(now->ring->fd)), "capture", false, why);
  now->sampling = internal::sampling;
  now->tracing_on = internal::tracing_on;
  now->min_log_level = internal::min_log_level;
  now->before = process.current.load();
  if (now->reader != nullptr) {
    release_what_is_full(*now->ring);
    forget_gauges(*now->ring);
    now->begun_at = next_ordinals(*now->reader);
    internal::set_sampling(Sampler::always_on(), true);
    set_min_log_level(LogLevel::debug);
    switch_to(now->ring);
    rebind_this_thread();
    now->cells = CellBaseline::of_now();
    now->refused = count_refused();
  }
  running = std::move(now);
}

Capture::~Capture() {
  if (running->reader != nullptr) {
    internal::sampling = running->sampling;
    __atomic_store_n(&internal::tracing_on, running->tracing_on, __ATOMIC_RELAXED);
    set_min_log_level(static_cast<LogLevel>(running->min_log_level));
    switch_to(running->before);
    rebind_this_thread();
  }
  running.reset();
  turn.release();
}

std::vector<SpanRecord> Capture::spans() const {
  if (running->reader == nullptr) return {};
  const Source& source = running->reader->source();
  const IdCipher ids(source.trace_key, source.span_key);
  const ring::TickScale scale = running->reader->tick_scale();
  std::vector<std::vector<SpanRecord>> slots(running->begun_at.size());
  for_each_record(*running, [&](const Placed& record) {
    SpanEvent event;
    if (ring::decode_span(source, scale, record.raw, record.at, event))
      slots[record.at.slot].push_back(span_record(source, ids, event));
  });
  return merge(slots);
}

std::vector<LogRecord> Capture::logs() const {
  if (running->reader == nullptr) return {};
  const Source& source = running->reader->source();
  const IdCipher ids(source.trace_key, source.span_key);
  const ring::TickScale scale = running->reader->tick_scale();
  std::vector<std::pair<std::int64_t, LogRecord>> logs;
  for_each_record(*running, [&](const Placed& record) {
    LogEvent event;
    if (!ring::decode_log(source, scale, record.raw, record.at, event)) return;
    LogRecord log;
    log.event = source.text(event.name);
    log.scope = scope_name(source, event.scope);
    log.level = static_cast<LogLevel>(event.level);
    if (event.in_span) log.trace_id = trace_id_of(ids, event.trace), log.span_id = span_id_of(ids, event.span);
    ItemCursor items(event.items);
    for (Item item; items.next(item);) {
      if (item.type == ItemType::message) log.message = item.text();
      else log.fields[std::string(source.text(item.key))] = value_text(source, item);
    }
    logs.emplace_back(event.time_unix_ns, std::move(log));
  });
  std::stable_sort(logs.begin(), logs.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<LogRecord> ordered;
  for (auto& [time, log] : logs) ordered.push_back(std::move(log));
  return ordered;
}

std::optional<double> Capture::value(std::string_view metric, Labels labels) const {
  if (running->reader == nullptr || !running->reader->refresh()) return std::nullopt;
  const auto wanted = sorted_labels(labels);
  std::optional<double> sum;
  for (const ring::SeriesDef& series : running->reader->series()) {
    if (series.info.name != metric || series.info.labels != wanted) continue;
    if (const auto grown = running->cells.grown(*running->ring, series.id, series.info.kind); grown.has_value())
      sum = sum.value_or(0) + *grown;
  }
  return sum;
}

std::uint64_t Capture::refused() const { return count_refused() - running->refused; }

}  // namespace honeylink::telemetry::testing
