// See stored_spans.h.
#include "export/stored_spans.h"

#include <algorithm>

#include "store/span_block_values.h"

namespace honeylink::telemetry::exporting {
namespace {

constexpr int kBusyTimeoutMs = 200;
constexpr std::size_t kValuesMax = 65'536;  // texts that are kept; then they are read anew

Batch gone(Range range) {
  Batch batch;
  batch.range = range, batch.expired = range.last - range.first;
  return batch;
}

}  // namespace

StoredSpans::StoredSpans(std::string database, LiveNames& names, std::int64_t from_unix_ns)
    : path_(std::move(database)), names_(names), from_unix_ns_(from_unix_ns) {}

bool StoredSpans::open() {
  if (connection_) return true;
  if (connection_.open(path_, store::Access::read_only, kBusyTimeoutMs) != SQLITE_OK) return false;
  value_ = connection_.prepare("SELECT data FROM val WHERE id = ?1");
  names_.read_from(&connection_);
  return true;
}

std::uint64_t StoredSpans::first_number(std::uint64_t otherwise) {
  if (!open()) return otherwise;
  std::uint64_t first = otherwise;
  for (const char* query :
       {"SELECT min(first) FROM blk WHERE t1 >= ?1 AND last > 0", "SELECT min(first) FROM hot WHERE t1 >= ?1"}) {
    store::Statement row = connection_.prepare(query);
    if (row && row.bind(1, from_unix_ns_).step() == SQLITE_ROW && !row.is_null(0))
      first = std::min(first, row.number(0));
  }
  return first;
}

// What is stored of the gap, the lowest numbers first.
std::optional<StoredSpans::Found> StoredSpans::find(Range gap) {
  std::optional<Found> found;
  for (const bool packed : {true, false}) {
    store::Statement row = connection_.prepare(
        packed ? "SELECT first, last FROM blk WHERE last > ?1 AND first < ?2 ORDER BY first LIMIT 1"
               : "SELECT first, first + n FROM hot WHERE first + n > ?1 AND first < ?2 ORDER BY first LIMIT 1");
    if (!row) return std::nullopt;
    const int code = row.bind(1, gap.first).bind(2, gap.last).step();
    if (code != SQLITE_ROW && code != SQLITE_DONE) return std::nullopt;
    if (code == SQLITE_ROW && (!found || row.number(0) < found->range.first))
      found = Found{{row.number(0), row.number(1)}, packed};
  }
  return found ? found : Found{gap, false};
}

bool StoredSpans::load_blocks(std::uint64_t first) {
  restart();
  store::Statement rows = connection_.prepare("SELECT data FROM blk WHERE first = ?1 AND last > ?1 ORDER BY id");
  if (!rows) return false;
  int code = SQLITE_DONE;
  while ((code = rows.bind(1, first).step()) == SQLITE_ROW) {
    do {
      const auto data = rows.blob(0);
      blocks_.emplace_back(data.begin(), data.end());
    } while ((code = rows.step()) == SQLITE_ROW);
    break;
  }
  return code == SQLITE_DONE;
}

bool StoredSpans::value(std::uint32_t id, std::string_view& value) {
  if (const auto known = values_.find(id); known != values_.end()) return value = known->second, true;
  const bool found = value_.bind(1, id).step() == SQLITE_ROW && store::unpack_value(value_.blob(0), value);
  if (found) value = values_.emplace(id, std::string(value)).first->second;
  value_.reset();
  return found;
}

void StoredSpans::encode(const store::StoredSpan& span, Batch& batch) {
  if (span.start_unix_ns < from_unix_ns_) return;
  if (request_.add(span, names_)) ++batch.items;
  else ++batch.unreadable;
}

Batch StoredSpans::next_of_blocks(std::size_t bytes_max) {
  Batch batch;
  const auto keys = [this](std::uint32_t source) -> const IdCipher* {
    const SpanNames::Recording* recording = names_.recording(source);
    return recording == nullptr ? nullptr : &recording->ids;
  };
  const auto values = [this](std::uint32_t id, std::string_view& text) { return value(id, text); };
  while (block_ < blocks_.size() && request_.bytes() < bytes_max) {
    if (at_ == 0 && !reader_.open(blocks_[block_], keys, values)) {
      ++batch.unreadable;  // how many spans it held is not knowable from it
      ++block_;
      continue;
    }
    store::StoredSpan span;
    while (at_ < reader_.count() && request_.bytes() < bytes_max) {
      if (!reader_.read(at_++, span)) {
        batch.unreadable += reader_.count() - at_ + 1;
        at_ = reader_.count();
        break;
      }
      encode(span, batch);
    }
    if (at_ >= reader_.count()) ++block_, at_ = 0;
  }
  const bool whole = block_ >= blocks_.size();
  batch.range = whole ? its_range_ : Range{its_range_.first, its_range_.first};
  batch.request = request_.finish();
  if (whole) restart();
  return batch;
}

std::optional<Batch> StoredSpans::next_of_rows(Range gap, std::size_t bytes_max) {
  Batch batch;
  batch.range = {gap.first, gap.first};
  store::Statement rows = connection_.prepare(
      "SELECT first, n, data FROM hot WHERE first + n > ?1 AND first < ?2 ORDER BY first LIMIT 256");
  if (!rows) return std::nullopt;
  rows.bind(1, gap.first).bind(2, gap.last);
  int code = SQLITE_ROW;
  while (request_.bytes() < bytes_max && (code = rows.step()) == SQLITE_ROW) {
    const std::uint64_t first = rows.number(0), n = rows.number(1);
    if (first > batch.range.last && batch.range.last != gap.first) break;  // what lies between may be packed by now
    store::TraceBlob blob(rows.blob(2));
    store::StoredSpan span;
    std::uint64_t number = first;
    bool more = true;
    for (; request_.bytes() < bytes_max && (more = blob.next(span)); ++number)
      if (number >= gap.first && number < gap.last) encode(span, batch);
    if (!more && number < first + n) batch.unreadable += first + n - number, number = first + n;
    batch.range.last = std::max(batch.range.last, std::min(number, gap.last));
  }
  batch.request = request_.finish();
  // What cannot be read now is not gone.
  return batch.range.last == gap.first || (code != SQLITE_ROW && code != SQLITE_DONE) ? std::nullopt
                                                                                      : std::optional(std::move(batch));
}

std::optional<Batch> StoredSpans::next(Range gap, std::size_t bytes_max) {
  if (!open()) return std::nullopt;
  if (values_.size() > kValuesMax) values_.clear();
  if (block_ < blocks_.size()) return next_of_blocks(bytes_max);
  if (connection_.execute("BEGIN") != SQLITE_OK) return std::nullopt;
  std::optional<Batch> batch;
  const auto found = find(gap);
  if (found && found->range.first >= gap.last) {
    batch = gone(gap);
  } else if (found && found->range.first > gap.first) {  // nothing before it is stored any more
    batch = gone({gap.first, found->range.first});
  } else if (found && found->packed && load_blocks(found->range.first)) {
    its_range_ = found->range;
  } else if (found && !found->packed) {
    batch = next_of_rows(gap, bytes_max);
  }
  connection_.execute("COMMIT");
  if (!batch && !blocks_.empty()) batch = next_of_blocks(bytes_max);
  if (!batch) connection_.close(), value_ = store::Statement(), names_.read_from(nullptr);
  return batch;
}

}  // namespace honeylink::telemetry::exporting
