// What a fresh traces.db takes over from a quarantined one: first what exactly-once needs, then names, then spans,
// newest first.
#include "store/salvage.h"
#include "store/span_block.h"
#include "store/span_pack.h"
#include "store/trace_codec.h"
#include "store/trace_state.h"

namespace honeylink::telemetry::store {

namespace {
// Blocks are whole or damaged by their own checksum; what helps to find them is only as good as with all of its rows.
void salvage_blocks(Connection& broken, Connection& fresh, const std::function<bool()>& late) {
  copy_rows(broken, fresh, "SELECT id, data FROM val", "INSERT OR REPLACE INTO val VALUES(?1, ?2)");
  const bool found = copy_rows(broken, fresh, "SELECT source, hi, blk, lo FROM trace_range",
                               "INSERT OR REPLACE INTO trace_range VALUES(?1, ?2, ?3, ?4)") &&
                     copy_rows(broken, fresh, "SELECT blk, filter FROM foreign_ids",
                               "INSERT OR REPLACE INTO foreign_ids VALUES(?1, ?2)");
  if (!found) fresh.execute("DELETE FROM trace_range; DELETE FROM foreign_ids");
  SpanBlockReader reader;
  copy_rows(broken, fresh, "SELECT id, t0, t1, n, first, last, zone, data FROM blk ORDER BY id DESC",
            "INSERT OR REPLACE INTO blk VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", [&](const Statement& row) {
              if (late() || !SpanBlockReader::sound(row.blob(7))) return false;
              return found ||
                     (reader.open(row.blob(7), {}, {}) && store_block_ids(fresh, row.integer(0), reader.runs()));
            });
}
}  // namespace

bool salvage_traces(Connection& broken, Connection& fresh, const std::function<bool()>& late) {
  if (fresh.execute("BEGIN IMMEDIATE") != SQLITE_OK) return false;
  copy_rows(broken, fresh, "SELECT key, value FROM meta", "INSERT OR REPLACE INTO meta VALUES(?1, ?2)");
  copy_rows(broken, fresh, "SELECT name, n FROM counts", "INSERT OR REPLACE INTO counts VALUES(?1, ?2)");
  const bool cursors =
      copy_rows(broken, fresh, "SELECT ring, slot, next FROM cursor",
                "INSERT OR REPLACE INTO cursor VALUES(?1, ?2, ?3)") &&
      copy_rows(broken, fresh, "SELECT ring, slot, ord FROM kept", "INSERT OR REPLACE INTO kept VALUES(?1, ?2, ?3)");
  if (!cursors) fresh.execute("DELETE FROM cursor; DELETE FROM kept");
  copy_rows(broken, fresh, "SELECT * FROM mark", "INSERT OR REPLACE INTO mark VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
  copy_rows(broken, fresh, "SELECT * FROM crash", "INSERT OR REPLACE INTO crash VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  // Spans name their texts and keys by number: without all of them they would get false names.
  const bool names =
      copy_rows(broken, fresh, "SELECT id, text FROM str", "INSERT OR REPLACE INTO str VALUES(?1, ?2)") &&
      copy_rows(broken, fresh, "SELECT * FROM scope", "INSERT OR REPLACE INTO scope VALUES(?1, ?2, ?3, ?4)") &&
      copy_rows(broken, fresh, "SELECT * FROM idkey",
                "INSERT OR REPLACE INTO idkey VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
  if (names) {
    copy_rows(broken, fresh, "SELECT id, t0, t1, n, errors, kept, first, data FROM hot ORDER BY id DESC",
              "INSERT OR REPLACE INTO hot VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
              [&](const Statement& row) { return !late() && TraceBlob(row.blob(7)).sound(); });
    salvage_blocks(broken, fresh, late);
  } else {
    fresh.execute("DELETE FROM str WHERE id > 0; DELETE FROM scope; DELETE FROM idkey");
  }
  return fresh.execute("COMMIT") == SQLITE_OK && cursors;
}

}  // namespace honeylink::telemetry::store
