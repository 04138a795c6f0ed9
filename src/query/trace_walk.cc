// Every span in a range of time, block by block: see TraceReader::Walk.
#include <algorithm>

#include "query/database.h"
#include "query/trace_reader.h"

namespace honeylink::telemetry::query {
namespace {

/// May spans of this name be in the block? A damaged zone map tells nothing.
bool may_name(std::span<const std::uint8_t> bytes, std::uint32_t name) {
  store::SpanZone zone;
  if (!store::read_zone(bytes, zone)) return true;
  const auto found =
      std::lower_bound(zone.names.begin(), zone.names.end(), name,
                       [](const store::ZoneName& its, std::uint32_t wanted) { return its.name < wanted; });
  return found != zone.names.end() && found->name == name;
}

}  // namespace

std::optional<std::uint32_t> TraceReader::name_id(std::string_view name) {
  store::Statement row = connection_.prepare("SELECT id FROM str WHERE text = ?");
  if (!row || row.bind(1, name).step() != SQLITE_ROW) return std::nullopt;
  return static_cast<std::uint32_t>(row.integer(0));
}

Problem TraceReader::problem() const { return database_problem(connection_, path_, "cannot read the traces"); }

TraceReader::Walk TraceReader::walk(std::int64_t since, std::int64_t until, std::optional<std::uint32_t> name) {
  Walk walk;
  walk.reader_ = this;
  walk.since_ = since, walk.until_ = until, walk.name_ = name;
  // One statement, one snapshot, which data_ shares: a span that is packed meanwhile is seen once.
  walk.rows_ = connection_.prepare(
      "SELECT id, zone FROM blk WHERE t1 >= ?1 AND t0 <= ?2 UNION ALL SELECT NULL, data FROM hot WHERE t1 >= ?1 AND t0 "
      "<= ?2");
  walk.rows_.bind(1, since).bind(2, until);
  walk.data_ = connection_.prepare("SELECT data FROM blk WHERE id = ?");
  if (!walk.rows_ || !walk.data_) walk.code_ = SQLITE_ERROR;
  return walk;
}

bool TraceReader::Walk::next_stored(store::StoredSpan& span) {
  if (!in_blob_) return false;
  if (!is_block_) {
    if (blob_.next(span)) return true;
    if (!blob_.sound() || blob_.damaged()) ++reader_->damaged_blobs_;
    return false;
  }
  const auto heads = block_.heads();
  while (at_ < heads.size() && (heads[at_].start_unix_ns < since_ || heads[at_].start_unix_ns > until_ ||
                                (name_ && heads[at_].name != *name_)))
    ++at_;
  if (at_ >= heads.size()) return false;
  if (block_.read(at_++, span)) return true;
  ++reader_->damaged_blobs_;
  return false;
}

bool TraceReader::Walk::next(store::StoredSpan& span, const TraceSource*& source) {
  for (;;) {
    while (next_stored(span)) {
      const TraceSource* const found = reader_->source_of(span.source);
      if (found == nullptr || span.start_unix_ns < since_ || span.start_unix_ns > until_) continue;
      if (name_ && span.name != *name_) continue;
      source = found;
      return true;
    }
    if (!next_row()) return false;
  }
}

bool TraceReader::Walk::next_row() {
  in_blob_ = false;
  if (code_ != SQLITE_ROW || (code_ = rows_.step()) != SQLITE_ROW) return false;
  is_block_ = !rows_.is_null(0);
  if (!is_block_) {
    blob_ = store::TraceBlob(rows_.blob(1));
    return in_blob_ = true;
  }
  if (name_ && !may_name(rows_.blob(1), *name_)) return true;
  data_.reset();
  const int code = data_.bind(1, rows_.integer(0)).step();
  if (code != SQLITE_ROW) return (code_ = code == SQLITE_DONE ? SQLITE_CORRUPT : code), false;
  at_ = 0;
  in_blob_ = reader_->open_block(block_, data_.blob(0));
  return true;
}

std::optional<Problem> TraceReader::scan(std::int64_t since, std::int64_t until, const Visit& visit) {
  Walk walk = this->walk(since, until);
  store::StoredSpan span;
  const TraceSource* source = nullptr;
  while (walk.next(span, source)) {
    if (!visit(span, *source)) return std::nullopt;
  }
  if (walk.failed()) return database_problem(connection_, path_, "cannot read the traces");
  return std::nullopt;
}

}  // namespace honeylink::telemetry::query
