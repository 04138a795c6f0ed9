// See block_maker.h.
#include "cli/block_maker.h"

#include <algorithm>

#include "store/span_block_format.h"
#include "store/span_pack.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::size_t kBatchItemBytes = 1'000'000;
static_assert(kBatchItemBytes <= store::kBlockItemBytes);

}  // namespace

BlockMaker::BlockMaker(store::Connection& to, store::SpanKeys keys, bool beside_others)
    : to_(to),
      beside_others_(beside_others),
      block_(
          to.prepare("INSERT INTO blk(id, t0, t1, n, first, last, zone, data) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")),
      value_(to.prepare("INSERT OR REPLACE INTO val VALUES(?1, ?2)")),
      keys_(std::move(keys)) {
  // Values that are there already are named, not stored again.
  store::Statement rows = to.prepare("SELECT id, data FROM val ORDER BY id");
  while (rows && rows.step() == SQLITE_ROW) {
    std::string_view text;
    values_.load(static_cast<std::uint32_t>(rows.integer(0)),
                 store::unpack_value(rows.blob(1), text) ? text : std::string_view());
  }
}

bool BlockMaker::add(store::StoredSpan span) {
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

// Events and links have attributes, and those have nothing: what a crafted file nests deeper is shown nowhere.
void BlockMaker::name_texts(std::span<const std::uint8_t> bytes, std::int64_t start, bool within) {
  store::StoredItems items(bytes, start);
  for (store::StoredItem item; items.next(item);) {
    texts.insert(item.key);
    if (item.type == ItemType::id) texts.insert(item.kind);
    if (!within && (item.type == ItemType::event || item.type == ItemType::link)) name_texts(item.items, start, true);
  }
}

bool BlockMaker::store_values() {
  for (const auto& [id, text] : values_.fresh()) {
    const std::string packed = store::pack_value(text);
    const std::span data(reinterpret_cast<const std::uint8_t*>(packed.data()), packed.size());
    if (!value_ || value_.bind(1, id).bind(2, data).run() != SQLITE_OK) return false;
  }
  values_.stored();
  return true;
}

bool BlockMaker::flush_as(std::int64_t id) {
  if (spans_.empty()) return true;
  values_.begin_block();
  store::group_spans(spans_, keys_, order_);
  writer_.write(spans_, order_, order_.runs, keys_, values_, written_);
  if (!store_values() || !block_) return false;
  if (beside_others_) written_.zone.value_epoch = 1;  // this block, or a later one, may name any value
  const auto zone = store::write_zone(written_.zone);
  if (id != 0) block_.bind(1, id);
  block_.bind(2, written_.t0).bind(3, written_.t1).bind(4, static_cast<std::uint64_t>(spans_.size()));
  block_.bind(5, first_).bind(6, last_);
  block_.bind(7, std::span<const std::uint8_t>(zone)).bind(8, std::span<const std::uint8_t>(written_.data));
  if (block_.run() != SQLITE_OK) return false;
  const bool named = store::store_block_ids(to_, sqlite3_last_insert_rowid(to_.get()), order_.runs);
  spans_.clear(), items_.clear(), bytes_ = 0;
  return named;
}

store::SpanKeys read_keys(store::Connection& connection) {
  store::SpanKeys keys;
  store::Statement rows = connection.prepare("SELECT id, trace_key, span_key FROM idkey");
  while (rows && rows.step() == SQLITE_ROW) {
    IdKey trace{}, span{};
    std::copy_n(rows.blob(1).begin(), std::min(rows.blob(1).size(), trace.size()), trace.begin());
    std::copy_n(rows.blob(2).begin(), std::min(rows.blob(2).size(), span.size()), span.begin());
    keys.add(static_cast<std::uint32_t>(rows.integer(0)), trace, span);
  }
  return keys;
}

}  // namespace honeylink::telemetry::cli
