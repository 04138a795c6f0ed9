// Spans put into new blocks of a traces.db, with the values that they name and what finds them: of a bundle's own, or
// of a block that part of has been forgotten. Used by bundle_traces.cc and forget_traces.cc, inside their transaction.
#pragma once
#include <deque>
#include <set>
#include <vector>

#include "store/span_block.h"
#include "store/sqlite.h"

namespace honeylink::telemetry::cli {

/// Not thread-safe; dies before its connection.
class BlockMaker {
 public:
  /// `keys`: of the processes whose ids may stand in foreign form. `beside_others`: in a database whose own blocks name
  /// values, too; nothing may then be said of which are not needed any more.
  BlockMaker(store::Connection& to, store::SpanKeys keys, bool beside_others);

  std::set<std::uint32_t> texts{0}, scopes, sources;  // of str, scope and idkey: what the spans name

  /// What the spans that follow were stored as (blk.first, blk.last); 0 and 0: of no matter.
  void stored_as(std::int64_t first, std::int64_t last) noexcept { first_ = first, last_ = last; }

  /// Its items are copied. Full blocks are written. False: SQLite refused.
  [[nodiscard]] bool add(store::StoredSpan span);
  /// What has gathered becomes a block.
  [[nodiscard]] bool flush() { return flush_as(0); }
  /// … numbered `id`, which must be free; 0: as it comes. Nothing for no spans.
  [[nodiscard]] bool flush_as(std::int64_t id);

 private:
  void name_texts(std::span<const std::uint8_t> bytes, std::int64_t start, bool within = false);
  [[nodiscard]] bool store_values();

  store::Connection& to_;
  bool beside_others_;
  store::Statement block_, value_;
  store::SpanKeys keys_;
  store::SpanOrder order_;
  store::SpanValues values_;
  store::SpanBlockWriter writer_;
  store::WrittenBlock written_;
  std::vector<store::StoredSpan> spans_;
  std::deque<std::vector<std::uint8_t>> items_;
  std::size_t bytes_ = 0;
  std::int64_t first_ = 0, last_ = 0;
};

/// Every process of a traces.db.
[[nodiscard]] store::SpanKeys read_keys(store::Connection& connection);

}  // namespace honeylink::telemetry::cli
