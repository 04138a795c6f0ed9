// Line 1, the page, the last line, and what lies over them: see terminal_layout.h.
#include "view/terminal_layout.h"

#include <algorithm>

#include "base/text.h"
#include "query/time_text.h"
#include "query/unicode.h"
#include "view/terminal_draw.h"
#include "view/terminal_filter.h"

namespace honeylink::telemetry::view {
namespace {

Segment live_segment(const Model& model, const Look& look) {
  if (!model.live)
    return {std::string(look.sign("□ ", "- ")) + (model.file.empty() ? "" : model.file + ": ") +
                std::string(look.say("top.not_live")),
            kBold, 99};
  if (!model.state.paused)
    return {std::string(look.sign("● ", "o ")) + std::string(look.say("top.live")), in(Hue::blue, true), 99};
  const std::uint64_t before = model.state.accepted_at_pause;
  const std::uint64_t fresh = model.accepted_now > before ? model.accepted_now - before : 0;
  return {std::string(look.sign("‖ ", "= ")) + std::string(look.say("top.paused")) + " " + query::format_count(fresh) +
              " " + std::string(look.say("top.fresh")),
          in(Hue::yellow, true), 99};
}

std::string short_live(const Model& model, const Look& look) {
  return std::string(!model.live          ? look.sign("□", "-")
                     : model.state.paused ? look.sign("‖", "=")
                                          : look.sign("●", "o"));
}

std::vector<Segment> status_segments(const Model& model, const Look& look) {
  std::vector<Segment> segments{{"honeytel", kBold, 1}};
  const StatusFacts* facts = model.found.status.get();
  if (facts == nullptr) return segments;
  if (model.live && facts->engine == "none")
    segments.push_back(
        {std::string(look.sign("▲ ", "! ")) + std::string(look.say("top.no_engine")), in(Hue::yellow, true), 7});
  else if (model.live)
    segments.push_back({std::string(look.say("top.engine")) + " " + facts->engine + " " +
                            (facts->engine_pid == 0 ? "" : std::to_string(facts->engine_pid)),
                        kPlain, 6});
  const auto count = [&](MessageKey what, std::uint64_t n, Ink ink, int keep) {
    segments.push_back({std::string(look.say(what)) + " " + query::format_count(n), ink, keep});
  };
  if (model.live) {
    count("top.programs", facts->programs, kPlain, 2);
    count("top.in_ring", facts->in_ring, kPlain, 4);
  }
  if (facts->dropped > 0)
    segments.push_back({std::string(look.sign("■ ", "! ")) + std::string(look.say("top.dropped")) + " " +
                            query::format_count(facts->dropped),
                        in(Hue::red, true), 9});
  else count("top.dropped", 0, kPlain, 8);
  if (facts->newest_unix_ns != 0) {
    const std::int64_t age_s = (model.now_unix_ns - facts->newest_unix_ns) / kSecondNs;
    const std::string when =
        model.live && !model.state.paused ? age_text(age_s) : clock_text(model, facts->newest_unix_ns);
    segments.push_back({std::string(look.say("top.newest")) + " " + when, kPlain, 3});
  }
  return segments;
}

void draw_status(const Model& model, Grid& grid) {
  const Look& look = grid.look();
  const std::size_t columns = grid.size().columns;
  Segment live = live_segment(model, look);
  std::size_t width = query::columns_of(terminal_safe(live.text));
  if (width * 2 > columns) live.text = short_live(model, look), width = 1;
  grid.put_right(0, 0, columns, live.text, live.ink);
  if (columns > width + 4)
    put_segments(grid, 0, 0, columns - width - 1, status_segments(model, look), look.sign(" · ", "  "));
}

std::vector<Segment> key_segments(const Model& model, const Look& look) {
  const auto key = [&](std::string_view keys, MessageKey what, int keep) {
    return Segment{std::string(keys) + " " + std::string(look.say(what)), kPlain, keep};
  };
  std::vector<Segment> segments;
  if (!model.state.behind.empty()) segments.push_back(key("Esc", "top.key_back", 8));
  if (model.state.page != Page::traces && model.state.page != Page::trace)
    segments.push_back(key("t", "top.key_traces", 6));
  if (model.state.page != Page::logs) segments.push_back(key("l", "top.key_logs", 5));
  if (model.state.page != Page::alerts && model.state.page != Page::trace)
    segments.push_back(key("a", "top.key_alerts", 4));
  if (model.state.page == Page::trace) segments.push_back(key("+/-", "top.key_zoom", 3));
  segments.push_back(key("/", model.state.page == Page::trace ? MessageKey("top.key_find") : "top.key_filter", 2));
  segments.push_back(key("?", "top.key_help", 9));
  segments.push_back(key("q", "top.key_quit", 10));
  return segments;
}

std::size_t width_of(const std::vector<Segment>& segments) {
  std::size_t width = 0;
  for (const Segment& segment : segments) width += query::columns_of(segment.text) + 2;
  return width < 2 ? 0 : width - 2;
}

/// In as many of the last lines as it takes: a command is of no use in part.
void draw_notice(const Model& model, Grid& grid) {
  const Look& look = grid.look();
  std::string notice = model.state.notice ? std::string(look.say(*model.state.notice)) : "";
  if (!model.state.message.empty()) notice += (notice.empty() ? "" : " ") + terminal_safe(model.state.message);
  const Size size = grid.size();
  std::vector<std::string> lines{""};
  std::size_t used = 0;
  for (std::string_view left = notice; !left.empty();) {
    const query::CodePoint point = query::next_code_point(left);
    const std::size_t width = query::columns_of(left.substr(0, point.bytes));
    if (used + width > size.columns) lines.emplace_back(), used = 0;
    lines.back() += left.substr(0, point.bytes);
    used += width;
    left.remove_prefix(point.bytes);
  }
  if (lines.size() > size.rows) lines.resize(size.rows);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::size_t row = size.rows - lines.size() + i;
    grid.fill(row, 0, size.columns, U' ');
    grid.put(row, 0, lines[i], in(Hue::yellow));
  }
}

/// What is typed, a message, or the command that gives the same and the keys.
void draw_last_line(const Model& model, Grid& grid) {
  const Look& look = grid.look();
  const std::size_t row = grid.size().rows - 1, columns = grid.size().columns;
  if (model.state.typing) {
    const std::size_t typed = query::columns_of(terminal_safe(model.state.typed));
    std::string_view tail = model.state.typed;
    for (std::size_t over = typed + 2 > columns ? typed + 2 - columns : 0; over > 0 && !tail.empty(); --over)
      tail.remove_prefix(std::max<std::size_t>(1, query::next_code_point(tail).bytes));
    const std::size_t after = grid.put(row, grid.put(row, 0, "/", kBold), tail);
    grid.put(row, after, " ", {Hue::plain, false, false, true});
    return;
  }
  if (model.state.notice || !model.state.message.empty()) return draw_notice(model, grid);
  std::vector<Segment> keys = key_segments(model, look);
  const std::string command = "$ " + command_of(model);
  const std::size_t command_columns = query::columns_of(terminal_safe(command));
  const std::size_t keys_least = std::min<std::size_t>(columns, 15);
  const std::size_t room = columns - std::min(columns, keys_least + 2);
  std::size_t used = 0;
  if (columns >= 40) used = grid.put(row, 0, command, kDim, std::min(room, command_columns)) + 2;
  while (keys.size() > 1 && used + width_of(keys) > columns)
    keys.erase(
        std::min_element(keys.begin(), keys.end(), [](const Segment& a, const Segment& b) { return a.keep < b.keep; }));
  const std::size_t width = std::min(width_of(keys), columns - std::min(columns, used));
  put_segments(grid, row, columns - width, width, std::move(keys), "  ");
}

Box body_of(Size size) noexcept {
  return size.rows < 3 ? Box{0, 0, size.rows, size.columns} : Box{1, 0, size.rows - 2, size.columns};
}

}  // namespace

Grid draw_view(const Model& model, Size size, Look look) {
  if (!look.utf8) look.language = Language::en;  // other languages have no letters there
  Grid grid(size, look);
  if (size.rows == 0 || size.columns == 0) return grid;
  const Box body = body_of(size);
  switch (model.state.page) {
    case Page::levels:
      draw_levels(model, grid, body);
      break;
    case Page::level:
      draw_level(model, grid, body);
      break;
    case Page::traces:
      draw_traces(model, grid, body);
      break;
    case Page::trace:
      draw_trace(model, grid, body);
      break;
    case Page::logs:
      draw_logs(model, grid, body);
      break;
    case Page::alerts:
      draw_alerts(model, grid, body);
      break;
  }
  if (size.rows >= 3) draw_status(model, grid), draw_last_line(model, grid);
  if (model.state.help) draw_help(model, grid);
  return grid;
}

std::size_t list_rows(const Model& model, Size size) noexcept {
  const std::size_t rows = body_of(size).rows;
  if (model.state.page == Page::levels && has_panels(size)) return kPanels;
  const std::size_t around = model.state.page == Page::levels || model.state.page == Page::level ? 0 : 2;
  return rows > around + 1 ? rows - around : 1;
}

}  // namespace honeylink::telemetry::view
