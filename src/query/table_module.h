// SQLite's virtual tables with the ceremony done once. A table is a struct with
//
//   static constexpr const char* kSchema;           // CREATE TABLE x(…); the column kTimeColumn holds Unix ns
//   static constexpr int kTimeColumn;
//   static constexpr std::array kPushed{PushedColumn{18, Pushed::integer}, …};   // columns whose `=` is pushed down
//   explicit Table(SqlHome home);
//   struct Cursor {
//     explicit Cursor(Table&);
//     bool begin(const Pushed&, std::string& why);   // false: an error
//     bool next(std::string& why);                   // false: the end; with a `why`: an error
//     void column(sqlite3_context*, int);
//     std::uint64_t damaged() const;                 // pieces left out since begin()
//   };
//
// Tables are read-only and eponymous: they exist without CREATE, and no view or trigger of a file may name them
// (SQLITE_VTAB_DIRECTONLY). SQLite checks again what is pushed down, so that a cursor may give more than asked, never
// less. What is damaged is left out and counted; it ends no statement. Nothing throws through SQLite.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "store/sqlite.h"

namespace honeylink::telemetry::query {

inline void result_text(sqlite3_context* context, std::string_view text) {
  sqlite3_result_text64(context, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

/// What the tables of a connection share. The path may be changed between two statements; a cursor takes what holds
/// when it is made.
struct SqlHomeState {
  std::string path;
  std::uint64_t damaged = 0;  // pieces of the stores that could not be read, so far
};
using SqlHome = std::shared_ptr<SqlHomeState>;

/// What a statement asks of a table, as far as it was pushed down. The texts live as long as begin().
struct Pushed {
  enum Type : std::uint8_t { integer, text };
  static constexpr std::size_t kColumnsMax = 4;
  std::int64_t since_unix_ns = INT64_MIN, until_unix_ns = INT64_MAX;  // both included
  /// Index: that of the column in kPushed. Empty: not asked for.
  std::array<std::optional<std::int64_t>, kColumnsMax> integers;
  std::array<std::optional<std::string_view>, kColumnsMax> texts;
};
struct PushedColumn {
  int column;
  Pushed::Type type;
  double share = 1e-3;  // of all rows that one value has, for the planner
};

/// The bounds and equalities of a statement, numbered for idxNum: bit 0 and 1 the time column's lower and upper bound,
/// bit 2 its equality, bit 3 + i the equality of the i-th pushed column. Arguments follow in the order of the bits.
class PushDown {
 public:
  enum Bit : int { kLower = 1, kUpper = 2, kExact = 4, kFirstColumn = 8 };
  static void choose(sqlite3_index_info* info, int time_column, std::span<const PushedColumn> columns) noexcept;
  static void take(int bits, std::span<sqlite3_value* const> values, std::span<const PushedColumn> columns, Pushed& to);
};

template <class Table>
class TableModule {
  static_assert(Table::kPushed.size() <= Pushed::kColumnsMax);

 public:
  static int add(sqlite3* db, const char* name, const SqlHome& home) {
    return sqlite3_create_module_v2(db, name, &kModule, new SqlHome(home),
                                    [](void* p) { delete static_cast<SqlHome*>(p); });
  }

 private:
  struct Instance {
    sqlite3_vtab base{};
    Table table;
  };
  struct Walk {
    sqlite3_vtab_cursor base{};
    typename Table::Cursor cursor;
    SqlHomeState& home;
    std::int64_t row = 0;
    std::uint64_t damaged = 0;  // of the cursor, as far as it is counted
    bool at_end = true;
    explicit Walk(Table& table) : cursor(table), home(*table.home) {}
  };

  static int connect(sqlite3* db, void* home, int, const char* const*, sqlite3_vtab** made, char**) noexcept {
    try {
      sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
      const int code = sqlite3_declare_vtab(db, Table::kSchema);
      if (code == SQLITE_OK) *made = &(new Instance{{}, Table(*static_cast<SqlHome*>(home))})->base;
      return code;
    } catch (...) { return SQLITE_NOMEM; }
  }
  static int disconnect(sqlite3_vtab* table) noexcept {
    delete reinterpret_cast<Instance*>(table);
    return SQLITE_OK;
  }
  static int best_index(sqlite3_vtab*, sqlite3_index_info* info) noexcept {
    PushDown::choose(info, Table::kTimeColumn, Table::kPushed);
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
  static int step(Walk* walk) {
    std::string why;
    walk->at_end = !walk->cursor.next(why);
    const std::uint64_t damaged = walk->cursor.damaged();
    walk->home.damaged += damaged - walk->damaged;
    walk->damaged = damaged;
    return walk->at_end && !why.empty() ? fail(&walk->base, why.c_str()) : SQLITE_OK;
  }
  static int filter(sqlite3_vtab_cursor* base, int bits, const char*, int count, sqlite3_value** values) noexcept {
    auto* walk = reinterpret_cast<Walk*>(base);
    try {
      Pushed pushed;
      PushDown::take(bits, {values, static_cast<std::size_t>(count)}, Table::kPushed, pushed);
      std::string why;
      walk->row = 0, walk->damaged = 0;
      if (!walk->cursor.begin(pushed, why)) return fail(base, why.c_str());
      return step(walk);
    } catch (const std::exception& error) { return fail(base, error.what()); }
  }
  static int next(sqlite3_vtab_cursor* base) noexcept {
    auto* walk = reinterpret_cast<Walk*>(base);
    try {
      ++walk->row;
      return step(walk);
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
