// See span_pack.h. A step reads rows, groups their spans by trace, writes one to three blocks and deletes the rows.
#include "store/span_pack.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "base/killpoint.h"
#include "store/foreign_filter.h"
#include "store/span_block.h"
#include "store/span_block_format.h"
#include "store/trace_codec.h"
#include "store/trace_schema.h"

namespace honeylink::telemetry::store {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint64_t kSpansFrom = kBlockSpansMax, kSpansEnough = 2 * kBlockSpansMax;
constexpr std::uint64_t kBytesFrom = 2'000'000, kBytesEnough = 4'000'000;
constexpr std::uint32_t kKeysLoaded = 64;     // the newest: whose ids another process has met lately
constexpr std::int64_t kFreePagesFrom = 128;  // 2 MB: rows to come reuse fewer than that
constexpr int kVacuumPages = 64;              // half a millisecond
constexpr std::int64_t kValuesAtOnce = 2000;
constexpr const char* kTidiedKey = "blk_tidied";
constexpr const char* kEpochKey = "val_epoch";

struct HotRow {
  std::int64_t id = 0;
  std::uint64_t spans = 0, bytes = 0, first = 0;
};

std::int64_t clamped(std::uint64_t counter) noexcept {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(counter, INT64_MAX));
}

}  // namespace

bool store_block_ids(Connection& connection, std::int64_t blk, std::span<const SpanRun> runs) {
  Statement range =
      connection.prepare("INSERT OR REPLACE INTO trace_range(source, hi, lo, blk) VALUES(?1, ?2, ?3, ?4)");
  for (const TraceRange& its : trace_ranges(runs)) {
    if (!range) return false;
    range.bind(1, its.source).bind(2, clamped(its.hi)).bind(3, clamped(its.lo)).bind(4, blk);
    if (range.run() != SQLITE_OK) return false;
  }
  std::vector<ForeignId> foreign;
  for (const SpanRun& run : runs) {
    if (run.source == 0) foreign.emplace_back(run.hi, run.lo);
  }
  if (foreign.empty()) return true;
  const ByteBuffer bits = make_foreign_filter(foreign);
  Statement filter = connection.prepare("INSERT OR REPLACE INTO foreign_ids VALUES(?1, ?2)");
  return filter && filter.bind(1, blk).bind(2, Bytes(bits)).run() == SQLITE_OK;
}

struct SpanPacker::State {
  explicit State(Database& its) : database(its) {}
  bool prepare();
  bool load_values();
  void load_keys();
  bool choose(std::int64_t now);
  bool read_rows();
  void split();
  void write_blocks();
  int store(PackStep& step);
  int store_block(const WrittenBlock& block, std::span<const SpanRun> runs);

  Database& database;
  bool prepared = false;
  Statement candidates, row, insert, value, erase;
  SpanKeys keys;
  std::uint32_t last_key = 0;
  SpanValues values;
  std::uint32_t stored_epoch = 1;
  std::set<std::int64_t> damaged;
  SpanBlockWriter writer;

  // One slice.
  std::vector<HotRow> rows;
  std::vector<std::vector<std::uint8_t>> blobs;
  std::vector<StoredSpan> spans;
  SpanOrder order;
  std::vector<std::pair<std::size_t, std::size_t>> cuts;  // runs of each block: first, how many
  std::vector<WrittenBlock> blocks;
  std::uint64_t gathered = 0, gathered_bytes = 0;
  bool more = false;
  bool ends = false;  // the next row is of another group: what has gathered is packed, however little it is
  SpanGroup group_of;
};

bool SpanPacker::State::load_values() {
  values.clear();
  stored_epoch = static_cast<std::uint32_t>(std::max<std::int64_t>(database.meta(kEpochKey, 1), 1));
  values.set_epoch(stored_epoch);
  Statement all = database.connection().prepare("SELECT id, data FROM val ORDER BY id");
  int code = SQLITE_MISUSE;
  while (all && (code = all.step()) == SQLITE_ROW) {
    std::string_view text;
    const auto id = static_cast<std::uint32_t>(all.integer(0));
    // A damaged row keeps its id, and nothing refers to it any more.
    values.load(id, unpack_value(all.blob(1), text) ? text : std::string_view());
  }
  return code == SQLITE_DONE;
}

void SpanPacker::State::load_keys() {
  Statement all = database.connection().prepare(
      "SELECT id, trace_key, span_key FROM idkey WHERE id > ?1 ORDER BY id DESC LIMIT ?2");
  std::uint32_t newest = last_key;
  all.bind(1, last_key).bind(2, kKeysLoaded);
  while (all && all.step() == SQLITE_ROW) {
    const auto id = static_cast<std::uint32_t>(all.integer(0));
    IdKey trace_key{}, span_key{};
    const Bytes trace = all.blob(1);
    if (trace.size() != trace_key.size()) continue;
    std::memcpy(trace_key.data(), trace.data(), trace.size());
    const Bytes span = all.blob(2);
    if (span.size() != span_key.size()) continue;
    std::memcpy(span_key.data(), span.data(), span.size());
    keys.add(id, trace_key, span_key);
    newest = std::max(newest, id);
  }
  last_key = newest;
  keys.keep_newest(kKeysLoaded);
}

bool SpanPacker::State::prepare() {
  if (prepared) return true;
  Connection& c = database.connection();
  if (c.integer("SELECT count(*) FROM sqlite_schema WHERE name IN ('blk_zone', 'trace_range', 'foreign_ids', 'val')",
                0) != 4) {
    if (database.begin(0, false) != CommitResult::ok) return false;
    if (c.execute(kTraceBlockSchema) != SQLITE_OK) return (void)database.fail(), false;
    if (database.commit() != CommitResult::ok) return false;
  }
  candidates = c.prepare("SELECT id, t1, n, length(data), first FROM hot ORDER BY id");
  row = c.prepare("SELECT data FROM hot WHERE id=?1");
  insert = c.prepare("INSERT INTO blk(t0, t1, n, first, last, zone, data) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  value = c.prepare("INSERT OR REPLACE INTO val VALUES(?1, ?2)");
  erase = c.prepare("DELETE FROM hot WHERE id=?1");
  prepared = candidates && row && insert && value && erase && load_values();
  if (!prepared) database.refuse(database.path() + ": " + c.error());
  return prepared;
}

// Oldest rows first, up to the first that is not settled. A start in the future is no reason to wait: a clock was
// wrong.
bool SpanPacker::State::choose(std::int64_t now) {
  rows.clear();
  gathered = gathered_bytes = 0;
  more = ends = false;
  int its_group = 0;
  const std::int64_t from = now < INT64_MIN + kSpansStayHotNs ? INT64_MIN : now - kSpansStayHotNs;
  const std::int64_t to = now > INT64_MAX - kSpansStayHotNs ? INT64_MAX : now + kSpansStayHotNs;
  int code = SQLITE_DONE;
  while ((code = candidates.step()) == SQLITE_ROW) {
    const std::int64_t id = candidates.integer(0), t1 = candidates.integer(1);
    if (damaged.contains(id)) continue;
    if (t1 > from && t1 < to) break;
    const HotRow next{id, candidates.number(2), candidates.number(3), candidates.number(4)};
    const int group = group_of ? group_of(next.first, next.first + next.spans) : 0;
    if (group == kSpansOfTwoGroups) continue;
    if (!rows.empty() && group != its_group) {
      more = ends = true;
      break;
    }
    its_group = group;
    if (gathered >= kSpansEnough || gathered_bytes >= kBytesEnough) {
      more = true;
      break;
    }
    rows.push_back(next);
    gathered += rows.back().spans, gathered_bytes += rows.back().bytes;
  }
  candidates.reset();
  return code == SQLITE_ROW || code == SQLITE_DONE;
}

bool SpanPacker::State::read_rows() {
  blobs.clear(), spans.clear();
  std::vector<HotRow> sound;
  for (const HotRow& hot : rows) {
    const int code = row.bind(1, hot.id).step();
    const Bytes data = code == SQLITE_ROW ? row.blob(0) : Bytes();
    std::vector<std::uint8_t> copy(data.begin(), data.end());
    row.reset();
    if (code == SQLITE_DONE) continue;
    if (code != SQLITE_ROW) return false;
    const std::size_t before = spans.size();
    TraceBlob blob(copy);
    for (StoredSpan span; blob.next(span);) spans.push_back(span);
    if (!blob.sound() || blob.damaged()) {
      spans.resize(before);
      damaged.insert(hot.id);
      continue;
    }
    sound.push_back(hot);
    blobs.push_back(std::move(copy));  // the spans' items keep their place
  }
  rows.swap(sound);
  return true;
}

// Cuts runs into blocks of about the same size, none above the bounds. A run that is larger than a block is cut itself.
void SpanPacker::State::split() {
  const std::size_t wanted = (spans.size() + kBlockSpansMax - 1) / kBlockSpansMax;
  const std::size_t target = (spans.size() + wanted - 1) / std::max<std::size_t>(wanted, 1);
  std::vector<SpanRun> pieces;
  cuts.clear();
  std::size_t first = 0, n = 0, bytes = 0;
  const auto cut = [&] {
    if (pieces.size() > first) cuts.emplace_back(first, pieces.size() - first);
    first = pieces.size(), n = bytes = 0;
  };
  for (const SpanRun& run : order.runs) {
    if (n >= target || n + run.count > kBlockSpansMax) cut();
    SpanRun piece = run;
    piece.count = 0;
    for (std::uint32_t i = 0; i < run.count; ++i) {
      const std::size_t size = spans[order.spans[run.first + i]].items.size();
      if (n == kBlockSpansMax || (n != 0 && bytes + size > kBlockItemBytes)) {
        if (piece.count != 0) pieces.push_back(piece);
        cut();
        piece.first = run.first + i, piece.count = 0;
      }
      ++piece.count, ++n, bytes += size;
    }
    pieces.push_back(piece);
  }
  cut();
  order.runs.swap(pieces);
}

void SpanPacker::State::write_blocks() {
  group_spans(spans, keys, order);
  split();
  blocks.resize(cuts.size());
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    writer.write(spans, order, std::span(order.runs).subspan(cuts[i].first, cuts[i].second), keys, values, blocks[i]);
  }
}

int SpanPacker::State::store_block(const WrittenBlock& block, std::span<const SpanRun> runs) {
  std::uint64_t n = 0;
  for (const SpanRun& run : runs) n += run.count;
  const ByteBuffer zone = write_zone(block.zone);
  const std::uint64_t first = rows.empty() ? 0 : rows.front().first;
  const std::uint64_t last = rows.empty() ? 0 : rows.back().first + rows.back().spans;
  insert.bind(1, block.t0).bind(2, block.t1).bind(3, n).bind(4, first).bind(5, last);
  insert.bind(6, Bytes(zone)).bind(7, Bytes(block.data));
  const int result = insert.run();
  if (result != SQLITE_OK) return result;
  Connection& c = database.connection();
  return store_block_ids(c, sqlite3_last_insert_rowid(c.get()), runs) ? SQLITE_OK : c.result();
}

int SpanPacker::State::store(PackStep& step) {
  int result = SQLITE_OK;
  for (const auto& [id, text] : values.fresh()) {
    const std::string packed = pack_value(text);
    const Bytes data(reinterpret_cast<const std::uint8_t*>(packed.data()), packed.size());
    if ((result = value.bind(1, id).bind(2, data).run()) != SQLITE_OK) return result;
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    result = store_block(blocks[i], std::span(order.runs).subspan(cuts[i].first, cuts[i].second));
    if (result != SQLITE_OK) return result;
    killpoint("pack.after_block");
  }
  for (const HotRow& hot : rows) {
    if ((result = erase.bind(1, hot.id).run()) != SQLITE_OK) return result;
    if (database.connection().changes() != 1) return SQLITE_ABORT;  // somebody forgot it since it was read
    killpoint("pack.after_delete");
  }
  if (values.epoch() != stored_epoch) result = database.set_meta(kEpochKey, values.epoch());
  step.spans = spans.size(), step.rows = rows.size(), step.blocks = blocks.size();
  return result;
}

SpanPacker::SpanPacker(Database& database) : state_(std::make_unique<State>(database)) {}
SpanPacker::~SpanPacker() = default;

void SpanPacker::forget() noexcept {
  State& s = *state_;
  for (Statement* statement : {&s.candidates, &s.row, &s.insert, &s.value, &s.erase}) *statement = Statement();
  s.prepared = false;
  s.keys.clear(), s.last_key = 0;
  s.damaged.clear();
}

void SpanPacker::set_groups(SpanGroup group_of) { state_->group_of = std::move(group_of); }
std::uint64_t SpanPacker::damaged_rows() const noexcept { return state_->damaged.size(); }

PackStep SpanPacker::pack(std::int64_t now_unix_ns) {
  State& s = *state_;
  PackStep step;
  const auto gave = [&](CommitResult result) {
    step = {};
    step.result = result;
    s.values.clear();
    s.prepared = false;  // values that were not stored have no id
    return step;
  };
  if (!s.prepare()) return gave(CommitResult::failed);
  if (!s.choose(now_unix_ns)) return gave(s.database.fail());
  if (s.gathered < kSpansFrom && s.gathered_bytes < kBytesFrom && !s.ends) return step;
  if (!s.read_rows()) return gave(s.database.fail());
  // A slice of damaged rows only: they are known now, and the next step passes them.
  if (s.rows.empty()) return step.more = true, step;
  if (!s.spans.empty()) s.load_keys();
  s.write_blocks();
  std::uint64_t bytes = 0;
  for (const WrittenBlock& block : s.blocks) bytes += block.data.size() + 2 * block.zone.names.size() * 16 + 4096;
  for (const auto& [id, text] : s.values.fresh()) bytes += text.size() + 16;
  killpoint("pack.before_begin");
  // Deleted rows' pages stand in the -wal as well: as leaves they are only unlinked, a page each of the tree above.
  const CommitResult begun = s.database.begin(bytes, false);
  if (begun != CommitResult::ok) return gave(begun);
  if (s.store(step) != SQLITE_OK) return gave(s.database.fail());
  killpoint("pack.before_commit");
  const CommitResult done = s.database.commit();
  if (done != CommitResult::ok) return gave(done);
  killpoint("pack.after_commit");
  s.values.stored();
  s.stored_epoch = s.values.epoch();
  step.more = s.more;
  return step;
}

PackStep SpanPacker::tidy() {
  State& s = *state_;
  PackStep step;
  if (!s.prepare()) return step.result = CommitResult::failed, step;
  Connection& c = s.database.connection();
  const std::int64_t oldest = c.integer("SELECT id FROM blk ORDER BY id LIMIT 1", 0);
  const bool stale = oldest > s.database.meta(kTidiedKey, 1);
  const bool free_pages = c.integer("PRAGMA freelist_count", 0) >= kFreePagesFrom;
  if (!stale && !free_pages) return step;
  step.result = s.database.begin(0, false);
  if (step.result != CommitResult::ok) return step;
  int result = SQLITE_OK;
  const auto run = [&](const char* sql, std::int64_t number) {
    Statement statement = c.prepare(sql);
    if (result == SQLITE_OK) result = statement ? statement.bind(1, number).run() : c.result();
  };
  bool all_values = true;
  if (stale) {
    run("DELETE FROM trace_range WHERE blk < ?1", oldest);
    run("DELETE FROM foreign_ids WHERE blk < ?1", oldest);
    SpanZone zone;
    Statement first = c.prepare("SELECT zone FROM blk WHERE id=?1");
    if (first && first.bind(1, oldest).step() == SQLITE_ROW && read_zone(first.blob(0), zone)) {
      const std::int64_t below =
          std::min<std::int64_t>(zone.value_epoch, c.integer("SELECT min(id) FROM val", 0) + kValuesAtOnce);
      all_values = below == zone.value_epoch;
      run("DELETE FROM val WHERE id < ?1", below);
    }
    first = Statement();
    if (result == SQLITE_OK && all_values) result = s.database.set_meta(kTidiedKey, oldest);
  }
  if (free_pages && result == SQLITE_OK)
    result = c.execute(("PRAGMA incremental_vacuum(" + std::to_string(kVacuumPages) + ")").c_str());
  killpoint("tidy.before_commit");
  step.result = result == SQLITE_OK ? s.database.commit() : s.database.fail();
  if (step.result == CommitResult::ok)
    step.more = !all_values || c.integer("PRAGMA freelist_count", 0) >= kFreePagesFrom;
  return step;
}

}  // namespace honeylink::telemetry::store
