// What of a statement is pushed down into a virtual table: see table_module.h.
#include "query/table_module.h"

#include <cmath>

namespace honeylink::telemetry::query {
namespace {

constexpr double kRowsOfAll = 1e7;

/// The bit of a constraint, or 0.
int bit_of(sqlite3_index_info* info, int i, int time_column, std::span<const PushedColumn> columns) noexcept {
  const auto& constraint = info->aConstraint[i];
  if (!constraint.usable) return 0;
  const bool equal = constraint.op == SQLITE_INDEX_CONSTRAINT_EQ || constraint.op == SQLITE_INDEX_CONSTRAINT_IS;
  if (constraint.iColumn == time_column) {
    switch (constraint.op) {
      case SQLITE_INDEX_CONSTRAINT_GE:
      case SQLITE_INDEX_CONSTRAINT_GT:
        return PushDown::kLower;
      case SQLITE_INDEX_CONSTRAINT_LE:
      case SQLITE_INDEX_CONSTRAINT_LT:
        return PushDown::kUpper;
      default:
        return equal ? PushDown::kExact : 0;
    }
  }
  for (std::size_t column = 0; equal && column < columns.size(); ++column) {
    if (columns[column].column != constraint.iColumn) continue;
    // `name = 'a' COLLATE NOCASE` asks for more than the bytes.
    const bool bytes = columns[column].type != Pushed::text ||
                       std::string_view(sqlite3_vtab_collation(info, i)) == std::string_view("BINARY");
    return bytes ? PushDown::kFirstColumn << column : 0;
  }
  return 0;
}

/// Of all rows, those that remain, for the planner.
double share_of(int bit, std::span<const PushedColumn> columns) noexcept {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (bit == PushDown::kFirstColumn << i) return columns[i].share;
  }
  return bit == PushDown::kExact ? 1e-4 : 0.1;
}

/// The bound as whole nanoseconds, rounded so that nothing asked for is left out; false: it bounds nothing.
bool bound(sqlite3_value* value, bool lower, std::int64_t& to) noexcept {
  switch (sqlite3_value_numeric_type(value)) {
    case SQLITE_INTEGER:
      to = sqlite3_value_int64(value);
      return true;
    case SQLITE_FLOAT: {
      constexpr double kLimit = 9.2e18;
      const double real = sqlite3_value_double(value);
      if (!(real > -kLimit && real < kLimit)) return false;
      to = static_cast<std::int64_t>(lower ? std::floor(real) : std::ceil(real));
      return true;
    }
    default:
      return false;
  }
}

}  // namespace

void PushDown::choose(sqlite3_index_info* info, int time_column, std::span<const PushedColumn> columns) noexcept {
  const int bits_end = kFirstColumn << columns.size();
  int arguments = 0;
  double rows = kRowsOfAll;
  info->idxNum = 0;
  for (int bit = kLower; bit < bits_end; bit <<= 1) {
    for (int i = 0; i < info->nConstraint; ++i) {
      if (bit_of(info, i, time_column, columns) != bit) continue;
      info->idxNum |= bit;
      info->aConstraintUsage[i].argvIndex = ++arguments;
      rows *= share_of(bit, columns);
      break;
    }
  }
  info->estimatedCost = std::max(rows, 10.0);
  info->estimatedRows = static_cast<sqlite3_int64>(std::max(rows, 10.0));
}

void PushDown::take(int bits, std::span<sqlite3_value* const> values, std::span<const PushedColumn> columns,
                    Pushed& to) {
  std::size_t next = 0;
  const auto value_of = [&](int bit) { return (bits & bit) != 0 && next < values.size() ? values[next++] : nullptr; };
  std::int64_t at = 0;
  if (sqlite3_value* const value = value_of(kLower); value != nullptr && bound(value, true, at)) to.since_unix_ns = at;
  if (sqlite3_value* const value = value_of(kUpper); value != nullptr && bound(value, false, at)) to.until_unix_ns = at;
  if (sqlite3_value* const value = value_of(kExact); value != nullptr) {
    if (bound(value, true, at)) to.since_unix_ns = std::max(to.since_unix_ns, at);
    if (bound(value, false, at)) to.until_unix_ns = std::min(to.until_unix_ns, at);
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    sqlite3_value* const value = value_of(kFirstColumn << i);
    if (value == nullptr) continue;
    if (columns[i].type == Pushed::integer) {
      if (sqlite3_value_numeric_type(value) == SQLITE_INTEGER) to.integers[i] = sqlite3_value_int64(value);
    } else if (sqlite3_value_type(value) == SQLITE_TEXT) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
      if (text != nullptr) to.texts[i].emplace(text, static_cast<std::size_t>(sqlite3_value_bytes(value)));
    }
  }
}

}  // namespace honeylink::telemetry::query
