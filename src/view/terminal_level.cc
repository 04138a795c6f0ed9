// One panel enlarged: the curves of its quantiles over the thresholds, the heatmap of its distribution below them, the
// slowest exemplars, each a trace (UX 9). See terminal_draw.h.
#include <algorithm>
#include <cmath>

#include "view/terminal_draw.h"

namespace honeylink::telemetry::view {
namespace {

const LevelCard* card_of(const Model& model) {
  if (!model.found.levels) return nullptr;
  for (const LevelCard& card : model.found.levels->cards) {
    if (card.name == model.state.level_name) return &card;
  }
  return nullptr;
}

/// The rows of the heatmap that hold anything, from the largest bound down.
struct HeatRange {
  std::size_t low = 0, high = 0;  // of bounds: [low, high)
  std::uint64_t most = 0;
};
HeatRange range_of(const LevelDetail& detail) {
  HeatRange range{detail.bounds.size(), 0, 0};
  const std::size_t rows = detail.bounds.size();
  for (std::size_t i = 0; rows > 0 && i < detail.heat.size(); ++i) {
    if (detail.heat[i] == 0) continue;
    range.low = std::min(range.low, i % rows), range.high = std::max(range.high, i % rows + 1);
    range.most = std::max(range.most, detail.heat[i]);
  }
  return range;
}

char32_t heat_glyph(std::uint64_t count, std::uint64_t most, bool utf8) {
  constexpr std::u32string_view kShades = U"░▒▓█", kAscii = U".:*#";
  const double share = std::log1p(static_cast<double>(count)) / std::log1p(static_cast<double>(most));
  const auto step = std::min<std::size_t>(3, static_cast<std::size_t>(share * 4));
  return (utf8 ? kShades : kAscii)[step];
}

/// Parts of a length that fall on one cell of it: never none.
struct Slice {
  std::size_t from, to;
};
Slice slice_of(std::size_t cell, std::size_t cells, std::size_t length) {
  const std::size_t from = cell * length / cells, to = (cell + 1) * length / cells;
  return {from, std::max(to, from + 1)};
}

void draw_heat(Grid& grid, const Box& box, const Box& plot, const LevelDetail& detail, const Limits& limits) {
  const std::size_t rows = detail.bounds.size();
  const HeatRange range = range_of(detail);
  if (range.most == 0 || plot.rows == 0 || plot.columns == 0) return;
  const std::size_t steps = detail.heat.size() / rows, kinds = range.high - range.low;
  for (std::size_t r = 0; r < plot.rows; ++r) {
    const Slice bounds = slice_of(plot.rows - 1 - r, plot.rows, kinds);
    const double bound = detail.bounds[range.low + std::min(kinds, bounds.to) - 1];
    const Ink ink = in(hue_of(level_at(bound * 0.999, limits)));
    for (std::size_t c = 0; c < plot.columns; ++c) {
      const Slice columns = slice_of(c, plot.columns, steps);
      std::uint64_t count = 0;
      for (std::size_t s = columns.from; s < std::min(columns.to, steps); ++s) {
        for (std::size_t b = bounds.from; b < std::min(bounds.to, kinds); ++b)
          count += detail.heat[s * rows + range.low + b];
      }
      if (count > 0) grid.set(plot.row + r, plot.column + c, heat_glyph(count, range.most, grid.look().utf8), ink);
    }
    if (r == 0 || r + 1 == plot.rows)
      grid.put_right(plot.row + r, box.column, plot.column - 1, value_text(bound, limits.unit), kDim);
  }
}

void draw_exemplars(Grid& grid, std::size_t row, const Box& box, const LevelDetail& detail, const Limits& limits) {
  if (detail.exemplars.empty()) return;
  const Look& look = grid.look();
  std::vector<Segment> segments{{std::string(look.say("top.exemplars")), kDim, 90}};
  for (std::size_t i = 0; i < std::min<std::size_t>(4, detail.exemplars.size()); ++i) {
    const LevelDetail::Exemplar& e = detail.exemplars[i];
    segments.push_back(
        {std::string(look.sign("● ", "* ")) + value_text(e.value, limits.unit) + " " + e.trace_id.substr(0, 8),
         in(hue_of(level_at(e.value, limits))), 80 - static_cast<int>(i)});
  }
  segments.push_back({"Enter " + std::string(look.say("top.key_open")), kDim, 10});
  put_segments(grid, row, box.column, box.columns, std::move(segments), "   ");
}

void draw_facts(const Model& model, Grid& grid, const Box& inside, const LevelCard& card) {
  const Look& look = grid.look();
  const std::int64_t at = model.state.paused ? model.state.paused_at_unix_ns : model.now_unix_ns;
  const std::string age = card.newest_unix_s == 0 || !model.live ? std::string()
                                                                 : std::string(look.say("top.newest")) + " " +
                                                                       age_text(at / kSecondNs - card.newest_unix_s);
  put_segments(
      grid, inside.row, inside.column, inside.columns,
      {{value_text(card.value, card.unit), card.state ? in(hue_of(*card.state), true) : kBold, 9},
       {std::string(look.say("top.objective")) + " < " + value_text(card.objective, card.unit), kPlain, 6},
       {std::string(look.say("top.budget")) + " " + percent_text(card.budget_left),
        card.budget_left < 0 ? in(Hue::red, true) : kPlain, 7},
       {std::string(look.say("top.burn")) + " " + times_text(card.burn_1h) + " 1h, " + times_text(card.burn_6h) + " 6h",
        kPlain, 8},
       {std::to_string(card.breaches) + " " + std::string(look.say("top.of")) + " " +
            std::to_string(card.breaches_required) + " " + std::string(look.say("top.breaches")),
        card.breaches > 0 ? in(Hue::yellow) : kPlain, 5},
       {rate_text(card.rate), kPlain, 3},
       {age, kPlain, 2}},
      look.sign(" · ", "  "));
}

/// Which curve is which: the quantiles, where they are apart.
std::vector<Curve> curves_of(const LevelDetail& detail) {
  std::vector<Curve> curves;
  for (const Curve& curve : {Curve{&detail.p50, "p50"}, {&detail.p95, "p95"}, {&detail.p99, "p99"}}) {
    if (!curve.values->empty()) curves.push_back(curve);
  }
  if (curves.empty()) curves.push_back({&detail.value});
  return curves;
}

}  // namespace

void draw_level(const Model& model, Grid& grid, const Box& box) {
  const Look& look = grid.look();
  const LevelCard* card = card_of(model);
  if (card == nullptr) return draw_centred(grid, box, {std::string(look.say("top.no_levels"))}, kDim);
  const bool calm = !card->state || *card->state == Level::ok;
  const bool framed = box.rows >= 6 && box.columns >= 40;
  const Ink ink = calm ? kDim : in(hue_of(*card->state));
  if (framed) draw_frame(grid, box, ink);
  const Box inside = framed ? box.inside() : box;
  std::vector<Segment> title{{card->state ? std::string(look.sign_of(*card->state)) : "?", ink, 9},
                             {card->name, kBold, 8, true},
                             {card->module, kDim, 2},
                             {age_text(model.state.window_s), kDim, 5}};
  const std::size_t title_row = box.row, title_column = framed ? box.column + 2 : box.column;
  grid.set(title_row, title_column, U' ');
  const std::size_t after = put_segments(grid, title_row, title_column + (framed ? 1 : 0),
                                         box.columns - (framed ? 5 : 0), std::move(title), " ");
  if (framed) grid.set(title_row, after, U' ');
  Box rest = inside;
  const auto take = [&rest](std::size_t rows) { rest.row += rows, rest.rows -= std::min(rest.rows, rows); };
  if (!framed) take(1);
  if (rest.rows == 0) return;
  draw_facts(model, grid, rest, *card);
  take(1);
  const Limits limits{card->yellow, card->orange, card->red, card->objective, card->unit};
  const LevelDetail* detail = model.found.level.get();
  if (detail == nullptr || detail->name != card->name) {
    draw_curves(grid, rest, {{&card->values}}, limits, true);
    return;
  }
  const bool has_heat = !detail->heat.empty() && rest.rows >= 9;
  const bool has_exemplars = !detail->exemplars.empty() && rest.rows >= 4;
  if (has_exemplars) {
    draw_exemplars(grid, rest.row + rest.rows - 1, rest, *detail, limits);
    --rest.rows;
  }
  Box curves = rest;
  if (has_heat) curves.rows = rest.rows * 3 / 5;
  const Box plot = draw_curves(grid, curves, curves_of(*detail), limits, true);
  if (!has_heat) return;
  grid.put(curves.row + curves.rows, rest.column, look.say("top.heat"), kDim, rest.columns);
  const std::size_t heat_row = curves.row + curves.rows + 1;
  draw_heat(grid, rest, {heat_row, plot.column, rest.row + rest.rows - heat_row, plot.columns}, *detail, limits);
}

}  // namespace honeylink::telemetry::view
