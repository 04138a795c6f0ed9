// What a TraceStore holds between commits; shared by trace_store.cc (adding), trace_commit.cc (the transaction) and
// trace_salvage.cc.
#pragma once
#include <array>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/database.h"
#include "store/span_pack.h"
#include "store/trace_codec.h"
#include "store/trace_store.h"

namespace honeylink::telemetry::store {

/// Database ids of one source, found once. `scopes[0]` and texts beyond the tables are asked for when they are met.
struct SourceIds {
  RingId ring{};
  std::uint32_t source = 0;
  std::vector<std::uint32_t> texts, scopes;
};

struct KeptRecord {
  RingId ring{};
  std::uint32_t slot = 0;
  std::uint64_t ordinal = 0;
  friend auto operator<=>(const KeptRecord&, const KeptRecord&) = default;
};

struct TraceStatements {
  Statement hot, cursor, kept, mark, crash, text, scope, source, kept_row, text_row, source_row, scope_row,
      forget_cursor, forget_kept, forget_kept_below, forget_marks;
};

struct TraceStore::State {
  explicit State(const StoreOptions& options);
  /// Statements and caches of the file that stands behind `database` now. False: it is damaged.
  bool attach();
  /// Caches hold ids that the database may not have yet: with another file, or another engine's rows, they are void.
  void forget_ids();

  SourceIds& ids_of(const Source& source);
  std::uint32_t text_id(std::string_view text);
  std::uint32_t scope_id(const ScopeInfo& scope);
  std::uint32_t source_id(const Source& source);
  int write_names();
  int write_rows(std::span<const SlotCursor> cursors);

  [[nodiscard]] const Clock& clock() const noexcept { return given_clock != nullptr ? *given_clock : system_clock(); }

  const Clock* given_clock;
  Database database;
  SpanPacker packer{database};
  std::uint64_t packed_generation = 0;  // database.generation() that the packer knows
  TraceStatements sql;
  std::uint64_t attached = 0;  // database.generation() that the above belong to

  std::uint64_t stored = 0;                        // spans before the pending ones, over the life of the file
  std::size_t handed_bytes = 0, handed_spans = 0;  // of `blob`, by hand_over()
  TraceNames told;
  bool tells = false;

  TraceBlobWriter blob;
  std::uint32_t errors = 0, kept_mask = 0;
  const Source* last_source = nullptr;
  std::uint64_t last_serial = 0;
  SourceIds* last_ids = nullptr;
  std::unordered_map<std::uint64_t, SourceIds> ids;  // by Source::serial

  // Names that got an id and have no row yet; written with the next commit, whatever becomes of the spans.
  std::vector<std::pair<std::uint32_t, std::string>> new_texts;
  std::unordered_map<std::string, std::uint32_t> new_text_ids;
  std::vector<std::pair<std::uint32_t, ScopeInfo>> new_scopes;
  std::vector<std::pair<std::uint32_t, Source>> new_sources;
  std::uint32_t next_text = 1, next_scope = 1, next_source = 1;

  std::set<KeptRecord> kept;
  std::vector<KeptRecord> kept_below;
  std::vector<MarkedTrace> marks;
  std::vector<CrashInfo> crashes;
  std::vector<RingId> forgotten;
  std::int64_t forget_marks_before = 0;
};

/// Copies cursors, kept rows, marks, counts, epoch, names and as many hot rows as time allows. False: not even the
/// cursors.
bool salvage_traces(Connection& broken, Connection& fresh, const std::function<bool()>& late);

}  // namespace honeylink::telemetry::store
