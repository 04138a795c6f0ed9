// The first page: five panels, worst first, the worst the largest (UX 7). Under 80×24 a line each. See terminal_draw.h.
#include <algorithm>

#include "query/unicode.h"
#include "view/terminal_draw.h"
#include "view/terminal_filter.h"

namespace honeylink::telemetry::view {
namespace {

constexpr std::size_t kFactColumns = 26;  // of the facts beside a large curve

Limits limits_of(const LevelCard& card) { return {card.yellow, card.orange, card.red, card.objective, card.unit}; }

std::string state_text(const LevelCard& card, const Look& look) {
  if (!card.state) return std::string(look.sign("○ ", "? ")) + std::string(look.say("top.no_data"));
  constexpr std::array<MessageKey, 4> kWords{"top.ok", "top.yellow", "top.orange", "top.red"};
  return std::string(look.sign_of(*card.state)) + " " +
         std::string(look.say(kWords[static_cast<std::size_t>(*card.state)]));
}

Ink state_ink(const LevelCard& card, bool bold = true) { return card.state ? in(hue_of(*card.state), bold) : kDim; }

struct Facts {
  std::string value, objective, budget, burn, breaches, rate, age;
};
Facts facts_of(const LevelCard& card, const Model& model, const Look& look) {
  Facts facts;
  facts.value = value_text(card.value, card.unit);
  if (card.objective > 0) facts.objective = "< " + value_text(card.objective, card.unit);
  facts.budget = percent_text(card.budget_left);
  // Tenths of what is ten times too fast would not fit.
  const auto times = [](double v) {
    return v >= 9.95 && v < 1e6 ? std::to_string(std::lround(v)) + "x" : times_text(v);
  };
  facts.burn = times(card.burn_1h) + " 1h  " + times(card.burn_6h) + " 6h";
  facts.breaches = std::to_string(card.breaches) + " " + std::string(look.say("top.of")) + " " +
                   std::to_string(card.breaches_required);
  facts.rate = rate_text(card.rate);
  const std::int64_t at = model.state.paused ? model.state.paused_at_unix_ns : model.now_unix_ns;
  facts.age = card.newest_unix_s == 0 ? std::string(look.sign("–", "-"))
              : model.live            ? age_text(at / kSecondNs - card.newest_unix_s)
                                      : clock_text(model, card.newest_unix_s * kSecondNs);
  return facts;
}

Ink budget_ink(const LevelCard& card) { return card.budget_left < 0 ? in(Hue::red, true) : kPlain; }

/// One fact a line, its word at the left.
void draw_fact_column(Grid& grid, const Box& box, const LevelCard& card, const Facts& facts) {
  const Look& look = grid.look();
  std::size_t row = box.row;
  const std::size_t end = box.row + box.rows;
  const std::size_t after = grid.put(row, box.column, facts.value, state_ink(card), box.columns);
  if (after + 2 < box.column + box.columns)
    grid.put(row, after + 2, facts.objective, kDim, box.column + box.columns - after - 2);
  ++row;
  const auto line = [&](MessageKey what, const std::string& text, Ink ink) {
    if (row >= end) return;
    const std::size_t at = std::max(grid.put(row, box.column, look.say(what), kDim, 12) + 1, box.column + 10);
    if (at < box.column + box.columns) grid.put(row, at, text, ink, box.column + box.columns - at);
    ++row;
  };
  line("top.budget", facts.budget, budget_ink(card));
  line("top.burn", facts.burn, kPlain);
  line("top.breaches", facts.breaches, card.breaches > 0 ? in(Hue::yellow) : kPlain);
  line("top.rate", facts.rate, kPlain);
  line("top.newest", facts.age, kPlain);
}

/// The same in a line or two, as far as there is room.
void draw_fact_lines(Grid& grid, const Box& box, const LevelCard& card, const Facts& facts) {
  const Look& look = grid.look();
  put_segments(grid, box.row, box.column, box.columns,
               {{facts.value, state_ink(card), 9},
                {facts.objective, kDim, 5},
                {std::string(look.say("top.budget")) + " " + facts.budget, budget_ink(card), 7}},
               "  ");
  if (box.rows < 2) return;
  put_segments(
      grid, box.row + 1, box.column, box.columns,
      {{std::string(look.say("top.burn")) + " " + times_text(card.burn_1h) + "/" + times_text(card.burn_6h), kPlain, 8},
       {facts.breaches, card.breaches > 0 ? in(Hue::yellow) : kPlain, 7},
       {facts.rate, kPlain, 3},
       {facts.age, kPlain, 6}},
      look.sign(" · ", "  "));
}

void draw_title(Grid& grid, const Box& box, const LevelCard& card, std::size_t number, bool selected) {
  const std::string digit = " " + std::to_string(number) + " ";
  const std::string state = state_text(card, grid.look()) + " ";
  std::size_t column = box.column + 1;
  const std::size_t end = box.column + box.columns - 1;
  if (end <= column + 4) return;
  Ink ink = kBold;
  ink.reverse = selected;
  column = grid.put(box.row, column, digit, ink, end - column);
  grid.set(box.row, column++, U' ');
  column = grid.put(box.row, column, state, state_ink(card), end - column);
  if (column + 4 < end) column = grid.put(box.row, column, card.name, kBold, end - column - 1);
  if (column < end) grid.set(box.row, column, U' ');
}

/// The times of the curve's beginning and end, in the lower edge.
void draw_times(const Model& model, Grid& grid, const Box& box, std::size_t from, const LevelCard& card) {
  if (card.values.empty() || box.columns < 40) return;
  const std::size_t row = box.row + box.rows - 1, end = box.column + box.columns - 2;
  const std::int64_t t1 = card.t0_unix_s + static_cast<std::int64_t>(card.values.size()) * card.step_s;
  grid.put(row, from, " " + clock_text(model, card.t0_unix_s * kSecondNs).substr(0, 5) + " ", kDim);
  grid.put_right(row, from, end, " " + clock_text(model, t1 * kSecondNs).substr(0, 5) + " ", kDim);
}

void draw_panel(const Model& model, Grid& grid, const Box& box, const LevelCard& card, std::size_t number,
                bool selected) {
  const bool calm = !card.state || *card.state == Level::ok;
  draw_frame(grid, box, calm ? kDim : in(hue_of(*card.state)));
  draw_title(grid, box, card, number, selected);
  const Box inside = box.inside();
  const Facts facts = facts_of(card, model, grid.look());
  const bool beside = inside.columns >= 2 * kFactColumns && inside.rows >= 5;
  const std::size_t fact_rows = beside ? 0 : inside.rows >= 3 ? 2 : 1;
  Box plot{inside.row + fact_rows, inside.column, inside.rows - std::min(inside.rows, fact_rows), inside.columns};
  if (!card.flaw.empty()) {
    grid.put(inside.row, inside.column, std::string(grid.look().sign("▲ ", "! ")) + card.flaw, in(Hue::yellow),
             inside.columns);
    return;
  }
  if (beside) {
    plot.columns -= kFactColumns + 2;
    draw_fact_column(grid, {inside.row, plot.column + plot.columns + 2, inside.rows, kFactColumns}, card, facts);
  } else {
    draw_fact_lines(grid, {inside.row, inside.column, fact_rows, inside.columns}, card, facts);
  }
  draw_curves(grid, plot, {{&card.values}}, limits_of(card), plot.rows >= 4 && plot.columns >= 30);
  draw_times(model, grid, box, plot.column + 1, card);
}

/// The worst over the whole width, the others in two columns below it.
std::vector<Box> panel_boxes(const Box& box, std::size_t n) {
  if (n == 0) return {};
  if (n == 1) return {box};
  const std::size_t others = n - 1, columns = others < 2 ? 1 : 2, bands = (others + columns - 1) / columns;
  const std::size_t least = box.rows / (bands + 2);
  const std::size_t band = std::max<std::size_t>({5, least, bands == 1 ? box.rows * 2 / 5 : box.rows * 2 / 7});
  std::vector<Box> boxes{{box.row, box.column, box.rows - band * bands, box.columns}};
  for (std::size_t i = 0; i < others; ++i) {
    const std::size_t row = box.row + boxes[0].rows + i / columns * band;
    const bool alone = columns == 1 || (i % 2 == 0 && i + 1 == others);
    const std::size_t left = box.columns / 2;
    if (alone) boxes.push_back({row, box.column, band, box.columns});
    else if (i % 2 == 0) boxes.push_back({row, box.column, band, left});
    else boxes.push_back({row, box.column + left, band, box.columns - left});
  }
  return boxes;
}

/// A line: number, state, name, value, curve; from the right they give way.
void draw_line(Grid& grid, std::size_t row, const Box& box, const LevelCard& card, std::size_t number, bool selected) {
  const Look& look = grid.look();
  const std::size_t end = box.column + box.columns;
  std::size_t column = box.column;
  if (box.columns >= 30) column = grid.put(row, column, std::to_string(number) + " ", kDim);
  const std::string state = state_text(card, look);
  column = grid.put(row, column, box.columns >= 44 ? state : state.substr(0, state.find(' ')), state_ink(card)) + 1;
  if (box.columns >= 44) column = std::max(column, box.column + 13);
  const std::string value = value_text(card.value, card.unit);
  const std::size_t value_columns = std::max<std::size_t>(9, query::columns_of(value));
  const std::size_t left = end > column ? end - column : 0;
  if (left <= value_columns + 2) {
    grid.put(row, column, value, state_ink(card), left);
  } else {
    const std::size_t spark = left >= value_columns + 32 ? std::min<std::size_t>(30, left - value_columns - 30) : 0;
    const std::size_t name = left - value_columns - 1 - (spark > 0 ? spark + 1 : 0);
    grid.put(row, column, card.name, selected ? kBold : kPlain, name);
    const std::size_t value_end = column + name + 1 + value_columns;
    grid.put_right(row, column + name + 1, value_end, value, state_ink(card));
    if (spark > 0) draw_spark(grid, row, value_end + 1, spark, card.values, limits_of(card));
  }
  if (selected) grid.highlight(row, box.column, box.columns);
}

}  // namespace

void draw_levels(const Model& model, Grid& grid, const Box& box) {
  const Look& look = grid.look();
  if (!model.found.levels) return draw_centred(grid, box, {std::string(look.say("top.reading")) + " …"}, kDim);
  const std::vector<const LevelCard*> cards = shown_cards(model);
  if (cards.empty()) {
    const MessageKey why = model.found.levels->cards.empty() ? MessageKey("top.no_levels") : "top.no_match";
    return draw_centred(grid, box, {std::string(look.say(why))}, kDim);
  }
  const Place& place = model.state.place();
  const bool panels = has_panels(grid.size());
  const std::size_t rows = panels ? std::min(kPanels, cards.size()) : box.rows;
  const std::size_t top = scrolled(place.top, place.selected, rows, cards.size());
  const std::size_t shown = std::min(rows, cards.size() - top);
  const std::vector<Box> boxes = panels ? panel_boxes(box, shown) : std::vector<Box>();
  for (std::size_t i = 0; i < shown; ++i) {
    const bool selected = top + i == place.selected && !place.follows;
    if (panels) draw_panel(model, grid, boxes[i], *cards[top + i], i + 1, selected);
    else draw_line(grid, box.row + i, box, *cards[top + i], i + 1, selected);
  }
}

}  // namespace honeylink::telemetry::view
