// What a statement may hand to the SQL functions: any bytes as sketch, id, digits and share. An answer or an SQL error,
// and what merge_sketch makes is a sketch again.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "query/sql_functions.h"
#include "store/sqlite.h"

namespace {
using namespace honeylink::telemetry;

struct Asked {
  store::Connection connection;
  store::Statement statements[5];
  Asked() {
    if (connection.open(":memory:", store::Access::read_write, 0) != SQLITE_OK ||
        query::add_functions(connection.get()) != SQLITE_OK)
      std::abort();
    const char* const kSql[] = {
        "SELECT quantile(?1, 0.95), quantile(hex(?1), 0)",
        "SELECT quantile(merge_sketch(s), 0.5) FROM (SELECT ?1 AS s UNION ALL SELECT ?1 UNION ALL SELECT NULL)",
        "SELECT id_text(?1), lower(hex(id_blob(id_text(?1))))",
        "SELECT id_blob(CAST(?1 AS TEXT)), quantile(CAST(?1 AS TEXT), 1)",
        "SELECT quantile(x'0404000000000000000000', CAST(?1 AS TEXT)), rate(?1, ?1)"};
    for (std::size_t i = 0; i < std::size(kSql); ++i) {
      statements[i] = connection.prepare(kSql[i]);
      if (!statements[i]) std::abort();
    }
  }
};
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Asked asked;
  bool sketch = false;
  for (std::size_t i = 0; i < std::size(asked.statements); ++i) {
    const int code = asked.statements[i].bind(1, std::span(data, size)).step();
    if (code != SQLITE_ROW && (code & 0xff) != SQLITE_ERROR) std::abort();
    if (i == 0) sketch = code == SQLITE_ROW;
    if (i == 1 && sketch != (code == SQLITE_ROW)) std::abort();
    asked.statements[i].reset();
  }
  return 0;
}
