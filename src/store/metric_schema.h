// Tables of metrics.db (docs/formats/metrics_db.md), included by the store that writes them.
#pragma once

namespace honeylink::telemetry::store {

inline constexpr const char* kMetricSchema =
    // labels, resource, scope: JSON objects with sorted keys.
    "CREATE TABLE series(sid INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, unit TEXT NOT NULL, labels "
    "TEXT NOT NULL,"
    " resource TEXT NOT NULL, scope TEXT NOT NULL, description TEXT NOT NULL);"
    "CREATE INDEX series_name ON series(name);"
    // One row a commit: all changed series of a tick (Unix seconds) in one blob.
    "CREATE TABLE hot(commit_no INTEGER PRIMARY KEY, tick INTEGER NOT NULL, n INTEGER NOT NULL, data BLOB NOT NULL);"
    // Packed segments, made out of hot rows.
    "CREATE TABLE seg(id INTEGER PRIMARY KEY, tier INTEGER NOT NULL, \"group\" INTEGER NOT NULL, t0 INTEGER NOT NULL, "
    "t1 INTEGER NOT NULL, n INTEGER NOT NULL, data BLOB NOT NULL);"
    "CREATE INDEX seg_at ON seg(tier, \"group\", t0, t1);"
    // History of the balance: cumulative numbers; dropped is a JSON object by reason. A row only where something
    // changed.
    "CREATE TABLE ledger(commit_no INTEGER NOT NULL, signal TEXT NOT NULL, tick INTEGER NOT NULL, accepted INTEGER NOT "
    "NULL,"
    " retro_kept INTEGER NOT NULL, stored INTEGER NOT NULL, dropped TEXT NOT NULL, in_ring INTEGER NOT NULL, PRIMARY "
    "KEY(commit_no, signal)) WITHOUT ROWID;"
    "CREATE TABLE alerts(alert_id TEXT PRIMARY KEY, severity TEXT NOT NULL, sli_name TEXT NOT NULL, current_value "
    "REAL, threshold REAL,"
    " threshold_type TEXT, timestamp TEXT NOT NULL, trace_id TEXT, labels TEXT NOT NULL, cleared_at TEXT, delivered "
    "TEXT);"
    "CREATE TABLE slis(sli_name TEXT PRIMARY KEY, module TEXT, value REAL, unit TEXT, state TEXT NOT NULL, consecutive "
    "INTEGER NOT NULL,"
    " objective REAL, budget_left REAL, burn_1h REAL, burn_6h REAL, newest_point TEXT);";

// More of each SLI, for the engine and for readers. Made with the first row: files of earlier versions have none, and
// those versions do not miss it.
inline constexpr const char* kSliStateSchema =
    "CREATE TABLE IF NOT EXISTS sli_state(sli_name TEXT PRIMARY KEY, evaluated TEXT, samples REAL, rate REAL, trace_id "
    "TEXT, burn_5m REAL, burn_30m REAL, burn_3d REAL, definition TEXT NOT NULL, tracker TEXT NOT NULL)";

}  // namespace honeylink::telemetry::store
