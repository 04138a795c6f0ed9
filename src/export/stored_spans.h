// Spans out of traces.db in the order of storing, as requests: rows of `hot` and the blocks that were packed out of
// them. Owned by the thread that sends; reads on a connection of its own, in short transactions.
//
// Must stay true: what a batch's range says is what was read, or is stored no more; a block is sent as a whole.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "export/batch.h"
#include "export/live_names.h"
#include "export/otlp_spans.h"
#include "store/span_block.h"
#include "store/sqlite.h"

namespace honeylink::telemetry::exporting {

class StoredSpans {
 public:
  /// Spans that began before `from_unix_ns` are passed over.
  StoredSpans(std::string database, LiveNames& names, std::int64_t from_unix_ns);

  /// Opens the database, so that names can be read from it. False: not now.
  bool open();
  /// The next request of a gap. Empty: it cannot be read now.
  [[nodiscard]] std::optional<Batch> next(Range gap, std::size_t bytes_max);
  /// The number of the first span that may be sent: everything before it began earlier. `otherwise` where nothing is
  /// stored.
  [[nodiscard]] std::uint64_t first_number(std::uint64_t otherwise);
  /// Begins anew at the next next(): what was sent of a block is sent again.
  void restart() noexcept { blocks_.clear(), block_ = at_ = 0; }

 private:
  struct Found {
    Range range;
    bool packed = false;
  };
  std::optional<Found> find(Range gap);
  bool load_blocks(std::uint64_t first);
  Batch next_of_blocks(std::size_t bytes_max);
  std::optional<Batch> next_of_rows(Range gap, std::size_t bytes_max);
  bool value(std::uint32_t id, std::string_view& value);
  void encode(const store::StoredSpan& span, Batch& batch);

  const std::string path_;
  LiveNames& names_;
  const std::int64_t from_unix_ns_;
  store::Connection connection_;
  store::Statement value_;
  std::unordered_map<std::uint32_t, std::string> values_;  // its texts do not move
  SpanRequest request_;

  Range its_range_;  // of the blocks
  std::vector<std::vector<std::uint8_t>> blocks_;
  store::SpanBlockReader reader_;
  std::size_t block_ = 0, at_ = 0;  // at_ 0: the block is not opened yet
};

}  // namespace honeylink::telemetry::exporting
