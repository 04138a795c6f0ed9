// See trace_store.h: opening, adding to what is pending, and the look-ups. The transaction is in trace_commit.cc.
#include "store/trace_store.h"

#include <cstring>

#include "store/trace_schema.h"
#include "store/trace_state.h"

namespace honeylink::telemetry::store {
namespace {

DatabaseKind traces_kind(const StoreOptions& options) {
  DatabaseKind kind;
  kind.file = "traces.db";
  kind.page_bytes = 16384;
  kind.bytes_max = options.traces_bytes_max;
  static const std::string schema = std::string(kTraceSchema) + kTraceBlockSchema;
  kind.schema = schema.c_str();
  // Blocks before rows: they are older. A block's key is its id − 2^62, so that deleting blocks touches no row.
  kind.oldest_rows =
      "SELECT * FROM (SELECT id - 4611686018427387904 AS key, length(zone) * 2 + length(data), n FROM blk ORDER BY id "
      "LIMIT 64) UNION ALL SELECT * FROM (SELECT id, length(data), n FROM hot ORDER BY id LIMIT 4096) ORDER BY 1";
  kind.delete_rows = "DELETE FROM blk WHERE id <= ?1 + 4611686018427387904";
  kind.delete_rows_too = "DELETE FROM hot WHERE id <= ?1";
  kind.salvage = &salvage_traces;
  return kind;
}

RingId ring_of(std::span<const std::uint8_t> blob) {
  RingId ring{};
  if (blob.size() == ring.size()) std::memcpy(ring.data(), blob.data(), ring.size());
  return ring;
}

}  // namespace

TraceStore::State::State(const StoreOptions& options)
    : given_clock(options.clock), database(options, traces_kind(options)) {}

bool TraceStore::State::attach() {
  Connection& c = database.connection();
  TraceStatements& s = sql;
  s.hot = c.prepare("INSERT INTO hot(t0, t1, n, errors, kept, first, data) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  s.cursor = c.prepare("INSERT INTO cursor VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET next=excluded.next");
  s.kept = c.prepare("INSERT OR IGNORE INTO kept VALUES(?1, ?2, ?3)");
  s.mark =
      c.prepare("INSERT INTO mark VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET at=max(at, excluded.at)");
  s.crash = c.prepare("INSERT OR REPLACE INTO crash VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  s.text = c.prepare("INSERT INTO str VALUES(?1, ?2)");
  s.scope = c.prepare("INSERT INTO scope VALUES(?1, ?2, ?3, ?4)");
  s.source = c.prepare("INSERT INTO idkey VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
  s.kept_row = c.prepare("SELECT 1 FROM kept WHERE ring=?1 AND slot=?2 AND ord=?3");
  s.text_row = c.prepare("SELECT id FROM str WHERE text=?1");
  s.source_row = c.prepare("SELECT id FROM idkey WHERE ring=?1");
  s.scope_row = c.prepare("SELECT id FROM scope WHERE name=?1 AND version=?2 AND schema_url=?3");
  s.forget_cursor = c.prepare("DELETE FROM cursor WHERE ring=?1");
  s.forget_kept = c.prepare("DELETE FROM kept WHERE ring=?1");
  s.forget_kept_below = c.prepare("DELETE FROM kept WHERE ring=?1 AND slot=?2 AND ord<?3");
  s.forget_marks = c.prepare("DELETE FROM mark WHERE at<?1");
  attached = database.generation();
  forget_ids();
  return s.hot && s.cursor && s.kept && s.mark && s.crash && s.text && s.scope && s.source && s.kept_row &&
         s.text_row && s.source_row && s.scope_row && s.forget_cursor && s.forget_kept && s.forget_kept_below &&
         s.forget_marks;
}

void TraceStore::State::forget_ids() {
  last_source = nullptr, last_ids = nullptr;
  ids.clear();
  new_texts.clear(), new_text_ids.clear(), new_scopes.clear(), new_sources.clear();
  Connection& c = database.connection();
  const auto next = [&](const char* query) { return static_cast<std::uint32_t>(c.integer(query, 0)) + 1; };
  next_text = next("SELECT max(id) FROM str");
  next_scope = next("SELECT max(id) FROM scope");
  next_source = next("SELECT max(id) FROM idkey");
  stored = static_cast<std::uint64_t>(c.integer("SELECT n FROM counts WHERE name = 'stored'", 0));
}

std::unique_ptr<TraceStore> TraceStore::open(const StoreOptions& options, std::string& said) {
  auto state = std::make_unique<State>(options);
  if (!state->database.open(said)) return nullptr;
  // A file that passed the check and still lacks a table is as broken as one that did not.
  if (!state->attach()) {
    std::string again;
    state->sql = {};
    state->database.refuse(state->database.path() + ": a table is missing or unreadable");
    if (!state->database.recover(again) || !state->attach()) return said = again, nullptr;
    said = again;
  }
  return std::unique_ptr<TraceStore>(new TraceStore(std::move(state)));
}

TraceStore::TraceStore(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
TraceStore::~TraceStore() = default;

std::uint64_t TraceStore::begin_epoch() {
  const std::uint64_t epoch = state_->database.begin_epoch();
  if (epoch != 0) discard_pending(), state_->forgotten.clear(), state_->forget_ids();
  return epoch;
}

std::vector<SlotCursor> TraceStore::cursors() {
  std::vector<SlotCursor> found;
  Statement rows = state_->database.connection().prepare("SELECT ring, slot, next FROM cursor");
  while (rows && rows.step() == SQLITE_ROW)
    found.push_back({ring_of(rows.blob(0)), static_cast<std::uint32_t>(rows.integer(1)), rows.number(2)});
  return found;
}

std::vector<MarkedTrace> TraceStore::marks() {
  std::vector<MarkedTrace> found;
  Statement rows =
      state_->database.connection().prepare("SELECT ring, is_foreign, hi, lo, at, reason FROM mark ORDER BY at");
  while (rows && rows.step() == SQLITE_ROW) {
    found.push_back({ring_of(rows.blob(0)),
                     {rows.integer(1) != 0, rows.number(2), rows.number(3)},
                     rows.integer(4),
                     std::string(rows.text(5))});
  }
  return found;
}

std::vector<CrashInfo> TraceStore::crashes() {
  std::vector<CrashInfo> found;
  Statement rows = state_->database.connection().prepare(
      "SELECT ring, pid, service, started, died, spans, open_spans FROM crash ORDER BY died");
  while (rows && rows.step() == SQLITE_ROW) {
    found.push_back({ring_of(rows.blob(0)), rows.number(1), std::string(rows.text(2)), rows.integer(3), rows.integer(4),
                     rows.number(5), rows.number(6)});
  }
  return found;
}

Counts TraceStore::totals() { return state_->database.totals(); }

void TraceStore::add(const SpanEvent& event) {
  State& s = *state_;
  SourceIds* ids = s.last_ids;
  if (event.source != s.last_source || event.source->serial != s.last_serial) ids = &s.ids_of(*event.source);
  struct Context {
    State& state;
    SourceIds& ids;
    const Source& source;
  } context{s, *ids, *event.source};
  const TextIds texts{
      &ids->texts,
      [](void* at, std::uint32_t text) {
        auto& c = *static_cast<Context*>(at);
        const std::uint32_t id = c.state.text_id(c.source.text(text));
        if (text < c.source.texts.size()) {  // a text that the ring has not told yet may come: not remembered
          if (c.ids.texts.size() <= text) c.ids.texts.resize(c.source.texts.size(), TextIds::kUnresolved);
          c.ids.texts[text] = id;
        }
        return id;
      },
      &context};
  std::uint32_t scope = 0;
  if (event.scope < ids->scopes.size() && ids->scopes[event.scope] != TextIds::kUnresolved) {
    scope = ids->scopes[event.scope];
  } else if (event.scope < event.source->scopes.size()) {
    if (ids->scopes.size() <= event.scope) ids->scopes.resize(event.source->scopes.size(), TextIds::kUnresolved);
    scope = ids->scopes[event.scope] = s.scope_id(event.source->scopes[event.scope]);
  }
  s.blob.add(event, ids->source, scope, texts);
  s.errors += event.status == 2;
  s.kept_mask |= 1U << static_cast<unsigned>(event.kept);
}

bool TraceStore::keep_once(const RingId& ring, std::uint32_t slot, std::uint64_t ordinal) {
  const KeptRecord record{ring, slot, ordinal};
  if (state_->kept.contains(record)) return false;
  Statement& row = state_->sql.kept_row;
  const bool stored =
      row.bind(1, std::span<const std::uint8_t>(ring)).bind(2, slot).bind(3, ordinal).step() == SQLITE_ROW;
  row.reset();
  if (stored) return false;
  state_->kept.insert(record);
  return true;
}

void TraceStore::forget_kept_below(const RingId& ring, std::uint32_t slot, std::uint64_t ordinal) {
  state_->kept_below.push_back({ring, slot, ordinal});
}
void TraceStore::mark_trace(const MarkedTrace& trace) { state_->marks.push_back(trace); }
void TraceStore::forget_marks_before(std::int64_t unix_ns) {
  state_->forget_marks_before = std::max(state_->forget_marks_before, unix_ns);
}
void TraceStore::add_crash(const CrashInfo& crash) { state_->crashes.push_back(crash); }
void TraceStore::forget_ring(const RingId& ring) {
  State& s = *state_;
  s.forgotten.push_back(ring);
  s.last_source = nullptr, s.last_ids = nullptr;
  std::erase_if(s.ids, [&](const auto& entry) { return entry.second.ring == ring; });
}

std::size_t TraceStore::pending_bytes() const noexcept { return state_->blob.bytes(); }
std::size_t TraceStore::pending_spans() const noexcept { return state_->blob.count(); }

void TraceStore::discard_pending() {
  State& s = *state_;
  s.blob.clear();
  s.errors = s.kept_mask = 0;
  s.handed_bytes = s.handed_spans = 0;
  s.kept.clear(), s.kept_below.clear(), s.marks.clear(), s.crashes.clear();
}

Upkeep TraceStore::maintain(std::int64_t now_unix_ns, std::int64_t budget_ns) {
  State& s = *state_;
  const Clock& clock = s.clock();
  const std::int64_t until = clock.monotonic_ns() + budget_ns;
  Upkeep all;
  if (s.packed_generation != s.database.generation()) s.packer.forget();
  s.packed_generation = s.database.generation();
  for (const bool packing : {true, false}) {
    bool more = true;
    while (more && all.result == CommitResult::ok) {
      if (all.steps > 0 && clock.monotonic_ns() >= until) return all.more = true, all;
      const PackStep step = packing ? s.packer.pack(now_unix_ns) : s.packer.tidy();
      all.result = step.result;
      all.spans_packed += step.spans, all.rows += step.rows, all.blocks += step.blocks;
      more = step.more;
      all.steps += step.spans != 0 || !packing ? 1 : 0;
    }
  }
  all.damaged_rows = s.packer.damaged_rows();
  return all;
}

void TraceStore::checkpoint() { state_->database.checkpoint(); }
std::uint64_t TraceStore::disk_bytes() const { return state_->database.disk_bytes(); }
std::vector<int> TraceStore::holders() const { return state_->database.holders(); }
bool TraceStore::began_anew() const noexcept { return state_->database.began_anew(); }
const std::string& TraceStore::why() const noexcept { return state_->database.why(); }
const std::string& TraceStore::path() const noexcept { return state_->database.path(); }

}  // namespace honeylink::telemetry::store
