// An answer of rows, in any of the four formats (UX 15). Every reading command that answers with rows fills one of
// these.
//
// A table is for people: local times, units, cut to the terminal's width, never cut where stdout is no terminal. JSON,
// JSON Lines and CSV are for programs: UTC, whole numbers, nothing cut. What is printed has passed terminal_safe or
// JSON's escapes: a recorded value cannot reach the terminal raw. A value; one thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace honeylink::telemetry::cli {

struct Cell {
  std::string json;     // a JSON value
  std::string machine;  // the same for CSV
  std::string shown;    // for people
  Colour colour = Colour::plain;
};
[[nodiscard]] Cell text_cell(std::string_view text, Colour colour = Colour::plain);
[[nodiscard]] Cell count_cell(std::uint64_t n);
[[nodiscard]] Cell real_cell(double value, std::string shown = {});
[[nodiscard]] Cell time_cell(std::int64_t unix_ns);  // UTC for programs, local for people
[[nodiscard]] Cell nano_cell(std::int64_t unix_ns);  // a decimal string: JavaScript's numbers end at 2^53
[[nodiscard]] Cell duration_cell(std::int64_t ns);
[[nodiscard]] Cell bool_cell(bool value);
[[nodiscard]] Cell null_cell();
[[nodiscard]] Cell json_cell(std::string json, std::string shown);

struct Column {
  std::string key;    // in JSON and CSV; "" where it is for people only
  std::string title;  // in the table; "" where it is for programs only
  bool right = false;
  bool shrinks = false;
};

class Listing {
 public:
  explicit Listing(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
  /// `name`: of the array in {"schema":1,"name":[…]}. `total`: how many there are beyond those shown; truncation is
  /// always stated (UX 4).
  void print(const Call& call, std::string_view name, std::uint64_t total) const;
  [[nodiscard]] std::string table(const Style& style, std::size_t columns) const;
  [[nodiscard]] std::string csv() const;
  [[nodiscard]] std::string json_lines() const;

 private:
  [[nodiscard]] std::string json_row(const std::vector<Cell>& row) const;
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

/// "showing 50 of 1,204; --limit 0 for all", or nothing.
void say_truncation(const Call& call, std::uint64_t shown, std::uint64_t total);

}  // namespace honeylink::telemetry::cli
