// metrics/traces.db, looked at: lists of traces, one trace by id, the slowest spans, every span in a range of time.
// Reads blocks through store/span_block.h and hot blobs through store/trace_codec.h, both from one snapshot; trusts
// nothing in them. One thread. By id and by duration: trace_find.cc.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "query/problem.h"
#include "query/span_view.h"
#include "store/span_block.h"
#include "store/sqlite.h"
#include "store/trace_codec.h"

namespace honeylink::telemetry::query {

struct TraceFilter {
  std::int64_t since_unix_ns = INT64_MIN, until_unix_ns = INT64_MAX;  // by a span's start
  std::string name;                                                   // of any span of the trace; exact
  std::string pseudonym;  // a hashed id, in any span of the trace or its events and links
  std::int64_t duration_ns_min = 0;
  bool errors = false, slow = false;
};

struct TraceSummary {
  TraceIdBytes trace_id{};
  std::string root, service;  // of the span without a parent, else of the earliest
  std::int64_t start_unix_ns = INT64_MAX, end_unix_ns = INT64_MIN;
  std::uint64_t spans = 0, errors = 0;
  Kept kept = Kept::sampled;
  bool slow = false;
  [[nodiscard]] std::int64_t duration_ns() const noexcept { return end_unix_ns - start_unix_ns; }
};
struct TraceList {
  std::vector<TraceSummary> traces;  // newest first, at most the limit
  std::uint64_t total = 0;
  std::uint64_t damaged_blobs = 0;
};

/// A recording process start, as table idkey has it.
struct TraceSource {
  IdCipher ids;
  std::string service, module;
  std::uint64_t pid = 0;
};

class TraceReader {
 public:
  [[nodiscard]] static Answer<std::unique_ptr<TraceReader>> open(const std::string& home);

  /// `limit` 0: all.
  [[nodiscard]] Answer<TraceList> list(const TraceFilter& filter, std::size_t limit);
  /// Every span of the one trace that begins with these digits (≥ 4, or all 32). usage where several do: `why` names
  /// some.
  [[nodiscard]] Answer<std::vector<SpanView>> trace(const std::string& hex_prefix,
                                                    SpanDetail detail = SpanDetail::whole);
  /// Every span's shape, and of this one the whole.
  [[nodiscard]] Answer<std::vector<SpanView>> trace_around(const std::string& hex_prefix, const SpanIdBytes& span);

  /// The slowest spans that start in the range, slowest first; of one name unless that is empty.
  [[nodiscard]] Answer<std::vector<SpanView>> slowest(std::int64_t since_unix_ns, std::int64_t until_unix_ns,
                                                      const std::string& name, std::size_t limit);

  /// One span after the other, blocks first, in order of their last start; then hot rows in order of storing. What
  /// next() gives is valid until the next call.
  class Walk {
   public:
    bool next(store::StoredSpan& span, const TraceSource*& source);
    [[nodiscard]] bool failed() const noexcept { return code_ != SQLITE_ROW && code_ != SQLITE_DONE; }

   private:
    friend class TraceReader;
    bool next_stored(store::StoredSpan& span);
    bool next_row();
    TraceReader* reader_ = nullptr;
    store::Statement rows_, data_;  // the latter: of one block
    store::TraceBlob blob_{{}};
    store::SpanBlockReader block_;
    std::size_t at_ = 0;  // next span of the block
    bool is_block_ = false;
    std::int64_t since_ = INT64_MIN, until_ = INT64_MAX;
    std::optional<std::uint32_t> name_;
    int code_ = SQLITE_ROW;
    bool in_blob_ = false;
  };
  /// Spans that start in the range; of one name (name_id()) where one is given: blocks without it are not read. The
  /// reader must outlive the walk.
  [[nodiscard]] Walk walk(std::int64_t since_unix_ns, std::int64_t until_unix_ns,
                          std::optional<std::uint32_t> name = std::nullopt);
  /// The id by which spans name this text; empty where none does.
  [[nodiscard]] std::optional<std::uint32_t> name_id(std::string_view name);
  /// The same as a visit; stops where that answers false.
  using Visit = std::function<bool(const store::StoredSpan&, const TraceSource&)>;
  [[nodiscard]] std::optional<Problem> scan(std::int64_t since_unix_ns, std::int64_t until_unix_ns, const Visit& visit);
  [[nodiscard]] SpanView view(const store::StoredSpan& span, const TraceSource& source,
                              SpanDetail detail = SpanDetail::whole);
  [[nodiscard]] TraceIdBytes trace_id(const store::StoredSpan& span, const TraceSource& source) const noexcept;
  [[nodiscard]] const std::string& text(std::uint32_t id);
  /// What SQLite said last.
  [[nodiscard]] Problem problem() const;
  [[nodiscard]] std::uint64_t damaged_blobs() const noexcept { return damaged_blobs_; }

  /// Processes that died, newest first (table crash).
  struct Crash {
    RingId ring{};
    std::uint64_t pid = 0, spans = 0, open_spans = 0;
    std::string service;
    std::int64_t started_unix_ns = 0, died_unix_ns = 0;
  };
  [[nodiscard]] Answer<std::vector<Crash>> crashes();
  /// Spans that a ring left: idkey of that ring. Newest last.
  [[nodiscard]] Answer<std::vector<SpanView>> spans_of_ring(const RingId& ring, std::int64_t since_unix_ns);

 private:
  TraceReader() = default;
  struct Sought;
  [[nodiscard]] bool load_sources();
  [[nodiscard]] const TraceSource* source_of(std::uint32_t id);
  /// False: damaged, and counted.
  [[nodiscard]] bool open_block(store::SpanBlockReader& block, std::span<const std::uint8_t> bytes);
  [[nodiscard]] bool value(std::uint32_t id, std::string_view& value);
  [[nodiscard]] Answer<std::vector<SpanView>> seek(Sought& sought);
  [[nodiscard]] SpanView view_of(const Sought& sought, const store::StoredSpan& span, const TraceSource& source);
  bool seek_hot(Sought& sought);
  bool seek_counters(Sought& sought, std::set<std::int64_t>& blocks);
  bool seek_foreign(Sought& sought, std::set<std::int64_t>& blocks);
  bool seek_block(Sought& sought, std::int64_t id);
  struct Slowest;
  bool slowest_hot(Slowest& best);
  bool slowest_packed(Slowest& best);
  void slowest_of_blocks(Slowest& best, const std::vector<std::pair<std::int64_t, std::int64_t>>& zones);
  void slowest_of_block(Slowest& best);
  [[nodiscard]] std::string scope(std::uint32_t id);

  std::string path_;
  store::Connection connection_;
  store::Statement text_statement_;
  std::map<std::uint32_t, TraceSource> sources_;
  std::map<std::uint32_t, RingId> rings_;
  std::map<std::uint32_t, std::string> texts_, scopes_;
  std::unordered_map<std::uint32_t, std::string> values_;  // its texts do not move
  store::Statement value_statement_;
  store::SpanBlockReader block_;  // of look-ups: its memory is kept from one to the next
  std::uint64_t damaged_blobs_ = 0;
};

/// Values as JSON, as `traces --json` and the table `spans` give them.
[[nodiscard]] std::string json_value(const store::StoredItem& item);

/// Is this the beginning of a trace id: 4 to 32 hexadecimal digits? Lower-cased into `prefix`.
bool normalize_trace_prefix(std::string_view given, std::string& prefix);

}  // namespace honeylink::telemetry::query
