// Opening a store's database to look at it: what may go wrong, said in words. The connection itself is
// store/sqlite.h's, which never writes here, never follows a symbolic link and never runs what a hostile schema asks
// for. One connection, one thread.
#pragma once
#include <string>

#include "query/problem.h"
#include "store/sqlite.h"

namespace honeylink::telemetry::query {

/// not_found where there is no such file; busy where it is damaged or locked.
[[nodiscard]] Answer<store::Connection> open_database(const std::string& path);
/// In memory, for the virtual tables and for what is attached to it.
[[nodiscard]] Answer<store::Connection> open_memory_database();

/// What SQLite said last, as a Problem of `what`.
[[nodiscard]] Problem database_problem(const store::Connection& connection, const std::string& path, std::string what);

[[nodiscard]] bool file_exists(const std::string& path) noexcept;
/// A number that changes when the database does: by the size and the time of the file and of its -wal.
[[nodiscard]] std::uint64_t file_stamp(const std::string& path) noexcept;

}  // namespace honeylink::telemetry::query
