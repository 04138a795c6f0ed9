// Rows in four formats: see listing.h. CSV is RFC 4180 with a header row.
#include "cli/listing.h"

#include <algorithm>

#include "query/json.h"
#include "query/time_text.h"
#include "query/unicode.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kShrunkColumnsMin = 12;

std::string csv_field(std::string_view text) {
  const std::string safe = terminal_safe(text);
  if (safe.find_first_of(",\"") == std::string::npos) return safe;
  std::string quoted = "\"";
  for (const char c : safe) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

void append_padded(std::string& line, const std::string& text, std::size_t width, bool right, const Style& style,
                   Colour colour) {
  const std::size_t used = query::columns_of(text);
  const std::size_t pad = used < width ? width - used : 0;
  if (right) line.append(pad, ' ');
  line += style.paint(colour, text);
  if (!right) line.append(pad, ' ');
}

void strip_trailing_space(std::string& line) {
  while (!line.empty() && line.back() == ' ') line.pop_back();
}

}  // namespace

Cell text_cell(std::string_view text, Colour colour) {
  return {query::json_string(text), std::string(text), std::string(text), colour};
}
Cell count_cell(std::uint64_t n) {
  return {std::to_string(n), std::to_string(n), query::format_count(n), Colour::plain};
}
Cell real_cell(double value, std::string shown) {
  const std::string number = query::json_number(value);
  return {number, number, shown.empty() ? number : std::move(shown), Colour::plain};
}
Cell time_cell(std::int64_t unix_ns) {
  const std::string utc = query::format_utc(unix_ns);
  return {query::json_string(utc), utc, query::format_local(unix_ns), Colour::plain};
}
Cell nano_cell(std::int64_t unix_ns) {
  const std::string digits = std::to_string(unix_ns);
  return {query::json_string(digits), digits, digits, Colour::plain};
}
Cell duration_cell(std::int64_t ns) {
  return {std::to_string(ns), std::to_string(ns), query::format_duration(ns), Colour::plain};
}
Cell bool_cell(bool value) {
  const char* word = value ? "true" : "false";
  return {word, word, value ? "yes" : "no", Colour::plain};
}
Cell null_cell() { return {"null", "", "", Colour::plain}; }
Cell json_cell(std::string json, std::string shown) {
  std::string machine = json;
  return {std::move(json), std::move(machine), std::move(shown), Colour::plain};
}

std::string Listing::table(const Style& style, std::size_t columns) const {
  std::vector<std::vector<std::string>> texts(rows_.size());
  std::vector<std::size_t> widths(columns_.size());
  for (std::size_t c = 0; c < columns_.size(); ++c) widths[c] = query::columns_of(columns_[c].title);
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      texts[r].push_back(columns_[c].title.empty() ? std::string() : terminal_safe(rows_[r][c].shown));
      widths[c] = std::max(widths[c], query::columns_of(texts[r].back()));
    }
  }
  std::size_t whole = 0;
  for (std::size_t c = 0; c < columns_.size(); ++c) whole += columns_[c].title.empty() ? 0 : widths[c] + kGap;
  for (std::size_t c = columns_.size(); columns != 0 && c-- > 0;) {
    if (!columns_[c].shrinks || whole <= columns || widths[c] <= kShrunkColumnsMin) continue;
    const std::size_t less = std::min(whole - columns, widths[c] - kShrunkColumnsMin);
    widths[c] -= less, whole -= less;
  }
  std::string out, line;
  const auto emit = [&](auto&& text_of, auto&& colour_of) {
    line.clear();
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (columns_[c].title.empty()) continue;
      line.append(kGap, ' ');
      append_padded(line, query::cut_to_columns(text_of(c), widths[c], !style.utf8()), widths[c], columns_[c].right,
                    style, colour_of(c));
    }
    strip_trailing_space(line);
    out += line + "\n";
  };
  emit([&](std::size_t c) { return columns_[c].title; }, [](std::size_t) { return Colour::bold; });
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    emit([&](std::size_t c) { return texts[r][c]; }, [&](std::size_t c) { return rows_[r][c].colour; });
  }
  return out;
}

std::string Listing::csv() const {
  std::string out;
  bool first = true;
  const auto separate = [&] {
    if (!first) out += ',';
    first = false;
  };
  for (const Column& column : columns_) {
    if (!column.key.empty()) separate(), out += csv_field(column.key);
  }
  out += "\r\n";
  for (const auto& row : rows_) {
    first = true;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (!columns_[c].key.empty()) separate(), out += csv_field(row[c].machine);
    }
    out += "\r\n";
  }
  return out;
}

std::string Listing::json_row(const std::vector<Cell>& row) const {
  query::JsonWriter json;
  json.begin_object();
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    if (!columns_[c].key.empty()) json.key(columns_[c].key).raw(row[c].json);
  }
  return json.end_object().str();
}

std::string Listing::json_lines() const {
  std::string out;
  for (const auto& row : rows_) out += json_row(row) + "\n";
  return out;
}

void Listing::print(const Call& call, std::string_view name, std::uint64_t total) const {
  switch (call.format()) {
    case Format::table:
      call.terminal.print(table(call.terminal.style, call.terminal.columns));
      break;
    case Format::csv:
      call.terminal.print(csv());
      break;
    case Format::jsonl:
      call.terminal.print(json_lines());
      break;
    case Format::json: {
      query::JsonWriter json;
      json.begin_object().key("schema").integer(1).key(name).begin_array();
      for (const auto& row : rows_) json.raw(json_row(row));
      json.end_array().key("truncated").boolean(total > rows_.size()).key("total").count(total).end_object();
      call.terminal.print(json.str() + "\n");
      return;
    }
  }
  say_truncation(call, rows_.size(), total);
}

void say_truncation(const Call& call, std::uint64_t shown, std::uint64_t total) {
  if (total <= shown) return;
  call.terminal.say("showing " + query::format_count(shown) + " of " + query::format_count(total) +
                    "; --limit 0 for all");
}

}  // namespace honeylink::telemetry::cli
