// Spans of a bundle: read through all blocks, written into new ones, so that neither a block nor a dictionary brings
// along what lies outside the period. See bundle_stores.h.
#include <algorithm>
#include <deque>
#include <set>

#include "cli/bundle_stores.h"
#include "cli/copy_tables.h"
#include "query/database.h"
#include "query/paths.h"
#include "query/trace_reader.h"
#include "store/span_block.h"
#include "store/span_block_format.h"
#include "store/span_pack.h"
#include "store/trace_schema.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::size_t kBatchItemBytes = 1'000'000;
static_assert(kBatchItemBytes <= store::kBlockItemBytes);

/// Spans gathered until they fill a block; their items are copies.
class BlockMaker {
 public:
  explicit BlockMaker(store::Connection& to)
      : to_(to),
        block_(to.prepare("INSERT INTO blk(t0, t1, n, first, last, zone, data) VALUES(?1, ?2, ?3, 0, 0, ?4, ?5)")),
        value_(to.prepare("INSERT INTO val VALUES(?1, ?2)")) {}

  std::set<std::uint32_t> texts{0}, scopes, sources;

  [[nodiscard]] bool add(store::StoredSpan span) {
    if (spans_.size() == store::kBlockSpansMax || bytes_ + span.items.size() > kBatchItemBytes) {
      if (!flush()) return false;
    }
    sources.insert(span.source), texts.insert(span.name), scopes.insert(span.scope);
    name_texts(span.items, span.start_unix_ns);
    bytes_ += span.items.size();
    items_.emplace_back(span.items.begin(), span.items.end());
    span.items = items_.back();
    spans_.push_back(span);
    return true;
  }
  [[nodiscard]] bool flush() {
    if (spans_.empty()) return true;
    values_.begin_block();
    store::group_spans(spans_, keys_, order_);
    writer_.write(spans_, order_, order_.runs, keys_, values_, written_);
    for (const auto& [id, text] : values_.fresh()) {
      const std::string packed = store::pack_value(text);
      const std::span data(reinterpret_cast<const std::uint8_t*>(packed.data()), packed.size());
      if (value_.bind(1, id).bind(2, data).run() != SQLITE_OK) return false;
    }
    values_.stored();
    const auto zone = store::write_zone(written_.zone);
    block_.bind(1, written_.t0).bind(2, written_.t1).bind(3, static_cast<std::uint64_t>(spans_.size()));
    block_.bind(4, std::span<const std::uint8_t>(zone)).bind(5, std::span<const std::uint8_t>(written_.data));
    if (block_.run() != SQLITE_OK) return false;
    const bool named = store::store_block_ids(to_, sqlite3_last_insert_rowid(to_.get()), order_.runs);
    spans_.clear(), items_.clear(), bytes_ = 0;
    return named;
  }

 private:
  // Events and links have attributes, and those have nothing: what a crafted file nests deeper is shown nowhere.
  void name_texts(std::span<const std::uint8_t> bytes, std::int64_t start, bool within = false) {
    store::StoredItems items(bytes, start);
    for (store::StoredItem item; items.next(item);) {
      texts.insert(item.key);
      if (item.type == ItemType::id) texts.insert(item.kind);
      if (!within && (item.type == ItemType::event || item.type == ItemType::link)) name_texts(item.items, start, true);
    }
  }
  store::Connection& to_;
  store::Statement block_, value_;
  store::SpanKeys keys_;
  store::SpanOrder order_;
  store::SpanValues values_;
  store::SpanBlockWriter writer_;
  store::WrittenBlock written_;
  std::vector<store::StoredSpan> spans_;
  std::deque<std::vector<std::uint8_t>> items_;
  std::size_t bytes_ = 0;
};

bool copy_named(store::Connection& from, store::Connection& to, const char* table, const std::set<std::uint32_t>& ids) {
  return std::all_of(ids.begin(), ids.end(),
                     [&](std::uint32_t id) { return copy_rows(from, to, table, "id = ?1", id); });
}

}  // namespace

std::optional<query::Problem> bundle_traces(const std::string& home, const Period& period, const std::string& to,
                                            const GoOn& go_on, Bundled& bundled) {
  auto opened = query::open_database(query::traces_path(home));
  if (!opened.ok())
    return opened.problem().kind == query::ProblemKind::not_found ? std::nullopt : std::optional(opened.problem());
  auto reader = query::TraceReader::open(home);
  if (!reader.ok()) return reader.problem();
  store::Connection& from = opened.value();
  store::Connection made;
  if (auto problem = make_like(from, to, made)) return problem;
  if (made.execute("INSERT OR IGNORE INTO str VALUES(0, '_unknown')") != SQLITE_OK ||
      made.execute(store::kTraceBlockSchema) != SQLITE_OK)
    return query::database_problem(made, to, "cannot write " + to);
  BlockMaker blocks(made);
  bool written = true, stopped = false;
  const auto problem = reader.value()->scan(period.since_unix_ns, period.until_unix_ns,
                                            [&](const store::StoredSpan& span, const query::TraceSource&) {
                                              written = blocks.add(span);
                                              if (++bundled.spans % 4'096 == 0) stopped = !go_on();
                                              return written && !stopped;
                                            });
  if (problem) return *problem;
  if (stopped) return query::Problem{query::ProblemKind::failed, "interrupted", "nothing was made", ""};
  written = written && blocks.flush() && copy_named(from, made, "str", blocks.texts) &&
            copy_named(from, made, "scope", blocks.scopes) && copy_named(from, made, "idkey", blocks.sources) &&
            copy_rows(from, made, "meta", "1") && copy_rows(from, made, "counts", "1") &&
            copy_rows(from, made, "crash", "died BETWEEN ?1 AND ?2", period.since_unix_ns, period.until_unix_ns);
  if (!written || made.execute("COMMIT") != SQLITE_OK)
    return query::database_problem(made, to, "cannot copy the traces");
  return std::nullopt;
}

}  // namespace honeylink::telemetry::cli
