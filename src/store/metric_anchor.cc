// Anchors of the audit log in metrics.db (docs/formats/audit_log.md, "Anchors"): where the log ended, kept in another
// file than the log. The table is additive: older writers leave it alone, and who first needs it makes it.
#include "store/metric_store_state.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::uint64_t kBytes = 4 * 4096;  // what a row may cost: its page, its tree's, the schema's

}  // namespace

CommitResult MetricStore::add_anchor(std::uint64_t seq, std::string_view hash, std::int64_t at_unix_ns) {
  Database& database = state_->database;
  if (const CommitResult begun = database.begin(kBytes, true); begun != CommitResult::ok) return begun;
  Connection& c = database.connection();
  int result = c.execute(
      "CREATE TABLE IF NOT EXISTS audit_anchor(seq INTEGER PRIMARY KEY, hash TEXT NOT NULL, at INTEGER NOT NULL)");
  Statement row, thin;
  if (result == SQLITE_OK) {
    row = c.prepare("INSERT OR REPLACE INTO audit_anchor VALUES(?1, ?2, ?3)");
    thin = c.prepare(
        "DELETE FROM audit_anchor WHERE seq <= (SELECT seq FROM audit_anchor ORDER BY seq DESC LIMIT 1 OFFSET 1000)");
    result = row && thin ? row.bind(1, seq).bind(2, hash).bind(3, at_unix_ns).run() : c.result();
  }
  if (result == SQLITE_OK) result = thin.run();
  return result == SQLITE_OK ? database.commit() : database.fail();
}

}  // namespace honeylink::telemetry::store
