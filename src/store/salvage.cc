// See salvage.h.
#include "store/salvage.h"

namespace honeylink::telemetry::store {

bool copy_rows(Connection& from, Connection& to, std::string_view select, std::string_view insert,
               const std::function<bool(const Statement& row)>& wanted) {
  Statement rows = from.prepare(select), write = to.prepare(insert);
  if (!rows || !write) return false;
  const int columns = sqlite3_column_count(rows.get());
  for (;;) {
    const int result = rows.step();
    if (result != SQLITE_ROW) return result == SQLITE_DONE;
    if (wanted && !wanted(rows)) continue;
    for (int i = 0; i < columns; ++i) sqlite3_bind_value(write.get(), i + 1, sqlite3_column_value(rows.get(), i));
    if (write.run() != SQLITE_OK) return false;
  }
}

}  // namespace honeylink::telemetry::store
