// SQLite's virtual tables with the ceremony done once. A table is a struct with
//
//   static constexpr const char* kSchema;           // CREATE TABLE x(…); the column kTimeColumn holds Unix ns
//   static constexpr int kTimeColumn;
//   explicit Table(std::string home);
//   struct Cursor {
//     explicit Cursor(Table&);
//     bool begin(std::int64_t since_unix_ns, std::int64_t until_unix_ns, std::string& why);   // false: an error
//     bool next();                                  // false: the end
//     void column(sqlite3_context*, int);
//   };
//
// Tables are read-only and eponymous: they exist without CREATE. Comparisons with the time column are pushed down;
// SQLite checks them again, so that a cursor may give more than asked, never less. Nothing throws through SQLite.
#pragma once
#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <string>

namespace honeylink::telemetry::query {

inline void result_text(sqlite3_context* context, std::string_view text) {
  sqlite3_result_text64(context, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

template <class Table>
class TableModule {
 public:
  static int add(sqlite3* db, const char* name, const std::string& home) {
    return sqlite3_create_module_v2(db, name, &kModule, new std::string(home),
                                    [](void* p) { delete static_cast<std::string*>(p); });
  }

 private:
  struct Instance {
    sqlite3_vtab base{};
    Table table;
  };
  struct Walk {
    sqlite3_vtab_cursor base{};
    typename Table::Cursor cursor;
    std::int64_t row = 0;
    bool at_end = true;
    explicit Walk(Table& table) : cursor(table) {}
  };
  enum Bound : int { kLower = 1, kUpper = 2 };

  static int connect(sqlite3* db, void* home, int, const char* const*, sqlite3_vtab** made, char**) noexcept {
    try {
      const int code = sqlite3_declare_vtab(db, Table::kSchema);
      if (code == SQLITE_OK) *made = &(new Instance{{}, Table(*static_cast<std::string*>(home))})->base;
      return code;
    } catch (...) { return SQLITE_NOMEM; }
  }
  static int disconnect(sqlite3_vtab* table) noexcept {
    delete reinterpret_cast<Instance*>(table);
    return SQLITE_OK;
  }

  /// One lower and one upper bound of the time column are taken; idxNum says which.
  static int best_index(sqlite3_vtab*, sqlite3_index_info* info) noexcept {
    int arguments = 0;
    info->idxNum = 0;
    const auto take = [&](int i, int bound) {
      if ((info->idxNum & bound) != 0) return;
      info->idxNum |= bound;
      info->aConstraintUsage[i].argvIndex = ++arguments;
    };
    for (const int bound : {static_cast<int>(kLower), static_cast<int>(kUpper)}) {
      for (int i = 0; i < info->nConstraint; ++i) {
        const auto& constraint = info->aConstraint[i];
        if (!constraint.usable || constraint.iColumn != Table::kTimeColumn) continue;
        const unsigned char op = constraint.op;
        if (bound == kLower && (op == SQLITE_INDEX_CONSTRAINT_GE || op == SQLITE_INDEX_CONSTRAINT_GT)) take(i, kLower);
        if (bound == kUpper && (op == SQLITE_INDEX_CONSTRAINT_LE || op == SQLITE_INDEX_CONSTRAINT_LT)) take(i, kUpper);
      }
    }
    info->estimatedCost = info->idxNum == 0 ? 1e7 : info->idxNum == 3 ? 1e5 : 1e6;
    info->estimatedRows = info->idxNum == 0 ? 10'000'000 : 100'000;
    return SQLITE_OK;
  }

  static int open(sqlite3_vtab* table, sqlite3_vtab_cursor** made) noexcept {
    try {
      *made = &(new Walk(reinterpret_cast<Instance*>(table)->table))->base;
      return SQLITE_OK;
    } catch (...) { return SQLITE_NOMEM; }
  }
  static int close(sqlite3_vtab_cursor* cursor) noexcept {
    delete reinterpret_cast<Walk*>(cursor);
    return SQLITE_OK;
  }
  static int fail(sqlite3_vtab_cursor* cursor, const char* why) noexcept {
    sqlite3_free(cursor->pVtab->zErrMsg);
    cursor->pVtab->zErrMsg = sqlite3_mprintf("%s", why);
    return SQLITE_ERROR;
  }
  static int filter(sqlite3_vtab_cursor* base, int bounds, const char*, int count, sqlite3_value** values) noexcept {
    auto* walk = reinterpret_cast<Walk*>(base);
    try {
      std::int64_t since = INT64_MIN, until = INT64_MAX;
      int i = 0;
      if ((bounds & kLower) != 0 && i < count && sqlite3_value_numeric_type(values[i]) == SQLITE_INTEGER)
        since = sqlite3_value_int64(values[i]);
      if ((bounds & kLower) != 0) ++i;
      if ((bounds & kUpper) != 0 && i < count && sqlite3_value_numeric_type(values[i]) == SQLITE_INTEGER)
        until = sqlite3_value_int64(values[i]);
      std::string why;
      walk->row = 0;
      if (!walk->cursor.begin(since, until, why)) return fail(base, why.c_str());
      walk->at_end = !walk->cursor.next();
      return SQLITE_OK;
    } catch (const std::exception& error) { return fail(base, error.what()); }
  }
  static int next(sqlite3_vtab_cursor* base) noexcept {
    auto* walk = reinterpret_cast<Walk*>(base);
    try {
      walk->at_end = !walk->cursor.next();
      ++walk->row;
      return SQLITE_OK;
    } catch (const std::exception& error) { return fail(base, error.what()); }
  }
  static int eof(sqlite3_vtab_cursor* base) noexcept { return reinterpret_cast<Walk*>(base)->at_end ? 1 : 0; }
  static int column(sqlite3_vtab_cursor* base, sqlite3_context* context, int i) noexcept {
    try {
      reinterpret_cast<Walk*>(base)->cursor.column(context, i);
      return SQLITE_OK;
    } catch (const std::exception& error) { return fail(base, error.what()); }
  }
  static int rowid(sqlite3_vtab_cursor* base, sqlite3_int64* row) noexcept {
    *row = reinterpret_cast<Walk*>(base)->row;
    return SQLITE_OK;
  }

  static constexpr sqlite3_module make() noexcept {
    sqlite3_module m{};
    m.xConnect = connect, m.xBestIndex = best_index, m.xDisconnect = disconnect, m.xOpen = open, m.xClose = close,
    m.xFilter = filter;
    m.xNext = next, m.xEof = eof, m.xColumn = column, m.xRowid = rowid;
    return m;
  }
  static constexpr sqlite3_module kModule = make();
};

}  // namespace honeylink::telemetry::query
