// SQLite with owners: a connection and its statements. Errors stay SQLite's result codes; nothing throws.
//
// Used by the stores for writing and by query for reading. A connection belongs to one thread at a time
// (SQLITE_OPEN_NOMUTEX).
#pragma once
#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace honeylink::telemetry::store {

/// A prepared statement. Movable value; dies before its connection. Bound texts and blobs must live until reset().
class Statement {
 public:
  Statement() noexcept = default;
  explicit Statement(sqlite3_stmt* statement) noexcept : statement_(statement) {}
  Statement(Statement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Statement& operator=(Statement&& other) noexcept {
    std::swap(statement_, other.statement_);
    return *this;
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  [[nodiscard]] explicit operator bool() const noexcept { return statement_ != nullptr; }
  [[nodiscard]] sqlite3_stmt* get() const noexcept { return statement_; }

  Statement& bind(int index, std::int64_t value) noexcept {
    sqlite3_bind_int64(statement_, index, value);
    return *this;
  }
  Statement& bind(int index, std::uint64_t value) noexcept { return bind(index, static_cast<std::int64_t>(value)); }
  Statement& bind(int index, std::uint32_t value) noexcept { return bind(index, std::int64_t{value}); }
  Statement& bind(int index, int value) noexcept { return bind(index, std::int64_t{value}); }
  Statement& bind(int index, double value) noexcept {
    sqlite3_bind_double(statement_, index, value);
    return *this;
  }
  Statement& bind(int index, std::string_view text) noexcept {
    sqlite3_bind_text64(statement_, index, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_STATIC,
                        SQLITE_UTF8);
    return *this;
  }
  Statement& bind(int index, std::span<const std::uint8_t> blob) noexcept {
    sqlite3_bind_blob64(statement_, index, blob.empty() ? static_cast<const void*>("") : blob.data(), blob.size(),
                        SQLITE_STATIC);
    return *this;
  }
  /// SQLITE_ROW, SQLITE_DONE or an error. Without a statement: SQLITE_MISUSE.
  [[nodiscard]] int step() noexcept { return statement_ == nullptr ? SQLITE_MISUSE : sqlite3_step(statement_); }
  /// step() of a statement that gives no rows, then reset(). SQLITE_OK or an error.
  [[nodiscard]] int run() noexcept {
    const int result = step();
    reset();
    return result == SQLITE_DONE || result == SQLITE_ROW ? SQLITE_OK : result;
  }
  void reset() noexcept {
    if (statement_ == nullptr) return;  // SQLite's clear_bindings() does not ask
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }

  [[nodiscard]] std::int64_t integer(int column) const noexcept { return sqlite3_column_int64(statement_, column); }
  [[nodiscard]] std::uint64_t number(int column) const noexcept { return static_cast<std::uint64_t>(integer(column)); }
  [[nodiscard]] double real(int column) const noexcept { return sqlite3_column_double(statement_, column); }
  [[nodiscard]] bool is_null(int column) const noexcept {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }
  /// Valid until the next step() or reset().
  [[nodiscard]] std::string_view text(int column) const noexcept {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return bytes == nullptr
               ? std::string_view()
               : std::string_view(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
  }
  [[nodiscard]] std::span<const std::uint8_t> blob(int column) const noexcept {
    const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
    return bytes == nullptr ? std::span<const std::uint8_t>()
                            : std::span(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
};

enum class Access : std::uint8_t { read_only, read_write };

/// A connection. Movable value; one thread at a time. Never follows a symbolic link; hardened against hostile schemas.
class Connection {
 public:
  Connection() noexcept = default;
  Connection(Connection&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Connection& operator=(Connection&& other) noexcept {
    std::swap(db_, other.db_);
    return *this;
  }
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// An existing file. read_only: query_only besides. SQLite's result code; on failure it stays closed and error()
  /// tells.
  int open(const std::string& path, Access access, int busy_timeout_ms);
  void close() noexcept;
  [[nodiscard]] explicit operator bool() const noexcept { return db_ != nullptr; }
  [[nodiscard]] sqlite3* get() const noexcept { return db_; }

  int execute(const char* sql) noexcept;
  [[nodiscard]] Statement prepare(std::string_view sql) noexcept;
  /// First column of the first row; `otherwise` where there is none or on error (result() tells).
  [[nodiscard]] std::int64_t integer(std::string_view sql, std::int64_t otherwise) noexcept;
  [[nodiscard]] int result() const noexcept { return db_ == nullptr ? SQLITE_MISUSE : sqlite3_extended_errcode(db_); }
  [[nodiscard]] std::string error() const;
  [[nodiscard]] int changes() const noexcept { return sqlite3_changes(db_); }

 private:
  sqlite3* db_ = nullptr;
  std::string open_error_;
};

/// Statements that are prepared once, by the address of their text. They die before their connection; one thread.
class StatementCache {
 public:
  explicit StatementCache(Connection& connection) noexcept : connection_(connection) {}
  /// A statement at rest again when this goes. One use of a text at a time.
  class Use {
   public:
    explicit Use(Statement& statement) noexcept : statement_(statement) {}
    ~Use() { statement_.reset(); }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    Statement* operator->() noexcept { return &statement_; }

   private:
    Statement& statement_;
  };
  [[nodiscard]] Use use(const char* sql) {
    Statement& statement = statements_[sql];
    if (!statement) statement = connection_.prepare(sql);
    return Use(statement);
  }
  /// First column of the first row.
  [[nodiscard]] std::int64_t integer(const char* sql, std::int64_t otherwise) {
    Use statement = use(sql);
    return statement->step() == SQLITE_ROW ? statement->integer(0) : otherwise;
  }

 private:
  Connection& connection_;
  std::map<const char*, Statement> statements_;
};

/// Reads parts of blobs of one table's column without the rest of them. Dies before its connection; one thread.
class BlobReader {
 public:
  BlobReader() noexcept = default;
  ~BlobReader() { sqlite3_blob_close(blob_); }
  BlobReader(const BlobReader&) = delete;
  BlobReader& operator=(const BlobReader&) = delete;

  /// False: the row is gone or the file is damaged; another one may be opened.
  bool open(Connection& connection, const char* table, const char* column, std::int64_t row) noexcept {
    if (blob_ != nullptr && sqlite3_blob_reopen(blob_, row) == SQLITE_OK) return true;
    sqlite3_blob_close(std::exchange(blob_, nullptr));
    return sqlite3_blob_open(connection.get(), "main", table, column, row, 0, &blob_) == SQLITE_OK;
  }
  [[nodiscard]] std::uint64_t size() const noexcept { return static_cast<std::uint64_t>(sqlite3_blob_bytes(blob_)); }
  /// False unless all of it is there.
  [[nodiscard]] bool read(std::uint64_t offset, std::span<std::uint8_t> to) noexcept {
    return offset <= size() && to.size() <= size() - offset &&
           sqlite3_blob_read(blob_, to.data(), static_cast<int>(to.size()), static_cast<int>(offset)) == SQLITE_OK;
  }

 private:
  sqlite3_blob* blob_ = nullptr;
};

}  // namespace honeylink::telemetry::store
