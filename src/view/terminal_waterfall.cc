// A trace, one line a span: tree, duration, its place in time, service, what went wrong. See terminal_draw.h. Rows are
// virtual: a frame looks at those on the screen and at the ancestors that are drawn, never at all of them (UX 3).
#include <algorithm>
#include <cmath>

#include "query/time_text.h"
#include "query/unicode.h"
#include "view/terminal_draw.h"

namespace honeylink::telemetry::view {
namespace {

constexpr std::uint32_t kDepthShown = 12;  // deeper spans are drawn at this depth, with the number

/// "├ " and "└ " in front of a span, "│ " for each ancestor that has further children.
std::string branch_of(const OpenTrace& trace, const OpenTrace::Row& row, const Look& look) {
  if (row.depth == 0) return {};
  if (row.depth > kDepthShown) return std::string(look.sign("└ ", "` ")) + "(" + std::to_string(row.depth) + ") ";
  std::vector<std::string_view> parts{row.last_child ? look.sign("└ ", "` ") : look.sign("├ ", "+ ")};
  for (std::uint32_t up = row.parent; up < trace.rows.size() && trace.rows[up].depth > 0; up = trace.rows[up].parent)
    parts.push_back(trace.rows[up].last_child ? std::string_view("  ") : look.sign("│ ", "| "));
  std::string branch;
  for (std::size_t i = parts.size(); i-- > 0;) branch += parts[i];
  return branch;
}

struct Window {
  double from_ns, span_ns;
};
Window window_of(const Model& model, const OpenTrace& trace) {
  const ViewState& state = model.state;
  if (state.zoom_to_ns <= state.zoom_from_ns)
    return {0, static_cast<double>(std::max<std::int64_t>(1, trace.duration_ns))};
  return {static_cast<double>(state.zoom_from_ns), static_cast<double>(state.zoom_to_ns - state.zoom_from_ns)};
}

/// Thick where the whole waited for this span, thin elsewhere; at least one cell. What lies outside the window has an
/// arrow at that edge.
void draw_bar(Grid& grid, std::size_t row, std::size_t column, std::size_t columns, const OpenTrace::Row& span,
              const Window& window) {
  const Look& look = grid.look();
  const auto cells = static_cast<double>(columns);
  const double begin = (static_cast<double>(span.start_ns) - window.from_ns) / window.span_ns * cells;
  const double end = begin + static_cast<double>(span.duration_ns) / window.span_ns * cells;
  if (end < 0) return grid.set(row, column, look.utf8 ? U'‹' : U'<', kDim);
  if (begin >= cells) return grid.set(row, column + columns - 1, look.utf8 ? U'›' : U'>', kDim);
  const auto first = static_cast<std::size_t>(std::clamp(begin, 0.0, cells - 1));
  const auto last = static_cast<std::size_t>(std::clamp(std::ceil(end), static_cast<double>(first) + 1, cells));
  const bool critical = span.critical_ns > 0;
  const Ink ink = in(span.error ? Hue::red : critical ? Hue::orange : Hue::blue);
  const char32_t glyph = critical ? (look.utf8 ? U'▆' : U'#') : (look.utf8 ? U'━' : U'=');
  grid.fill(row, column + first, last - first, glyph, ink);
}

std::vector<Segment> notes_of(const OpenTrace& trace, std::size_t index, const Look& look) {
  const OpenTrace::Row& row = trace.rows[index];
  std::vector<Segment> notes;
  if (row.error)
    notes.push_back({std::string(look.sign("■ ", "! ")) + std::string(look.say("top.error")), in(Hue::red), 9});
  if (row.unfinished)
    notes.push_back({std::string(look.sign("◆ ", "* ")) + std::string(look.say("top.unfinished")), in(Hue::orange), 8});
  if (row.orphan) notes.push_back({std::string(look.say("top.no_parent")), kDim, 2});
  if (index == trace.slowest && trace.rows.size() > 1) {
    const double share =
        static_cast<double>(row.critical_ns) / static_cast<double>(std::max<std::int64_t>(1, trace.duration_ns));
    notes.push_back({std::string(look.sign("← ", "<- ")) + std::string(look.say("top.critical_path")) + " " +
                         std::to_string(std::lround(share * 100)) + " %",
                     kBold, 7});
  }
  return notes;
}

std::string offset_text(std::int64_t ns) { return ns == 0 ? "0" : query::format_duration(ns); }

struct Columns {
  std::size_t name, duration, bar, service, notes;  // widths; 0: left out
};
Columns columns_of(std::size_t all) {
  Columns columns{};
  if (all < 30) return {all, 0, 0, 0, 0};
  columns.duration = 9;
  if (all < 60) {
    columns.name = all - columns.duration - 1;
    if (all >= 44) columns.bar = 14, columns.name -= 15;
    return columns;
  }
  columns.name = std::clamp<std::size_t>(all * 3 / 10, 22, 48);
  columns.service = all >= 76 ? std::min<std::size_t>(20, all / 6) : 0;
  columns.notes = all >= 96 ? std::min<std::size_t>(30, all / 4) : 0;
  const std::size_t used = columns.name + 1 + columns.duration + 1 + (columns.service > 0 ? columns.service + 1 : 0) +
                           (columns.notes > 0 ? columns.notes + 1 : 0);
  columns.bar = all - used;
  return columns;
}

void draw_span(const Model& model, Grid& grid, std::size_t row, const Box& box, const OpenTrace& trace,
               std::size_t index) {
  const Look& look = grid.look();
  const OpenTrace::Row& span = trace.rows[index];
  const Columns columns = columns_of(box.columns);
  std::size_t column = box.column;
  const std::string branch = branch_of(trace, span, look);
  std::size_t at = grid.put(row, column, branch, kDim, columns.name);
  std::string sign;  // where no column is left for notes
  if (columns.notes == 0 && span.error) sign = std::string(look.sign("■ ", "! "));
  else if (columns.notes == 0 && span.unfinished) sign = std::string(look.sign("◆ ", "* "));
  if (at < column + columns.name)
    at = grid.put(row, at, sign, in(span.error ? Hue::red : Hue::orange), column + columns.name - at);
  const Ink name_ink = span.error ? in(Hue::red) : span.critical_ns > 0 ? kBold : kPlain;
  if (at < column + columns.name) grid.put(row, at, trace.texts[span.name], name_ink, column + columns.name - at);
  column += columns.name + 1;
  if (columns.duration > 0)
    grid.put_right(row, column, column + columns.duration, query::format_duration(span.duration_ns));
  column += columns.duration + 1;
  if (columns.bar > 1) draw_bar(grid, row, column, columns.bar - 1, span, window_of(model, trace));
  column += columns.bar;
  if (columns.service > 0) grid.put(row, column, trace.texts[span.service], kDim, columns.service);
  column += columns.service + 1;
  if (columns.notes > 0)
    put_segments(grid, row, column, std::min(columns.notes, box.column + box.columns - column),
                 notes_of(trace, index, look), "  ");
}

/// The times at the edges of the bars.
void draw_ruler(const Model& model, Grid& grid, std::size_t row, const Box& box, const OpenTrace& trace) {
  const Columns columns = columns_of(box.columns);
  if (columns.bar < 12) return;
  const Window window = window_of(model, trace);
  const std::size_t column = box.column + columns.name + 1 + columns.duration + 1;
  grid.put(row, column, offset_text(std::llround(window.from_ns)), kDim, columns.bar / 2);
  grid.put_right(row, column + columns.bar / 2, column + columns.bar - 1,
                 query::format_duration(std::llround(window.from_ns + window.span_ns)), kDim);
}

/// What the selected span is, exactly.
void draw_selected(Grid& grid, std::size_t row, const Box& box, const OpenTrace& trace, std::size_t index) {
  const Look& look = grid.look();
  const OpenTrace::Row& span = trace.rows[index];
  std::vector<Segment> segments{
      {trace.texts[span.name], kBold, 9, true},
      {query::format_duration(span.duration_ns), kPlain, 8},
      {std::string(look.say("top.self")) + " " + query::format_duration(span.self_ns), kPlain, 6},
      {"+" + offset_text(span.start_ns), kPlain, 5},
      {hex(span.span_id), kDim, 2},
      {"Enter " + std::string(look.say("top.key_open")), kDim, 1}};
  for (Segment& note : notes_of(trace, index, look)) segments.insert(segments.begin() + 1, std::move(note));
  put_segments(grid, row, box.column, box.columns, std::move(segments), look.sign(" · ", "  "));
}

void draw_details(const Model& model, Grid& grid, const Box& box) {
  const Look& look = grid.look();
  const SpanDetail* detail = model.found.span.get();
  if (detail == nullptr || detail->span_id != model.state.span_id)
    return draw_centred(grid, box, {std::string(look.say("top.reading")) + " …"}, kDim);
  const std::size_t top =
      std::min(model.state.detail_top, detail->lines.size() - std::min(detail->lines.size(), box.rows));
  for (std::size_t i = 0; i < box.rows && top + i < detail->lines.size(); ++i)
    grid.put(box.row + i, box.column, detail->lines[top + i], top + i == 0 ? kBold : kPlain, box.columns);
}

}  // namespace

void draw_trace(const Model& model, Grid& grid, const Box& box) {
  const Look& look = grid.look();
  const OpenTrace* trace = model.found.trace.get();
  if (trace == nullptr || !trace->trace_id.starts_with(model.state.trace_id))
    return draw_centred(grid, box, {std::string(look.say("top.reading")) + " …"}, kDim);
  if (trace->rows.empty()) return draw_centred(grid, box, {trace->problem}, in(Hue::orange));
  if (!model.state.span_id.empty()) return draw_details(model, grid, box);
  Box rest = box;
  const Place& place = model.state.place();
  if (rest.rows >= 3) {
    std::vector<Segment> title{
        {std::string(look.say("top.trace")), kBold, 3},
        {box.columns >= 60 ? trace->trace_id : trace->trace_id.substr(0, 8), kPlain, 9},
        {date_text(model, trace->start_unix_ns), kDim, 4},
        {query::format_duration(trace->duration_ns), kPlain, 8},
        {std::string(look.say("top.spans")) + " " + query::format_count(trace->rows.size()), kPlain, 6}};
    if (trace->errors > 0)
      title.push_back({std::string(look.sign("■ ", "! ")) + std::string(look.say("top.errors")) + " " +
                           query::format_count(trace->errors),
                       in(Hue::red), 7});
    put_segments(grid, rest.row, rest.column, rest.columns, std::move(title), look.sign(" · ", "  "));
    ++rest.row, --rest.rows;
  }
  if (rest.rows >= 6) draw_ruler(model, grid, rest.row, rest, *trace), ++rest.row, --rest.rows;
  const std::size_t selected = std::min(place.selected, trace->rows.size() - 1);
  if (rest.rows >= 6) draw_selected(grid, rest.row + rest.rows - 1, rest, *trace, selected), --rest.rows;
  const std::size_t top = scrolled(place.top, selected, rest.rows, trace->rows.size());
  for (std::size_t i = 0; i < rest.rows && top + i < trace->rows.size(); ++i) {
    draw_span(model, grid, rest.row + i, rest, *trace, top + i);
    // Not the bar: in reverse a block is a hole.
    if (top + i == selected) grid.highlight(rest.row + i, rest.column, columns_of(rest.columns).name);
  }
}

}  // namespace honeylink::telemetry::view
