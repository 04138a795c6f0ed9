// The transaction of TraceStore and the ids that it hands out (docs/formats/traces_db.md).
#include <algorithm>

#include "base/killpoint.h"
#include "base/text.h"
#include "store/trace_state.h"

namespace honeylink::telemetry::store {
namespace {

using Bytes = std::span<const std::uint8_t>;

std::string resource_json(const ResourceInfo& resource) {
  std::string json = "{";
  for (const auto& [key, value] : resource.more) {
    if (json.size() > 1) json += ',';
    append_json_string(json, key);
    json += ':';
    append_json_string(json, value);
  }
  return json + "}";
}

}  // namespace

SourceIds& TraceStore::State::ids_of(const Source& source) {
  auto [at, is_new] = ids.try_emplace(source.serial);
  if (is_new) at->second.source = source_id(source), at->second.ring = source.ring_id;
  last_source = &source, last_serial = source.serial, last_ids = &at->second;
  return at->second;
}

std::uint32_t TraceStore::State::text_id(std::string_view text) {
  const std::string clean = replace_invalid_utf8(text);
  if (const auto known = new_text_ids.find(clean); known != new_text_ids.end()) return known->second;
  const bool stored = sql.text_row.bind(1, std::string_view(clean)).step() == SQLITE_ROW;
  const auto id = stored ? static_cast<std::uint32_t>(sql.text_row.integer(0)) : next_text++;
  sql.text_row.reset();
  if (!stored) {
    new_texts.emplace_back(id, clean);
    if (tells) told.texts.emplace_back(id, clean);
    new_text_ids.emplace(clean, id);
  }
  return id;
}

std::uint32_t TraceStore::State::scope_id(const ScopeInfo& scope) {
  if (scope.name.empty() && scope.version.empty() && scope.schema_url.empty()) return 0;
  for (const auto& [id, known] : new_scopes) {
    if (known.name == scope.name && known.version == scope.version && known.schema_url == scope.schema_url) return id;
  }
  sql.scope_row.bind(1, std::string_view(scope.name))
      .bind(2, std::string_view(scope.version))
      .bind(3, std::string_view(scope.schema_url));
  const bool stored = sql.scope_row.step() == SQLITE_ROW;
  const auto id = stored ? static_cast<std::uint32_t>(sql.scope_row.integer(0)) : next_scope++;
  sql.scope_row.reset();
  if (stored) return id;
  new_scopes.emplace_back(id, scope);
  if (tells) told.scopes.emplace_back(id, scope);
  return id;
}

std::uint32_t TraceStore::State::source_id(const Source& source) {
  for (const auto& [id, known] : new_sources) {
    if (known.ring_id == source.ring_id) return id;
  }
  const bool stored = sql.source_row.bind(1, Bytes(source.ring_id)).step() == SQLITE_ROW;
  const auto id = stored ? static_cast<std::uint32_t>(sql.source_row.integer(0)) : next_source++;
  sql.source_row.reset();
  if (stored) return id;
  Source& copy = new_sources.emplace_back(id, Source{}).second;
  copy.ring_id = source.ring_id, copy.pid = source.pid, copy.started_unix_ns = source.started_unix_ns;
  copy.trace_key = source.trace_key, copy.span_key = source.span_key, copy.resource = source.resource;
  if (tells) told.sources.emplace_back(id, copy);
  return id;
}

int TraceStore::State::write_names() {
  int result = SQLITE_OK;
  for (const auto& [id, text] : new_texts) {
    if ((result = sql.text.bind(1, id).bind(2, std::string_view(text)).run()) != SQLITE_OK) return result;
  }
  for (const auto& [id, scope] : new_scopes) {
    sql.scope.bind(1, id).bind(2, std::string_view(scope.name)).bind(3, std::string_view(scope.version));
    if ((result = sql.scope.bind(4, std::string_view(scope.schema_url)).run()) != SQLITE_OK) return result;
  }
  for (const auto& [id, source] : new_sources) {
    const ResourceInfo& r = source.resource;
    const std::string more = resource_json(r);
    sql.source.bind(1, id)
        .bind(2, Bytes(source.ring_id))
        .bind(3, Bytes(source.trace_key))
        .bind(4, Bytes(source.span_key));
    sql.source.bind(5, source.pid).bind(6, source.started_unix_ns).bind(7, std::string_view(r.service_name));
    sql.source.bind(8, std::string_view(r.service_version))
        .bind(9, std::string_view(r.module))
        .bind(10, std::string_view(r.environment));
    if ((result = sql.source.bind(11, std::string_view(more)).run()) != SQLITE_OK) return result;
  }
  return result;
}

int TraceStore::State::write_rows(std::span<const SlotCursor> cursors) {
  int result = SQLITE_OK;
  const auto ok = [&](int code) { return (result = code) == SQLITE_OK; };
  if (blob.count() != 0) {
    sql.hot.bind(1, blob.first_start_unix_ns())
        .bind(2, blob.last_start_unix_ns())
        .bind(3, blob.count())
        .bind(4, errors)
        .bind(5, kept_mask);
    if (!ok(sql.hot.bind(6, stored).bind(7, blob.finish()).run())) return result;
  }
  killpoint("trace.after_rows");
  for (const SlotCursor& cursor : cursors) {
    if (!ok(sql.cursor.bind(1, Bytes(cursor.ring)).bind(2, cursor.slot).bind(3, cursor.next_ordinal).run()))
      return result;
  }
  for (const KeptRecord& record : kept) {
    if (!ok(sql.kept.bind(1, Bytes(record.ring)).bind(2, record.slot).bind(3, record.ordinal).run())) return result;
  }
  for (const KeptRecord& below : kept_below) {
    if (!ok(sql.forget_kept_below.bind(1, Bytes(below.ring)).bind(2, below.slot).bind(3, below.ordinal).run()))
      return result;
  }
  for (const MarkedTrace& mark : marks) {
    sql.mark.bind(1, Bytes(mark.ring))
        .bind(2, mark.trace.foreign ? 1 : 0)
        .bind(3, mark.trace.hi)
        .bind(4, mark.trace.lo);
    if (!ok(sql.mark.bind(5, mark.marked_unix_ns).bind(6, std::string_view(mark.reason)).run())) return result;
  }
  if (forget_marks_before != 0 && !ok(sql.forget_marks.bind(1, forget_marks_before).run())) return result;
  for (const CrashInfo& crash : crashes) {
    sql.crash.bind(1, Bytes(crash.ring))
        .bind(2, crash.pid)
        .bind(3, std::string_view(crash.service))
        .bind(4, crash.started_unix_ns);
    if (!ok(sql.crash.bind(5, crash.died_unix_ns).bind(6, crash.spans).bind(7, crash.open_spans).run())) return result;
  }
  for (const RingId& ring : forgotten) {
    if (!ok(sql.forget_cursor.bind(1, Bytes(ring)).run()) || !ok(sql.forget_kept.bind(1, Bytes(ring)).run()))
      return result;
  }
  return result;
}

CommitResult TraceStore::commit(std::span<const SlotCursor> cursors, const Counts& delta, bool durable) {
  State& s = *state_;
  const bool nothing = s.blob.count() == 0 && cursors.empty() && delta.empty() && s.kept.empty() &&
                       s.kept_below.empty() && s.marks.empty() && s.crashes.empty() && s.forgotten.empty() &&
                       s.forget_marks_before == 0 && s.new_texts.empty();
  if (nothing) return CommitResult::ok;
  killpoint("trace.before_begin");
  const std::uint64_t rows = cursors.size() + s.kept.size() + s.marks.size() + s.crashes.size();
  CommitResult result = s.database.begin(s.blob.bytes() + rows * 64, durable);
  if (result != CommitResult::ok) return result;
  killpoint("trace.after_begin");
  if (s.write_names() != SQLITE_OK || s.write_rows(cursors) != SQLITE_OK || s.database.add_counts(delta) != SQLITE_OK)
    return s.database.fail();
  killpoint("trace.before_commit");
  result = s.database.commit();
  if (result != CommitResult::ok) return result;
  killpoint("trace.after_commit");
  s.new_texts.clear(), s.new_text_ids.clear(), s.new_scopes.clear(), s.new_sources.clear();
  s.forgotten.clear(), s.forget_marks_before = 0;
  s.stored += delta.stored;
  discard_pending();
  return CommitResult::ok;
}

bool TraceStore::recover(std::string& said) {
  State& s = *state_;
  s.sql = {};
  s.packer.forget();
  if (!s.database.recover(said)) return false;
  // The pending blob names rows of the old file.
  s.blob.clear();
  s.errors = s.kept_mask = 0;
  s.handed_bytes = s.handed_spans = 0;
  return s.attach();
}

}  // namespace honeylink::telemetry::store
