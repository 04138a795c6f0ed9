// traces.db, looked at: see trace_reader.h.
#include "query/trace_reader.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "query/database.h"
#include "query/held_ids.h"
#include "query/json.h"
#include "query/paths.h"

namespace honeylink::telemetry::query {
namespace {

struct IdHash {
  std::size_t operator()(const TraceIdBytes& id) const noexcept {
    std::uint64_t half = 0;  // ids are keyed permutations: any 8 bytes of one are as good as a hash
    std::memcpy(&half, id.data(), sizeof half);
    return static_cast<std::size_t>(half);
  }
};

template <std::size_t N>
std::array<std::uint8_t, N> bytes_of(std::span<const std::uint8_t> blob) noexcept {
  std::array<std::uint8_t, N> bytes{};
  std::memcpy(bytes.data(), blob.data(), std::min(N, blob.size()));
  return bytes;
}

void put_big_endian(std::uint8_t* to, std::uint64_t value) noexcept {
  for (int i = 0; i < 8; ++i) to[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
}

/// Retroactive and crash tell why a trace is there although the sampler left it out: they win over sampled.
Kept stronger(Kept a, Kept b) noexcept {
  const auto rank = [](Kept k) {
    return k == Kept::crash ? 3 : k == Kept::retroactive ? 2 : k == Kept::sampled ? 1 : 0;
  };
  return rank(a) >= rank(b) ? a : b;
}

template <class T, class Format>
void append_elements(JsonWriter& json, std::span<const std::uint8_t> bytes, Format&& format) {
  for (std::size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    format(json, value);
  }
}

void append_texts(JsonWriter& json, std::span<const std::uint8_t> bytes) {
  while (bytes.size() >= 2) {
    std::uint16_t size = 0;
    std::memcpy(&size, bytes.data(), sizeof size);
    bytes = bytes.subspan(2);
    if (size > bytes.size()) return;
    json.text({reinterpret_cast<const char*>(bytes.data()), size});
    bytes = bytes.subspan(size);
  }
}

}  // namespace

std::string json_value(const store::StoredItem& item) {
  JsonWriter json;
  switch (item.type) {
    case ItemType::boolean:
      json.boolean(item.boolean);
      break;
    case ItemType::integer:
      json.integer(item.integer);
      break;
    case ItemType::real:
      json.real(item.real);
      break;
    case ItemType::id:
      json.text(hex({reinterpret_cast<const std::uint8_t*>(item.text.data()), item.text.size()}));
      break;
    case ItemType::booleans:
      json.begin_array();
      append_elements<std::uint8_t>(json, item.elements, [](JsonWriter& j, std::uint8_t v) { j.boolean(v != 0); });
      json.end_array();
      break;
    case ItemType::integers:
      json.begin_array();
      append_elements<std::int64_t>(json, item.elements, [](JsonWriter& j, std::int64_t v) { j.integer(v); });
      json.end_array();
      break;
    case ItemType::reals:
      json.begin_array();
      append_elements<double>(json, item.elements, [](JsonWriter& j, double v) { j.real(v); });
      json.end_array();
      break;
    case ItemType::texts:
      json.begin_array();
      append_texts(json, item.elements);
      json.end_array();
      break;
    default:
      json.text(item.text);
  }
  return json.str();
}

bool normalize_trace_prefix(std::string_view given, std::string& prefix) {
  prefix.clear();
  if (given.size() < 4 || given.size() > 32) return false;
  for (const char c : given) {
    const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c;
    if ((lower < '0' || lower > '9') && (lower < 'a' || lower > 'f')) return false;
    prefix += lower;
  }
  return true;
}

Answer<std::unique_ptr<TraceReader>> TraceReader::open(const std::string& home) {
  auto opened = open_database(traces_path(home));
  if (!opened.ok()) return opened.problem();
  std::unique_ptr<TraceReader> reader(new TraceReader);
  reader->path_ = traces_path(home);
  reader->connection_ = std::move(opened.value());
  reader->text_statement_ = reader->connection_.prepare("SELECT text FROM str WHERE id = ?");
  if (!reader->text_statement_ || !reader->load_sources())
    return database_problem(reader->connection_, reader->path_, "cannot read the traces");
  return reader;
}

bool TraceReader::load_sources() {
  store::Statement rows = connection_.prepare("SELECT id, trace_key, span_key, service, module, pid, ring FROM idkey");
  int code = SQLITE_DONE;
  while (rows && (code = rows.step()) == SQLITE_ROW) {
    const auto id = static_cast<std::uint32_t>(rows.integer(0));
    if (sources_.contains(id)) continue;
    sources_.emplace(id, TraceSource{IdCipher(bytes_of<16>(rows.blob(1)), bytes_of<16>(rows.blob(2))),
                                     std::string(rows.text(3)), std::string(rows.text(4)), rows.number(5)});
    rings_.emplace(id, bytes_of<16>(rows.blob(6)));
  }
  return rows && code == SQLITE_DONE;
}

const std::string& TraceReader::text(std::uint32_t id) {
  const auto [found, fresh] = texts_.try_emplace(id);
  if (fresh) {
    text_statement_.bind(1, id);
    found->second =
        text_statement_.step() == SQLITE_ROW ? std::string(text_statement_.text(0)) : std::string("_unknown");
    text_statement_.reset();
  }
  return found->second;
}

std::string TraceReader::scope(std::uint32_t id) {
  if (id == 0) return {};
  const auto [found, fresh] = scopes_.try_emplace(id);
  if (fresh) {
    store::Statement row = connection_.prepare("SELECT name FROM scope WHERE id = ?");
    if (row && row.bind(1, id).step() == SQLITE_ROW) found->second = row.text(0);
  }
  return found->second;
}

TraceIdBytes TraceReader::trace_id(const store::StoredSpan& span, const TraceSource& source) const noexcept {
  if (!span.trace.foreign) return source.ids.trace_id(span.trace.lo);
  TraceIdBytes id{};
  put_big_endian(id.data(), span.trace.hi);
  put_big_endian(id.data() + 8, span.trace.lo);
  return id;
}

const TraceSource* TraceReader::source_of(std::uint32_t id) {
  auto found = sources_.find(id);
  if (found == sources_.end() && load_sources()) found = sources_.find(id);
  return found == sources_.end() ? nullptr : &found->second;
}

namespace {
// Only of a damaged file is a time before 1970. Cut, the difference of any two of them fits.
std::int64_t sound_time(std::int64_t unix_ns) noexcept { return std::max<std::int64_t>(0, unix_ns); }

/// What list() gathers of a trace besides its summary.
struct Gathered {
  TraceSummary summary;
  std::uint32_t root_name = 0;
  std::int64_t root_start = INT64_MAX;
  bool has_root = false, has_name = false, has_pseudonym = false;
};

void gather(Gathered& trace, const store::StoredSpan& span, const TraceSource& source) {
  TraceSummary& s = trace.summary;
  ++s.spans;
  if (span.status == 2) ++s.errors;
  s.slow = s.slow || span.slow;
  s.kept = s.spans == 1 ? span.kept : stronger(s.kept, span.kept);
  const std::int64_t start = sound_time(span.start_unix_ns);
  std::int64_t end = 0;
  if (__builtin_add_overflow(start, span.duration_ns, &end)) end = INT64_MAX;
  s.start_unix_ns = std::min(s.start_unix_ns, start);
  s.end_unix_ns = std::max(s.end_unix_ns, end);
  const bool root = !span.parent.present;
  const bool better = root != trace.has_root ? root : start < trace.root_start;
  if (!better) return;
  trace.has_root = root;
  trace.root_start = start;
  trace.root_name = span.name;
  s.service = source.service;
}
}  // namespace

Answer<TraceList> TraceReader::list(const TraceFilter& filter, std::size_t limit) {
  std::unordered_map<TraceIdBytes, Gathered, IdHash> traces;
  Gathered* last = nullptr;
  store::StoredSpan last_span;
  const auto problem =
      scan(filter.since_unix_ns, filter.until_unix_ns, [&](const store::StoredSpan& span, const TraceSource& source) {
        // Spans of one trace mostly lie side by side: that saves the cipher and the look-up.
        if (last == nullptr || span.source != last_span.source || !(span.trace == last_span.trace)) {
          const TraceIdBytes id = trace_id(span, source);
          last = &traces[id];
          last->summary.trace_id = id;
        }
        last_span = span;
        gather(*last, span, source);
        if (!filter.name.empty() && !last->has_name) last->has_name = text(span.name) == filter.name;
        if (!filter.pseudonym.empty() && !last->has_pseudonym)
          last->has_pseudonym = holds_pseudonym(span.items, filter.pseudonym);
        return true;
      });
  if (problem) return *problem;
  std::vector<const Gathered*> matching;
  for (const auto& [id, trace] : traces) {
    const TraceSummary& s = trace.summary;
    if ((filter.errors && s.errors == 0) || (filter.slow && !s.slow) || s.duration_ns() < filter.duration_ns_min ||
        (!filter.name.empty() && !trace.has_name) || (!filter.pseudonym.empty() && !trace.has_pseudonym))
      continue;
    matching.push_back(&trace);
  }
  std::sort(matching.begin(), matching.end(), [](const Gathered* a, const Gathered* b) {
    if (a->summary.start_unix_ns != b->summary.start_unix_ns)
      return a->summary.start_unix_ns > b->summary.start_unix_ns;
    return a->summary.trace_id < b->summary.trace_id;
  });
  TraceList list;
  list.total = matching.size();
  list.damaged_blobs = damaged_blobs_;
  if (limit != 0 && matching.size() > limit) matching.resize(limit);
  for (const Gathered* trace : matching) {
    list.traces.push_back(trace->summary);
    list.traces.back().root = text(trace->root_name);
  }
  return list;
}

SpanView TraceReader::view(const store::StoredSpan& span, const TraceSource& source, SpanDetail detail) {
  SpanView view;
  view.trace_id = trace_id(span, source);
  view.span_id = source.ids.span_id(span.span);
  view.has_parent = span.parent.present;
  if (span.parent.present && span.parent.foreign) put_big_endian(view.parent_span_id.data(), span.parent.value);
  else if (span.parent.present) view.parent_span_id = source.ids.span_id(span.parent.value);
  view.name = text(span.name), view.service = source.service, view.module = source.module;
  view.kind = span.kind, view.status = span.status, view.kept = span.kept;
  view.unfinished = span.unfinished, view.slow = span.slow, view.keep_trace = span.keep_trace,
  view.no_slot = span.no_slot;
  view.start_unix_ns = sound_time(span.start_unix_ns), view.duration_ns = span.duration_ns;
  view.dropped_attributes = span.dropped_attributes, view.dropped_events = span.dropped_events;
  if (detail == SpanDetail::shape) {
    store::StoredItems items(span.items, span.start_unix_ns);
    for (store::StoredItem item; !view.has_events && items.next(item);) view.has_events = item.type == ItemType::event;
    return view;
  }
  view.scope = scope(span.scope);
  const auto attributes_of = [&](std::span<const std::uint8_t> bytes, std::vector<NamedJson>& to) {
    store::StoredItems inner(bytes, span.start_unix_ns);
    for (store::StoredItem item; inner.next(item);) to.emplace_back(text(item.key), json_value(item));
  };
  store::StoredItems items(span.items, span.start_unix_ns);
  for (store::StoredItem item; items.next(item);) {
    switch (item.type) {
      case ItemType::event:
        view.has_events = true;
        view.events.push_back({text(item.key), sound_time(item.time_unix_ns), {}});
        attributes_of(item.items, view.events.back().attributes);
        break;
      case ItemType::link:
        view.links.push_back({item.trace_id, item.span_id, {}});
        attributes_of(item.items, view.links.back().attributes);
        break;
      case ItemType::status_text:
        view.status_text = item.text;
        break;
      case ItemType::trace_state:
        view.trace_state = item.text;
        break;
      case ItemType::keep_reason:
        view.keep_reason = item.text;
        break;
      default:
        view.attributes.emplace_back(text(item.key), json_value(item));
    }
  }
  return view;
}

Answer<std::vector<TraceReader::Crash>> TraceReader::crashes() {
  store::Statement rows =
      connection_.prepare("SELECT ring, pid, service, started, died, spans, open_spans FROM crash ORDER BY died DESC");
  std::vector<Crash> crashes;
  int code = SQLITE_DONE;
  while (rows && (code = rows.step()) == SQLITE_ROW) {
    crashes.push_back({bytes_of<16>(rows.blob(0)), rows.number(1), rows.number(5), rows.number(6),
                       std::string(rows.text(2)), rows.integer(3), rows.integer(4)});
  }
  if (!rows || code != SQLITE_DONE) return database_problem(connection_, path_, "cannot read who died");
  return crashes;
}

Answer<std::vector<SpanView>> TraceReader::spans_of_ring(const RingId& ring, std::int64_t since) {
  const TraceSource* wanted = nullptr;
  for (const auto& [id, its_ring] : rings_) {
    if (its_ring == ring) wanted = &sources_.at(id);
  }
  std::vector<SpanView> spans;
  if (wanted == nullptr) return spans;
  const auto problem = scan(since, INT64_MAX, [&](const store::StoredSpan& span, const TraceSource& source) {
    if (&source == wanted) spans.push_back(view(span, source));
    return true;
  });
  if (problem) return *problem;
  std::stable_sort(spans.begin(), spans.end(),
                   [](const SpanView& a, const SpanView& b) { return a.end_unix_ns() < b.end_unix_ns(); });
  return spans;
}

}  // namespace honeylink::telemetry::query
