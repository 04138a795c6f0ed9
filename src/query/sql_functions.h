// SQL functions over what the tables of sql_tables.h hold (docs/cli.md, "SQL"): sketches, rates, ids. Added to
// connections of `honeytel sql` and, by the extension, to those of other programs. Whatever a caller hands over is
// answered with a value or an SQL error. No function may be called from a view, trigger or index of a file
// (SQLITE_DIRECTONLY).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/events.h"
#include "store/sqlite.h"

namespace honeylink::telemetry::query {

/// A sketch as the functions take it: the form *sketch* of docs/formats/metrics_db.md.
[[nodiscard]] std::vector<std::uint8_t> sketch_blob(const Sketch& sketch, int live_scale = 0);

/// quantile, merge_sketch, rate, id_blob, id_text. SQLite's result code.
[[nodiscard]] int add_functions(sqlite3* db);

}  // namespace honeylink::telemetry::query
