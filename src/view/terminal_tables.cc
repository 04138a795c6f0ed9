// Traces, logs and alerts as lines. See terminal_draw.h. Only the rows on the screen are ever looked at.
#include <algorithm>
#include <functional>

#include "base/text.h"
#include "query/time_text.h"
#include "query/unicode.h"
#include "view/terminal_draw.h"
#include "view/terminal_filter.h"

namespace honeylink::telemetry::view {
namespace {

struct TableColumn {
  std::string title;
  std::size_t columns = 0;  // 0: what is left; one of a table has it
  bool right = false;
  int keep = 0;                    // those with the least go first where there is no room
  std::size_t columns_wanted = 0;  // of the flexible one, where there is room for it
};
struct Text {
  std::string text;
  Ink ink;
};

/// Leaves out columns until the flexible one has room; the indexes of the rest, with their widths.
std::vector<std::pair<std::size_t, std::size_t>> fit(const std::vector<TableColumn>& table, std::size_t columns) {
  std::size_t least = columns < 40 ? 8 : 16;  // of the flexible one
  for (const TableColumn& column : table) least = columns >= 70 ? std::max(least, column.columns_wanted) : least;
  std::vector<std::pair<std::size_t, std::size_t>> shown;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const bool flexible = table[i].columns == 0;
    shown.emplace_back(i, flexible ? 0 : std::max(table[i].columns, query::columns_of(table[i].title)));
  }
  const auto fixed = [&] {
    std::size_t sum = shown.empty() ? 0 : shown.size() - 1;
    for (const auto& [index, width] : shown) sum += width;
    return sum;
  };
  while (shown.size() > 1 && fixed() + least > columns) {
    shown.erase(std::min_element(shown.begin(), shown.end(), [&](const auto& a, const auto& b) {
      return table[a.first].keep < table[b.first].keep;
    }));
  }
  const std::size_t used = fixed();
  for (auto& [index, width] : shown) {
    if (width == 0) width = columns > used ? columns - used : 0;
  }
  return shown;
}

/// Titles, then the rows from `place.top` on; the selected one in reverse.
void draw_rows(Grid& grid, const Box& box, const std::vector<TableColumn>& table, std::size_t total, const Place& place,
               bool marks, const std::function<Text(std::size_t row, std::size_t column)>& text_of) {
  if (box.rows == 0) return;
  const auto shown = fit(table, box.columns);
  const bool titled = box.rows >= 4;
  const auto emit = [&](std::size_t row, auto&& cell) {
    std::size_t column = box.column;
    for (const auto& [index, width] : shown) {
      const Text text = cell(index);
      if (table[index].right) grid.put_right(row, column, column + width, text.text, text.ink);
      else grid.put(row, column, text.text, text.ink, width);
      column += width + 1;
    }
  };
  if (titled) emit(box.row, [&](std::size_t i) { return Text{table[i].title, kDim}; });
  const std::size_t first = titled ? 1 : 0, rows = box.rows - first;
  const std::size_t top = scrolled(place.top, place.selected, rows, total);
  for (std::size_t i = 0; i < rows && top + i < total; ++i) {
    emit(box.row + first + i, [&](std::size_t column) { return text_of(top + i, column); });
    if (marks && top + i == place.selected) grid.highlight(box.row + first + i, box.column, box.columns);
  }
}

std::string shown_text(std::size_t shown, std::uint64_t total, const Look& look) {
  if (total <= shown) return query::format_count(total);
  return std::string(look.say("top.showing")) + " " + query::format_count(shown) + " " +
         std::string(look.say("top.of")) + " " + query::format_count(total);
}

/// "Traces · showing 50 of 1,204 · newest first · filter: errors". Answers the box below it.
Box draw_heading(const Model& model, Grid& grid, const Box& box, MessageKey title, const std::string& count,
                 MessageKey order) {
  const Look& look = grid.look();
  if (box.rows < 5) return box;
  std::vector<Segment> segments{{std::string(look.say(title)), kBold, 9}, {count, kPlain, 7}};
  const std::string& filter = model.state.filter();
  if (!filter.empty()) segments.push_back({std::string(look.say("top.filter")) + ": " + filter, in(Hue::yellow), 8});
  segments.push_back({std::string(look.say(order)), kDim, 1});
  put_segments(grid, box.row, box.column, box.columns, std::move(segments), look.sign(" · ", "  "));
  return {box.row + 1, box.column, box.rows - 1, box.columns};
}

/// What stands where there are no rows: why, and what to do.
void draw_empty(const Model& model, Grid& grid, const Box& box, MessageKey none, bool known,
                const std::string& problem) {
  const Look& look = grid.look();
  if (!problem.empty()) return draw_centred(grid, box, {problem}, in(Hue::orange));
  if (!known) return draw_centred(grid, box, {std::string(look.say("top.reading")) + " …"}, kDim);
  if (!model.state.filter().empty()) return draw_centred(grid, box, {std::string(look.say("top.no_match"))}, kDim);
  std::vector<std::string> lines{std::string(look.say(none))};
  if (model.live && model.state.page != Page::alerts) lines.emplace_back(look.say("top.make_some"));
  draw_centred(grid, box, lines, kDim);
}

Ink level_ink(int level) {
  return level >= 17 ? in(Hue::red) : level >= 13 ? in(Hue::orange) : level >= 9 ? kPlain : kDim;
}

}  // namespace

void draw_traces(const Model& model, Grid& grid, const Box& box) {
  const Look& look = grid.look();
  const TraceTable* table = model.found.traces.get();
  const std::size_t rows = table == nullptr ? 0 : table->rows.size();
  std::string count = table == nullptr ? "" : shown_text(rows, table->total, look);
  if (rows > 0 && table->since_unix_ns > 0) {
    const std::int64_t back_s = (model.now_unix_ns - table->since_unix_ns + kSecondNs / 2) / kSecondNs;
    count += std::string(look.sign(" · ", "  ")) + fill("top.last", look.language, {age_text(back_s)});
  }
  const Box body = draw_heading(model, grid, box, "top.traces", count, "top.newest_first");
  if (rows == 0)
    return draw_empty(model, grid, body, "top.no_traces", table != nullptr, table == nullptr ? "" : table->problem);
  const std::vector<TableColumn> columns{
      {std::string(look.say("top.start")), 12, false, 6}, {std::string(look.say("top.duration")), 10, true, 9},
      {std::string(look.say("top.spans")), 7, true, 3},   {std::string(look.say("top.errors")), 6, true, 7},
      {std::string(look.say("top.root")), 0, false, 10},  {std::string(look.say("top.service")), 16, false, 2},
      {std::string(look.say("top.trace")), 8, false, 4}};
  draw_rows(grid, body, columns, rows, model.state.place(), true, [&](std::size_t row, std::size_t column) -> Text {
    const query::TraceSummary& trace = table->rows[row];
    switch (column) {
      case 0:
        return {moment_text(model, trace.start_unix_ns, true), kDim};
      case 1:
        return {std::string(trace.slow ? look.sign("◆ ", "* ") : "") + query::format_duration(trace.duration_ns()),
                trace.slow ? in(Hue::orange) : kPlain};
      case 2:
        return {query::format_count(trace.spans), kPlain};
      case 3:
        if (trace.errors == 0) return {"", kPlain};
        return {std::string(look.sign("■ ", "! ")) + query::format_count(trace.errors), in(Hue::red)};
      case 4:
        return {trace.root, kBold};
      case 5:
        return {trace.service, kPlain};
      default:
        return {hex(trace.trace_id).substr(0, 8), kDim};
    }
  });
}

void draw_logs(const Model& model, Grid& grid, const Box& box) {
  const Look& look = grid.look();
  const LogTable* table = model.found.logs.get();
  const std::size_t rows = table == nullptr ? 0 : table->rows.size();
  const Place& place = model.state.place();
  const std::string count = table == nullptr ? "" : query::format_count(rows) + std::string(table->whole ? "" : "+");
  const Box body =
      draw_heading(model, grid, box, "top.logs", count,
                   place.follows && model.live && !model.state.paused ? MessageKey("top.follows") : "top.start");
  if (rows == 0)
    return draw_empty(model, grid, body, "top.no_logs", table != nullptr, table == nullptr ? "" : table->problem);
  const std::vector<TableColumn> columns{{std::string(look.say("top.start")), 12, false, 6},
                                         {std::string(look.say("top.state")), 7, false, 7},
                                         {std::string(look.say("top.service")), 18, false, 2},
                                         {std::string(look.say("top.logs")), 0, false, 10},
                                         {std::string(look.say("top.trace")), 8, false, 3}};
  draw_rows(grid, body, columns, rows, place, !place.follows, [&](std::size_t row, std::size_t column) -> Text {
    const LogRow& line = *table->rows[row];
    switch (column) {
      case 0:
        return {line.time_unix_ns == 0 ? "" : moment_text(model, line.time_unix_ns, true), kDim};
      case 1:
        return {std::string(line.level >= 17   ? look.sign("■ ", "! ")
                            : line.level >= 13 ? look.sign("◆ ", "* ")
                                               : std::string_view("  ")) +
                    line.level_word,
                level_ink(line.level)};
      case 2:
        return {line.module, kDim};
      case 3:
        return {line.event.empty() ? line.text : line.event + "  " + line.text, kPlain};
      default:
        return {line.trace_id.substr(0, 8), kDim};
    }
  });
}

void draw_alerts(const Model& model, Grid& grid, const Box& box) {
  const Look& look = grid.look();
  const AlertTable* table = model.found.alerts.get();
  const std::vector<const AlertRow*> shown = shown_alerts(model);
  const std::size_t rows = shown.size();
  const Box body = draw_heading(model, grid, box, "top.alerts", table == nullptr ? "" : query::format_count(rows),
                                "top.newest_first");
  if (rows == 0)
    return draw_empty(model, grid, body, "top.no_alerts", table != nullptr, table == nullptr ? "" : table->problem);
  const std::vector<TableColumn> columns{{std::string(look.say("top.since")), 11, false, 7},
                                         {std::string(look.say("top.state")), 10, false, 9},
                                         {"SLI", 0, false, 10, 33},
                                         {std::string(look.say("top.value")), 10, true, 8},
                                         {std::string(look.say("top.threshold")), 10, true, 5},
                                         {std::string(look.say("top.cleared")), 11, false, 6},
                                         {std::string(look.say("top.told")), 8, true, 3},
                                         {std::string(look.say("top.trace")), 8, false, 4}};
  draw_rows(grid, body, columns, rows, model.state.place(), true, [&](std::size_t row, std::size_t column) -> Text {
    const AlertRow& alert = *shown[row];
    const AlertEvent& event = alert.event;
    constexpr std::array<MessageKey, 4> kWords{"top.ok", "top.yellow", "top.orange", "top.red"};
    const bool fires = event.cleared_at_unix_ns == 0;
    switch (column) {
      case 0:
        return {moment_text(model, event.timestamp_unix_ns), kDim};
      case 1:
        return {std::string(look.sign_of(event.severity)) + " " +
                    std::string(look.say(kWords[static_cast<std::size_t>(event.severity)])),
                in(hue_of(event.severity), fires)};
      case 2:
        return {event.sli_name, fires ? kBold : kPlain};
      case 3:
        return {value_text(event.current_value, event.unit), kPlain};
      case 4:
        return {"> " + value_text(event.threshold, event.unit), kDim};
      case 5:
        if (fires) return {std::string(look.say("top.fires")), in(hue_of(event.severity), true)};
        return {moment_text(model, event.cleared_at_unix_ns), kDim};
      case 6:
        return {std::isfinite(alert.toast_ms) ? query::format_duration(static_cast<std::int64_t>(alert.toast_ms * 1e6))
                                              : std::string(),
                kDim};
      default:
        return {event.trace_id.substr(0, 8), kDim};
    }
  });
}

}  // namespace honeylink::telemetry::view
