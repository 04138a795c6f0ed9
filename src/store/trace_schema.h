// Tables of traces.db (docs/formats/traces_db.md), included by the store that writes them.
#pragma once

namespace honeylink::telemetry::store {

/// What blocks need besides blk. Also run by the packer, inside its transaction, on a file from before there were any.
inline constexpr const char* kTraceBlockSchema =
    "CREATE INDEX IF NOT EXISTS blk_zone ON blk(t1, t0, n, zone);"
    // Key columns first: quick_check of SQLite 3.40 takes another order for NULLs.
    "CREATE TABLE IF NOT EXISTS trace_range(source INTEGER NOT NULL, hi INTEGER NOT NULL, blk INTEGER NOT NULL, lo "
    "INTEGER NOT NULL, PRIMARY KEY(source, hi, blk)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS foreign_ids(blk INTEGER PRIMARY KEY, filter BLOB NOT NULL);"
    // Attribute values that recur.
    "CREATE TABLE IF NOT EXISTS val(id INTEGER PRIMARY KEY, data BLOB NOT NULL);";

inline constexpr const char* kTraceSchema =
    // Texts of names and keys, for the whole database. 0 is "_unknown".
    "CREATE TABLE str(id INTEGER PRIMARY KEY, text TEXT NOT NULL);"
    "CREATE UNIQUE INDEX str_text ON str(text);"
    "INSERT INTO str VALUES(0, '_unknown');"
    "CREATE TABLE scope(id INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, schema_url TEXT NOT NULL);"
    // A recording process start: the keys that turn its counters into ids, and who it was.
    "CREATE TABLE idkey(id INTEGER PRIMARY KEY, ring BLOB NOT NULL UNIQUE, trace_key BLOB NOT NULL, span_key BLOB NOT "
    "NULL,"
    " pid INTEGER NOT NULL, started INTEGER NOT NULL, service TEXT NOT NULL, version TEXT NOT NULL, module TEXT NOT "
    "NULL,"
    " environment TEXT NOT NULL, resource TEXT NOT NULL);"
    // One raw blob a commit. kept: bit n set if a span with Kept n is in it. first: how many spans were stored before.
    "CREATE TABLE hot(id INTEGER PRIMARY KEY, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, n INTEGER NOT NULL, errors "
    "INTEGER NOT NULL,"
    " kept INTEGER NOT NULL, first INTEGER NOT NULL, data BLOB NOT NULL);"
    // Columnar blocks, packed out of hot rows that held the spans from first to before last.
    "CREATE TABLE blk(id INTEGER PRIMARY KEY, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, n INTEGER NOT NULL, first "
    "INTEGER NOT NULL, last INTEGER NOT NULL, zone BLOB, data BLOB NOT NULL);"
    "CREATE TABLE cursor(ring BLOB NOT NULL, slot INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY(ring, slot)) "
    "WITHOUT ROWID;"
    "CREATE TABLE kept(ring BLOB NOT NULL, slot INTEGER NOT NULL, ord INTEGER NOT NULL, PRIMARY KEY(ring, slot, ord)) "
    "WITHOUT ROWID;"
    "CREATE TABLE mark(ring BLOB NOT NULL, is_foreign INTEGER NOT NULL, hi INTEGER NOT NULL, lo INTEGER NOT NULL, at "
    "INTEGER NOT NULL,"
    " reason TEXT NOT NULL, PRIMARY KEY(ring, is_foreign, hi, lo)) WITHOUT ROWID;"
    "CREATE TABLE crash(ring BLOB PRIMARY KEY, pid INTEGER NOT NULL, service TEXT NOT NULL, started INTEGER NOT NULL,"
    " died INTEGER NOT NULL, spans INTEGER NOT NULL, open_spans INTEGER NOT NULL) WITHOUT ROWID;";

}  // namespace honeylink::telemetry::store
