// The SQLite of the program that loaded the extension, under the names by which query and store call it.
//
// Must stay true: no SQLite of our own is in the process. Two copies that open one database break each other's POSIX
// locks (closing a file drops the locks of both), and handles of one mean nothing to the other. So every call, of the
// tables' own read-only connections too, goes through the table of functions that the host hands over. A function that
// is missing here fails the link (-z defs); docs/decisions/0011 has the alternatives.
//
// SQLITE_CORE keeps sqlite3ext.h from renaming what is defined here.
#define SQLITE_CORE 1
#include "extension/host_sqlite.h"

#include <cstdarg>

namespace honeylink::telemetry::extension {
namespace {
const sqlite3_api_routines* host = nullptr;
}

bool use_host(const sqlite3_api_routines* api) noexcept {
  if (host != nullptr && host != api) return false;
  host = api;
  return true;
}

}  // namespace honeylink::telemetry::extension

using honeylink::telemetry::extension::host;

#define FORWARD(result, name, parameters, arguments) \
  result sqlite3_##name parameters { return host->name arguments; }

extern "C" {

FORWARD(void*, aggregate_context, (sqlite3_context * c, int n), (c, n))
FORWARD(int, bind_blob64, (sqlite3_stmt * s, int i, const void* p, sqlite3_uint64 n, void (*f)(void*)), (s, i, p, n, f))
FORWARD(int, bind_double, (sqlite3_stmt * s, int i, double v), (s, i, v))
FORWARD(int, bind_int64, (sqlite3_stmt * s, int i, sqlite3_int64 v), (s, i, v))
FORWARD(int, bind_text64,
        (sqlite3_stmt * s, int i, const char* p, sqlite3_uint64 n, void (*f)(void*), unsigned char encoding),
        (s, i, p, n, f, encoding))
FORWARD(int, blob_bytes, (sqlite3_blob * b), (b))
FORWARD(int, blob_close, (sqlite3_blob * b), (b))
FORWARD(int, blob_open,
        (sqlite3 * db, const char* schema, const char* table, const char* column, sqlite3_int64 row, int flags,
         sqlite3_blob** b),
        (db, schema, table, column, row, flags, b))
FORWARD(int, blob_read, (sqlite3_blob * b, void* to, int n, int offset), (b, to, n, offset))
FORWARD(int, blob_reopen, (sqlite3_blob * b, sqlite3_int64 row), (b, row))
FORWARD(int, busy_timeout, (sqlite3 * db, int ms), (db, ms))
FORWARD(int, changes, (sqlite3 * db), (db))
FORWARD(int, clear_bindings, (sqlite3_stmt * s), (s))
FORWARD(int, close_v2, (sqlite3 * db), (db))
FORWARD(int, column_count, (sqlite3_stmt * s), (s))
FORWARD(const void*, column_blob, (sqlite3_stmt * s, int i), (s, i))
FORWARD(int, column_bytes, (sqlite3_stmt * s, int i), (s, i))
FORWARD(double, column_double, (sqlite3_stmt * s, int i), (s, i))
FORWARD(sqlite3_int64, column_int64, (sqlite3_stmt * s, int i), (s, i))
FORWARD(const unsigned char*, column_text, (sqlite3_stmt * s, int i), (s, i))
FORWARD(int, column_type, (sqlite3_stmt * s, int i), (s, i))
FORWARD(int, create_function_v2,
        (sqlite3 * db, const char* name, int n, int flags, void* p,
         void (*call)(sqlite3_context*, int, sqlite3_value**), void (*step)(sqlite3_context*, int, sqlite3_value**),
         void (*end)(sqlite3_context*), void (*destroy)(void*)),
        (db, name, n, flags, p, call, step, end, destroy))
FORWARD(int, create_module_v2,
        (sqlite3 * db, const char* name, const sqlite3_module* m, void* p, void (*destroy)(void*)),
        (db, name, m, p, destroy))
FORWARD(const char*, db_filename, (sqlite3 * db, const char* name), (db, name))
FORWARD(int, declare_vtab, (sqlite3 * db, const char* sql), (db, sql))
FORWARD(int, errcode, (sqlite3 * db), (db))
FORWARD(const char*, errmsg, (sqlite3 * db), (db))
FORWARD(const char*, errstr, (int code), (code))
FORWARD(int, exec, (sqlite3 * db, const char* sql, int (*row)(void*, int, char**, char**), void* p, char** error),
        (db, sql, row, p, error))
FORWARD(int, extended_errcode, (sqlite3 * db), (db))
FORWARD(int, finalize, (sqlite3_stmt * s), (s))
FORWARD(void, free, (void* p), (p))
FORWARD(int, get_autocommit, (sqlite3 * db), (db))
FORWARD(sqlite3_int64, last_insert_rowid, (sqlite3 * db), (db))
FORWARD(int, limit, (sqlite3 * db, int id, int value), (db, id, value))
FORWARD(int, open_v2, (const char* path, sqlite3** db, int flags, const char* vfs), (path, db, flags, vfs))
FORWARD(int, prepare_v3, (sqlite3 * db, const char* sql, int n, unsigned flags, sqlite3_stmt** s, const char** rest),
        (db, sql, n, flags, s, rest))
FORWARD(void, progress_handler, (sqlite3 * db, int n, int (*call)(void*), void* p), (db, n, call, p))
FORWARD(int, reset, (sqlite3_stmt * s), (s))
FORWARD(void, result_blob64, (sqlite3_context * c, const void* p, sqlite3_uint64 n, void (*f)(void*)), (c, p, n, f))
FORWARD(void, result_double, (sqlite3_context * c, double v), (c, v))
FORWARD(void, result_error, (sqlite3_context * c, const char* p, int n), (c, p, n))
FORWARD(void, result_error_nomem, (sqlite3_context * c), (c))
FORWARD(void, result_int, (sqlite3_context * c, int v), (c, v))
FORWARD(void, result_int64, (sqlite3_context * c, sqlite3_int64 v), (c, v))
FORWARD(void, result_null, (sqlite3_context * c), (c))
FORWARD(void, result_text64,
        (sqlite3_context * c, const char* p, sqlite3_uint64 n, void (*f)(void*), unsigned char encoding),
        (c, p, n, f, encoding))
FORWARD(int, step, (sqlite3_stmt * s), (s))
FORWARD(void*, user_data, (sqlite3_context * c), (c))
FORWARD(const void*, value_blob, (sqlite3_value * v), (v))
FORWARD(int, value_bytes, (sqlite3_value * v), (v))
FORWARD(double, value_double, (sqlite3_value * v), (v))
FORWARD(sqlite3_int64, value_int64, (sqlite3_value * v), (v))
FORWARD(int, value_numeric_type, (sqlite3_value * v), (v))
FORWARD(const unsigned char*, value_text, (sqlite3_value * v), (v))
FORWARD(int, value_type, (sqlite3_value * v), (v))
FORWARD(const char*, vtab_collation, (sqlite3_index_info * info, int i), (info, i))

char* sqlite3_mprintf(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char* const text = host->vmprintf(format, arguments);
  va_end(arguments);
  return text;
}

/// Every option in use here takes an int and where to put the result.
int sqlite3_db_config(sqlite3* db, int option, ...) {
  va_list arguments;
  va_start(arguments, option);
  const int value = va_arg(arguments, int);
  int* const result = va_arg(arguments, int*);
  va_end(arguments);
  return host->db_config(db, option, value, result);
}

/// SQLITE_VTAB_DIRECTONLY, which takes nothing.
int sqlite3_vtab_config(sqlite3* db, int option, ...) { return host->vtab_config(db, option); }

}  // extern "C"
