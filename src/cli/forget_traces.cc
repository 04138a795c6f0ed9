// See forget_traces.h. A block or a drain that cannot be read goes whole: nobody can tell its spans apart.
#include "cli/forget_traces.h"

#include <algorithm>
#include <map>
#include <vector>

#include "cli/block_maker.h"
#include "store/trace_schema.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::int64_t kAll = INT64_MAX;

/// Values by their ids; remembers which were asked for.
class Values {
 public:
  explicit Values(store::Connection& c) : row_(c.prepare("SELECT data FROM val WHERE id = ?")) {}
  bool find(std::uint32_t id, std::string_view& text) {
    std::string& kept = named_[id];
    if (kept.empty() && row_ && row_.bind(1, id).step() == SQLITE_ROW && store::unpack_value(row_.blob(0), text))
      kept = text;
    row_.reset();
    text = kept;
    return !kept.empty();
  }
  [[nodiscard]] bool named(std::uint32_t id) const { return named_.contains(id); }

 private:
  store::Statement row_;
  std::map<std::uint32_t, std::string> named_;
};

std::vector<std::int64_t> rows_over(store::Connection& c, const char* sql, std::int64_t before, bool& read) {
  std::vector<std::int64_t> ids;
  store::Statement rows = c.prepare(sql);
  int code = SQLITE_MISUSE;
  if (rows) rows.bind(1, before);
  while (rows && (code = rows.step()) == SQLITE_ROW) ids.push_back(rows.integer(0));
  read = read && code == SQLITE_DONE;
  return ids;
}

bool run(store::Connection& c, const char* sql, std::int64_t number) {
  store::Statement statement = c.prepare(sql);
  return statement && statement.bind(1, number).run() == SQLITE_OK;
}

class Cut {
 public:
  Cut(store::Connection& c, std::int64_t before)
      : c_(c), before_(before), keys_(read_keys(c)), values_(c), maker_(c, keys_, true) {}

  /// The younger spans of drains that reach over the moment become blocks; the drains go with the older ones.
  bool drains() {
    bool done = true;
    store::Statement row = c_.prepare("SELECT data, first, first + n FROM hot WHERE id = ?");
    for (const std::int64_t id : rows_over(c_, "SELECT id FROM hot WHERE t0 < ?1 AND t1 >= ?1", before_, done)) {
      if (!row || row.bind(1, id).step() != SQLITE_ROW) return false;
      store::TraceBlob blob(row.blob(0));
      maker_.stored_as(row.integer(1), row.integer(2));
      for (store::StoredSpan span; done && blob.next(span);) {
        if (span.start_unix_ns >= before_) done = maker_.add(span);
      }
      row.reset();
      // A block for each: those of two are perhaps not delivered alike.
      if (!done || !maker_.flush()) return false;
    }
    return done;
  }

  bool blocks(std::uint64_t& touched) {
    bool done = true;
    for (const std::int64_t id :
         rows_over(c_, "SELECT id FROM blk WHERE t0 < ?1 AND t1 >= ?1 ORDER BY id", before_, done)) {
      if (!gather(id)) return false;
      for (const char* sql : {"DELETE FROM trace_range WHERE blk = ?1", "DELETE FROM foreign_ids WHERE blk = ?1",
                              "DELETE FROM blk WHERE id = ?1"})
        done = done && run(c_, sql, id);
      // Under its own number: the oldest block goes first when space is short.
      if (!done || !maker_.flush_as(id)) return false;
      ++touched;
    }
    return done;
  }

 private:
  bool gather(std::int64_t id) {
    store::Statement row = c_.prepare("SELECT data, first, last FROM blk WHERE id = ?");
    if (!row || row.bind(1, id).step() != SQLITE_ROW) return false;
    maker_.stored_as(row.integer(1), row.integer(2));
    const bool sound = block_.open(
        row.blob(0), [this](std::uint32_t source) { return keys_.find(source); },
        [this](std::uint32_t value, std::string_view& text) { return values_.find(value, text); });
    store::StoredSpan span;
    for (std::size_t i = 0; sound && i < block_.count(); ++i) {
      if (block_.heads()[i].start_unix_ns < before_) continue;
      if (!block_.read(i, span)) break;
      if (!maker_.add(span)) return false;
    }
    return true;
  }

  store::Connection& c_;
  std::int64_t before_;
  store::SpanKeys keys_;
  Values values_;
  BlockMaker maker_;
  store::SpanBlockReader block_;
};

/// What forgotten blocks leave behind: where their traces were, and values that only they name. A block that cannot be
/// read names nothing that could be shown.
bool forget_leftovers(store::Connection& c) {
  if (c.execute("DELETE FROM trace_range WHERE blk NOT IN (SELECT id FROM blk);"
                "DELETE FROM foreign_ids WHERE blk NOT IN (SELECT id FROM blk)") != SQLITE_OK)
    return false;
  const store::SpanKeys keys = read_keys(c);
  Values values(c);
  store::Statement rows = c.prepare("SELECT data FROM blk");
  int code = SQLITE_MISUSE;
  store::SpanBlockReader block;
  while (rows && (code = rows.step()) == SQLITE_ROW) {
    if (!block.open(
            rows.blob(0), [&](std::uint32_t id) { return keys.find(id); },
            [&](std::uint32_t id, std::string_view& text) { return values.find(id, text); }))
      continue;
    store::StoredSpan span;
    for (std::size_t i = 0; i < block.count(); ++i) (void)block.read(i, span);
  }
  if (code != SQLITE_DONE) return false;
  std::vector<std::int64_t> unnamed;
  rows = c.prepare("SELECT id FROM val");
  while (rows && (code = rows.step()) == SQLITE_ROW) {
    if (!values.named(static_cast<std::uint32_t>(rows.integer(0)))) unnamed.push_back(rows.integer(0));
  }
  rows = store::Statement();
  return code == SQLITE_DONE && std::all_of(unnamed.begin(), unnamed.end(), [&](std::int64_t id) {
           return run(c, "DELETE FROM val WHERE id = ?1", id);
         });
}

bool erase(store::Connection& c, const char* sql, std::int64_t before, std::uint64_t& blocks) {
  if (!run(c, sql, before)) return false;
  blocks += static_cast<std::uint64_t>(c.changes());
  return true;
}

}  // namespace

bool forget_spans(store::Connection& c, std::int64_t before, std::uint64_t& blocks) {
  const char* kSpans = "SELECT (SELECT coalesce(sum(n), 0) FROM hot) + (SELECT coalesce(sum(n), 0) FROM blk)";
  const std::int64_t spans = c.integer(kSpans, 0);
  if (c.execute(store::kTraceBlockSchema) != SQLITE_OK) return false;  // a file from before its first block
  if (before != kAll) {
    Cut cut(c, before);
    if (!cut.blocks(blocks) || !cut.drains()) return false;
  }
  bool done = erase(c, "DELETE FROM hot WHERE t0 < ?1", before, blocks) &&
              erase(c, "DELETE FROM blk WHERE t0 < ?1", before, blocks) &&
              run(c, "DELETE FROM crash WHERE died < ?1", before) && run(c, "DELETE FROM mark WHERE at < ?1", before);
  store::Statement count =
      c.prepare("INSERT INTO counts(name, n) VALUES('expired', ?1) ON CONFLICT(name) DO UPDATE SET n=n+excluded.n");
  done = done && count && count.bind(1, spans - c.integer(kSpans, 0)).run() == SQLITE_OK && forget_leftovers(c);
  if (!done || before != kAll) return done;
  return c.execute("DELETE FROM str WHERE id > 0; DELETE FROM scope; DELETE FROM idkey") == SQLITE_OK;
}

}  // namespace honeylink::telemetry::cli
