// Spans found without reading all: a trace by its id or the beginning of one, and the slowest spans of a range. See
// trace_reader.h; docs/formats/traces_db.md says what blocks are found by.
//
// An id of ours is a counter: it is inverted under every key of the database, and trace_range tells the blocks. Of the
// beginning of an id the counters are enumerated. Ids from elsewhere are sought by filter, their beginnings in every
// block that has any. Hot rows, a minute's spans, are read.
#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "query/database.h"
#include "query/trace_reader.h"
#include "store/foreign_filter.h"

namespace honeylink::telemetry::query {
namespace {

constexpr std::size_t kAmbiguousShown = 3;
constexpr std::uint64_t kRangeLongest = store::kTraceRangeMax;

bool begins_with(const TraceIdBytes& id, std::string_view prefix) noexcept {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    const unsigned nibble = (i % 2 == 0) ? id[i / 2] >> 4 : id[i / 2] & 15U;
    if (kDigits[nibble] != prefix[i]) return false;
  }
  return true;
}

/// The first and last id that begin so, as numbers: comparing those is cheaper than comparing digits.
struct PrefixRange {
  std::uint64_t first = 0, last = ~std::uint64_t{0};
  explicit PrefixRange(std::string_view prefix) {
    for (std::size_t i = 0; i < std::min<std::size_t>(prefix.size(), 16); ++i) {
      const std::uint64_t digit = static_cast<std::uint64_t>(prefix[i] <= '9' ? prefix[i] - '0' : prefix[i] - 'a' + 10);
      const unsigned shift = 60 - 4 * static_cast<unsigned>(i);
      first = (first & ~(std::uint64_t{15} << shift)) | digit << shift;
      last = (last & ~(std::uint64_t{15} << shift)) | digit << shift;
    }
  }
  [[nodiscard]] bool holds(const TraceIdBytes& id) const noexcept {
    const std::uint64_t upper = store::foreign_trace(id).hi;
    return upper >= first && upper <= last;
  }
};

TraceIdBytes bytes_of_prefix(std::string_view prefix) {
  TraceIdBytes id{};
  (void)unhex(prefix, id);
  return id;
}

/// Ends a read transaction whatever happens in between.
struct Snapshot {
  explicit Snapshot(store::Connection& c) : connection(c), open(c.execute("BEGIN") == SQLITE_OK) {}
  ~Snapshot() {
    if (open) connection.execute("COMMIT");
  }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  store::Connection& connection;
  bool open;
};

}  // namespace

struct TraceReader::Sought {
  std::string prefix;
  SpanDetail detail = SpanDetail::whole;
  std::optional<SpanIdBytes> wanted_span;  // whole in any case
  std::vector<SpanView> spans;             // of the first id that was found
  std::vector<TraceIdBytes> found;         // distinct; a few at most are remembered
  std::set<TraceIdBytes> wanted;           // ids of ours that begin so; they may not be stored

  [[nodiscard]] bool whole() const noexcept { return prefix.size() == 2 * sizeof(TraceIdBytes); }
  /// True: spans of this id are to be shown.
  bool met(const TraceIdBytes& id) {
    if (std::find(found.begin(), found.end(), id) == found.end() && found.size() <= kAmbiguousShown)
      found.push_back(id);
    return found.size() == 1;
  }
};

bool TraceReader::value(std::uint32_t id, std::string_view& value) {
  const auto known = values_.find(id);
  if (known != values_.end()) return value = known->second, true;
  if (!value_statement_) value_statement_ = connection_.prepare("SELECT data FROM val WHERE id = ?");
  bool found = value_statement_ && value_statement_.bind(1, id).step() == SQLITE_ROW &&
               store::unpack_value(value_statement_.blob(0), value);
  if (found) value = values_.emplace(id, std::string(value)).first->second;
  value_statement_.reset();
  return found;
}

bool TraceReader::open_block(store::SpanBlockReader& block, std::span<const std::uint8_t> bytes) {
  const bool sound = block.open(
      bytes,
      [this](std::uint32_t id) {
        const TraceSource* const source = source_of(id);
        return source == nullptr ? nullptr : &source->ids;
      },
      [this](std::uint32_t id, std::string_view& text) { return value(id, text); });
  if (!sound) ++damaged_blobs_;
  return sound;
}

SpanView TraceReader::view_of(const Sought& sought, const store::StoredSpan& span, const TraceSource& source) {
  SpanView its = view(span, source, sought.detail);
  return sought.wanted_span && its.span_id == *sought.wanted_span ? view(span, source) : its;
}

bool TraceReader::seek_hot(Sought& sought) {
  store::Statement rows = connection_.prepare("SELECT data FROM hot ORDER BY id");
  int code = SQLITE_MISUSE;
  store::StoredSpan span, last;
  bool any = false, matches = false;
  TraceIdBytes id{};
  while (rows && (code = rows.step()) == SQLITE_ROW) {
    store::TraceBlob blob(rows.blob(0));
    while (blob.next(span)) {
      const TraceSource* const source = source_of(span.source);
      if (source == nullptr) continue;
      if (!any || span.source != last.source || !(span.trace == last.trace)) {
        id = trace_id(span, *source);
        matches = begins_with(id, sought.prefix);
      }
      any = true;
      last = span;
      if (matches && sought.met(id)) sought.spans.push_back(view_of(sought, span, *source));
    }
    if (!blob.sound() || blob.damaged()) ++damaged_blobs_;
  }
  return code == SQLITE_DONE;
}

// Blocks that may hold counters whose ids begin so; the ids themselves go into `wanted`.
bool TraceReader::seek_counters(Sought& sought, std::set<std::int64_t>& blocks) {
  int code = SQLITE_DONE;
  if (sought.whole()) {
    const TraceIdBytes id = bytes_of_prefix(sought.prefix);
    store::Statement rows =
        connection_.prepare("SELECT blk FROM trace_range WHERE source = ?1 AND hi BETWEEN ?2 AND ?3 AND lo <= ?2");
    for (const auto& [number, source] : sources_) {
      std::uint64_t counter = 0;
      if (!source.ids.trace_counter(id, counter)) continue;
      sought.wanted.insert(id);
      counter = std::min<std::uint64_t>(counter, INT64_MAX);  // as the table has it
      rows.bind(1, number).bind(2, counter);
      rows.bind(3, std::min<std::uint64_t>(counter + kRangeLongest, INT64_MAX));
      while (rows && (code = rows.step()) == SQLITE_ROW) blocks.insert(rows.integer(0));
      rows.reset();
      if (code != SQLITE_DONE) return false;
    }
    return true;
  }
  const PrefixRange range(sought.prefix);
  store::Statement rows = connection_.prepare("SELECT source, lo, hi, blk FROM trace_range");
  while (rows && (code = rows.step()) == SQLITE_ROW) {
    const TraceSource* const source = source_of(static_cast<std::uint32_t>(rows.integer(0)));
    const std::uint64_t lo = rows.number(1), hi = rows.number(2);
    if (source == nullptr || hi < lo || hi - lo > kRangeLongest) continue;
    for (std::uint64_t counter = lo; counter <= hi; ++counter) {
      const TraceIdBytes id = source->ids.trace_id(counter);
      if (!range.holds(id) || !begins_with(id, sought.prefix)) continue;
      sought.wanted.insert(id);
      blocks.insert(rows.integer(3));
    }
  }
  return code == SQLITE_DONE;
}

bool TraceReader::seek_foreign(Sought& sought, std::set<std::int64_t>& blocks) {
  const TraceRef trace = sought.whole() ? store::foreign_trace(bytes_of_prefix(sought.prefix)) : TraceRef{};
  store::Statement rows = connection_.prepare("SELECT blk, filter FROM foreign_ids");
  int code = SQLITE_MISUSE;
  while (rows && (code = rows.step()) == SQLITE_ROW) {
    if (!sought.whole() || store::may_hold(rows.blob(1), {trace.hi, trace.lo})) blocks.insert(rows.integer(0));
  }
  return code == SQLITE_DONE;
}

bool TraceReader::seek_block(Sought& sought, std::int64_t id) {
  store::Statement row = connection_.prepare("SELECT data FROM blk WHERE id = ?");
  const int code = row ? row.bind(1, id).step() : SQLITE_MISUSE;
  if (code != SQLITE_ROW) return code == SQLITE_DONE;  // the block is gone, its range is not yet
  store::SpanBlockReader& block = block_;
  if (!open_block(block, row.blob(0))) return true;
  store::StoredSpan span;
  for (const store::SpanRun& run : block.runs()) {
    TraceIdBytes its = store::trace_bytes(run.hi, run.lo);
    if (run.source != 0) {
      const TraceSource* const source = source_of(run.source);
      if (source == nullptr) continue;
      if (sought.wanted.empty()) continue;
      its = source->ids.trace_id(run.lo);
      if (!sought.wanted.contains(its)) continue;
    } else if (!begins_with(its, sought.prefix)) {
      continue;
    }
    if (!sought.met(its)) continue;
    for (std::uint32_t i = 0; i < run.count; ++i) {
      if (!block.read(run.first + i, span)) return ++damaged_blobs_, true;
      if (const TraceSource* const source = source_of(span.source); source != nullptr)
        sought.spans.push_back(view_of(sought, span, *source));
    }
  }
  return true;
}

Answer<std::vector<SpanView>> TraceReader::trace(const std::string& prefix, SpanDetail detail) {
  Sought sought;
  sought.prefix = prefix, sought.detail = detail;
  return seek(sought);
}

Answer<std::vector<SpanView>> TraceReader::trace_around(const std::string& prefix, const SpanIdBytes& span) {
  Sought sought;
  sought.prefix = prefix, sought.detail = SpanDetail::shape, sought.wanted_span = span;
  return seek(sought);
}

Answer<std::vector<SpanView>> TraceReader::seek(Sought& sought) {
  const Snapshot snapshot(connection_);
  bool read = seek_hot(sought);
  if (connection_.integer("SELECT EXISTS (SELECT 1 FROM blk)", 0) != 0) {
    std::set<std::int64_t> blocks;
    read = read && seek_counters(sought, blocks) && seek_foreign(sought, blocks);
    for (const std::int64_t id : blocks) read = read && seek_block(sought, id);
  }
  if (!read) return database_problem(connection_, path_, "cannot read the traces");
  if (sought.found.empty()) {
    return Problem{ProblemKind::not_found, "no trace begins with " + sought.prefix,
                   "it was not kept, or is older than what is stored", "honeytel traces lists what there is"};
  }
  if (sought.found.size() == 1) return std::move(sought.spans);
  std::string some;
  for (std::size_t i = 0; i < std::min(sought.found.size(), kAmbiguousShown); ++i)
    some += (i == 0 ? "" : ", ") + hex(sought.found[i]);
  return Problem{ProblemKind::usage, "several traces begin with " + sought.prefix,
                 some + (sought.found.size() > kAmbiguousShown ? ", …" : ""), "give more digits"};
}

/// The slowest so far; the least of them stands first.
struct TraceReader::Slowest {
  struct Entry {
    std::int64_t duration_ns;
    std::size_t view;
    friend bool operator<(const Entry& a, const Entry& b) noexcept { return a.duration_ns > b.duration_ns; }
  };
  std::int64_t since, until, name;  // name: str.id, or −1 for any
  std::size_t limit;
  std::int64_t floor_ns = INT64_MIN;  // so many are as long, as zone maps say: shorter ones are not looked at
  std::vector<Entry> entries;
  std::vector<SpanView> views;  // also of spans that slower ones have passed since

  [[nodiscard]] bool wants(std::uint32_t its_name, std::int64_t start) const noexcept {
    return (name < 0 || its_name == name) && start >= since && start <= until;
  }
  [[nodiscard]] bool takes(std::int64_t duration_ns) const noexcept {
    return duration_ns >= floor_ns && (entries.size() < limit || duration_ns > entries.front().duration_ns);
  }
  void add(SpanView view) {
    if (!takes(view.duration_ns)) return;
    if (entries.size() == limit) std::pop_heap(entries.begin(), entries.end()), entries.pop_back();
    entries.push_back({view.duration_ns, views.size()});
    std::push_heap(entries.begin(), entries.end());
    views.push_back(std::move(view));
  }
};

bool TraceReader::slowest_hot(Slowest& best) {
  store::Statement rows = connection_.prepare("SELECT data FROM hot WHERE t1 >= ? AND t0 <= ?");
  rows.bind(1, best.since).bind(2, best.until);
  int code = SQLITE_MISUSE;
  while (rows && (code = rows.step()) == SQLITE_ROW) {
    store::TraceBlob blob(rows.blob(0));
    for (store::StoredSpan span; blob.next(span);) {
      const TraceSource* const source = source_of(span.source);
      if (source == nullptr || !best.wants(span.name, span.start_unix_ns) || !best.takes(span.duration_ns)) continue;
      best.add(view(span, *source));
    }
    if (!blob.sound() || blob.damaged()) ++damaged_blobs_;
  }
  return code == SQLITE_DONE;
}

// Blocks by their longest span: once that is too short, so are all others. Each name's longest in a block that lies in
// the range is a span that is there: the twentieth of those is what the twentieth slowest takes at least.
bool TraceReader::slowest_packed(Slowest& best) {
  std::vector<std::pair<std::int64_t, std::int64_t>> zones;
  std::vector<std::int64_t> there;
  store::Statement rows = connection_.prepare("SELECT id, zone, t0, t1 FROM blk WHERE t1 >= ? AND t0 <= ?");
  rows.bind(1, best.since).bind(2, best.until);
  int code = SQLITE_MISUSE;
  store::SpanZone zone;
  while (rows && (code = rows.step()) == SQLITE_ROW) {
    std::int64_t longest = INT64_MAX;  // of a block whose zone map is damaged
    if (store::read_zone(rows.blob(1), zone)) {
      longest = -1;
      const bool inside = rows.integer(2) >= best.since && rows.integer(3) <= best.until;
      for (const store::ZoneName& its : zone.names) {
        if (best.name >= 0 && its.name != best.name) continue;
        longest = std::max(longest, its.longest_ns);
        if (inside) there.push_back(its.longest_ns);
      }
    }
    if (longest >= 0) zones.emplace_back(longest, rows.integer(0));
  }
  std::sort(zones.rbegin(), zones.rend());
  if (there.size() >= best.limit) {
    std::nth_element(there.begin(), there.begin() + static_cast<std::ptrdiff_t>(best.limit) - 1, there.end(),
                     std::greater<>());
    best.floor_ns = there[best.limit - 1];
  }
  slowest_of_blocks(best, zones);
  // A block that is damaged does not have what its zone map promised.
  if (best.entries.size() < best.limit && std::exchange(best.floor_ns, INT64_MIN) != INT64_MIN) {
    best.entries.clear(), best.views.clear();
    if (!slowest_hot(best)) return false;
    slowest_of_blocks(best, zones);
  }
  return code == SQLITE_DONE;
}

void TraceReader::slowest_of_blocks(Slowest& best, const std::vector<std::pair<std::int64_t, std::int64_t>>& zones) {
  store::Statement row = connection_.prepare("SELECT data FROM blk WHERE id = ?");
  for (const auto& [longest, id] : zones) {
    if (!best.takes(longest)) return;
    if (row && row.bind(1, id).step() == SQLITE_ROW && open_block(block_, row.blob(0))) slowest_of_block(best);
    row.reset();
  }
}

// The slowest of the block are chosen by their heads; only their items are made, in the order of the block.
void TraceReader::slowest_of_block(Slowest& best) {
  const auto heads = block_.heads();
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    if (best.wants(heads[i].name, heads[i].start_unix_ns) && best.takes(heads[i].duration_ns)) chosen.push_back(i);
  }
  const std::size_t kept = std::min(chosen.size(), best.limit);
  std::partial_sort(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(kept), chosen.end(),
                    [&](std::size_t a, std::size_t b) { return heads[a].duration_ns > heads[b].duration_ns; });
  chosen.resize(kept);
  std::sort(chosen.begin(), chosen.end());
  store::StoredSpan span;
  for (const std::size_t i : chosen) {
    if (!block_.read(i, span)) {
      ++damaged_blobs_;
      return;
    }
    if (const TraceSource* const source = source_of(span.source); source != nullptr) best.add(view(span, *source));
  }
}

Answer<std::vector<SpanView>> TraceReader::slowest(std::int64_t since, std::int64_t until, const std::string& name,
                                                   std::size_t limit) {
  std::vector<SpanView> views;
  if (limit == 0) return views;
  const Snapshot snapshot(connection_);
  Slowest best{since, until, -1, limit, INT64_MIN, {}, {}};
  if (!name.empty()) {
    store::Statement row = connection_.prepare("SELECT id FROM str WHERE text = ?");
    if (!row || row.bind(1, std::string_view(name)).step() != SQLITE_ROW) return views;
    best.name = row.integer(0);
  }
  if (!slowest_hot(best) || !slowest_packed(best))
    return database_problem(connection_, path_, "cannot read the traces");
  std::sort_heap(best.entries.begin(), best.entries.end());
  for (const Slowest::Entry& entry : best.entries) views.push_back(std::move(best.views[entry.view]));
  return views;
}

}  // namespace honeylink::telemetry::query
