// Levels and alerts of a home, for the terminal view: see terminal_look_levels.h.
#include "view/terminal_look_levels.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/clock.h"
#include "base/sketch.h"
#include "base/text.h"
#include "query/database.h"
#include "query/live_slis.h"
#include "query/paths.h"
#include "view/terminal_looks.h"

namespace honeylink::telemetry::view {
namespace {

constexpr std::int64_t kCurveS = 1'800, kStepS = kTickNs / kSecondNs;
constexpr std::int64_t kDetailSteps = 150;
constexpr std::size_t kHeatRowsMax = 40;
constexpr std::size_t kExemplarsMax = 10;
constexpr std::uint64_t kAlertsMax = 500;

LevelCard card_of(const query::SliView& view) {
  const auto& d = view.definition;
  LevelCard card;
  card.name = d.name, card.module = d.module, card.unit = view.unit;
  if (view.level != Level::ok || !view.no_data) card.state = view.level;
  card.value = view.value.value_or(NAN);
  card.is_ratio = d.is_ratio(), card.quantile = d.quantile;
  card.yellow = d.yellow, card.orange = d.orange, card.red = d.red, card.objective = d.objective;
  card.breaches = view.consecutive, card.breaches_required = d.consecutive_breaches_required;
  card.budget_left = view.budget_left.value_or(NAN), card.rate = view.rate.value_or(NAN);
  card.burn_1h = view.burn[2].value_or(NAN), card.burn_6h = view.burn[3].value_or(NAN);
  card.newest_unix_s = view.newest_point_unix_ns / kSecondNs;
  card.trace_id = view.trace_id;
  if (!view.flaws.empty())
    card.flaw =
        view.flaws.front().what + (view.flaws.front().suggestion.empty() ? "" : "; " + view.flaws.front().suggestion);
  return card;
}

void fill_curve(LevelCard& card, const std::vector<query::SliPoint>& points, std::int64_t now_s) {
  card.step_s = kStepS;
  card.t0_unix_s = now_s / kStepS * kStepS - kCurveS + kStepS;
  card.values.assign(static_cast<std::size_t>(kCurveS / kStepS), NAN);
  for (const query::SliPoint& point : points) {
    const std::int64_t at = (point.time_unix_s - card.t0_unix_s) / kStepS;
    if (at >= 0 && at < static_cast<std::int64_t>(card.values.size()))
      card.values[static_cast<std::size_t>(at)] = point.value;
  }
}

/// Some 150 steps, of whole ticks; of whole minutes where ticks have been rolled up into those.
std::int64_t step_of(std::int64_t window_s) noexcept {
  const std::int64_t grain = window_s > 6 * 3'600 ? 3'600 / 4 : kStepS;
  return std::max<std::int64_t>(grain, (window_s / kDetailSteps + grain - 1) / grain * grain);
}

/// Rows of equal ratio, the same for all steps: the buckets of their sum at a scale that leaves few enough of them.
void begin_heat(const std::vector<query::SliPoint>& points, std::size_t steps, LevelDetail& detail) {
  Sketch all;
  for (const query::SliPoint& point : points) {
    if (all.count == 0) all = point.sketch;
    else merge(all, point.sketch, kHeatRowsMax);
  }
  for (; all.buckets.size() > kHeatRowsMax; downscale(all, all.scale - 1)) {}
  trim(all);
  detail.heat_scale = all.scale, detail.heat_offset = all.offset;
  for (std::size_t i = 0; i < all.buckets.size(); ++i)
    detail.bounds.push_back(bucket_upper_bound(all.scale, std::int64_t{all.offset} + static_cast<std::int64_t>(i)));
  detail.heat.assign(steps * detail.bounds.size(), 0);
}

void add_heat(Sketch sketch, std::size_t column, LevelDetail& detail) {
  downscale(sketch, detail.heat_scale);
  for (std::size_t i = 0; i < sketch.buckets.size(); ++i) {
    const std::int64_t row = std::int64_t{sketch.offset} + static_cast<std::int64_t>(i) - detail.heat_offset;
    if (row >= 0 && row < static_cast<std::int64_t>(detail.bounds.size()))
      detail.heat[column * detail.bounds.size() + static_cast<std::size_t>(row)] += sketch.buckets[i];
  }
}

}  // namespace

query::Answer<std::unique_ptr<query::SliReader>> LevelLook::open() const {
  auto reader = query::SliReader::open(home_, system_clock().realtime_ns());
  if (reader.ok() && !live_) reader.value()->measure_ages_by_the_newest();
  return reader;
}

/// What is stored. Where it cannot be read, what was read before stays: an engine may be at work there.
void LevelLook::judge() {
  auto reader = open();
  if (!reader.ok()) return;
  auto views = reader.value()->slis(false);
  if (!views.ok()) return;
  views_ = std::move(views.value());
  auto cards = std::make_shared<LevelCards>();
  const std::int64_t now_s = reader.value()->now_unix_ns() / kSecondNs;
  for (const query::SliView& view : views_) {
    LevelCard card = card_of(view);
    const auto points = reader.value()->history(view, {now_s - kCurveS, now_s, kStepS});
    fill_curve(card, points.ok() ? points.value() : std::vector<query::SliPoint>(), now_s);
    cards->cards.push_back(std::move(card));
  }
  judged_ = std::move(cards);
}

/// The running tick's values over those of the last one, where there are samples enough to judge by.
bool LevelLook::overlay(LevelCards& cards) const {
  const std::int64_t now_s = system_clock().realtime_ns() / kSecondNs;
  bool any = false;
  for (std::size_t i = 0; i < views_.size() && i < cards.cards.size(); ++i) {
    const query::LiveSli running = query::live_sli(*rings_, views_[i]);
    if (std::isnan(running.value)) continue;
    LevelCard& card = cards.cards[i];
    card.value = running.value, card.newest_unix_s = now_s;
    const std::int64_t at = (now_s - card.t0_unix_s) / kStepS;
    if (at >= 0 && at < static_cast<std::int64_t>(card.values.size()))
      card.values[static_cast<std::size_t>(at)] = running.value;
    any = true;
  }
  return any;
}

std::shared_ptr<const LevelCards> LevelLook::look(bool anew) {
  const std::uint64_t stamp = query::file_stamp(query::metrics_path(home_));
  // The curve's time goes on though nothing is stored any more.
  const std::int64_t now_ns = system_clock().monotonic_ns();
  const bool stored = anew || !judged_ || stamp != stamp_ || (live_ && now_ns - judged_at_ns_ >= kTickNs);
  if (stored) stamp_ = stamp, judged_at_ns_ = now_ns, judge();
  if (!judged_) return nullptr;
  if (!live_) return stored ? judged_ : nullptr;
  if (!rings_) rings_.emplace(home_);
  rings_->look(system_clock().realtime_ns());
  auto cards = std::make_shared<LevelCards>(*judged_);
  if (overlay(*cards)) return cards;
  return stored ? judged_ : nullptr;
}

std::shared_ptr<const LevelDetail> LevelLook::look_at(const std::string& name, std::int64_t window_s) {
  auto detail = std::make_shared<LevelDetail>();
  detail->name = name, detail->window_s = window_s, detail->step_s = step_of(window_s);
  const auto view =
      std::find_if(views_.begin(), views_.end(), [&](const query::SliView& v) { return v.definition.name == name; });
  auto reader = open();
  if (view == views_.end() || !reader.ok()) return detail;
  const std::int64_t until = reader.value()->now_unix_ns() / kSecondNs;
  detail->t0_unix_s = (until - window_s) / detail->step_s * detail->step_s;
  const auto points = reader.value()->history(*view, {detail->t0_unix_s, until, detail->step_s});
  if (!points.ok()) return detail;
  const auto steps = static_cast<std::size_t>((until - detail->t0_unix_s) / detail->step_s + 1);
  detail->value.assign(steps, NAN);
  if (!view->definition.is_ratio()) {
    for (auto* curve : {&detail->p50, &detail->p95, &detail->p99}) curve->assign(steps, NAN);
    begin_heat(points.value(), steps, *detail);
  }
  for (const query::SliPoint& point : points.value()) {
    const auto at =
        static_cast<std::size_t>(std::max<std::int64_t>(0, point.time_unix_s - detail->t0_unix_s) / detail->step_s);
    if (at >= steps) continue;
    detail->value[at] = point.value;
    if (point.exemplar.present)
      detail->exemplars.push_back({point.exemplar.time_unix_ns, point.exemplar.value, hex(point.exemplar.trace_id)});
    if (view->definition.is_ratio()) continue;
    detail->p50[at] = quantile(point.sketch, 0.5), detail->p95[at] = quantile(point.sketch, 0.95);
    detail->p99[at] = quantile(point.sketch, 0.99);
    add_heat(point.sketch, at, *detail);
  }
  std::stable_sort(detail->exemplars.begin(), detail->exemplars.end(),
                   [](const auto& a, const auto& b) { return a.value > b.value; });
  if (detail->exemplars.size() > kExemplarsMax) detail->exemplars.resize(kExemplarsMax);
  return detail;
}

std::shared_ptr<const AlertTable> LevelLook::look_at_alerts() {
  auto table = std::make_shared<AlertTable>();
  auto reader = open();
  query::AlertFilter filter;
  filter.limit = kAlertsMax;
  auto list = reader.ok() ? reader.value()->alerts(filter) : query::Answer<query::AlertList>(reader.problem());
  if (!list.ok()) {
    table->problem = list.problem().what;
    return table;
  }
  table->total = list.value().total;
  for (query::AlertView& alert : list.value().alerts)
    table->rows.push_back({std::move(alert.event), alert.toast_ms.value_or(NAN), alert.alertmanager_ms.value_or(NAN),
                           std::move(alert.rule)});
  return table;
}

}  // namespace honeylink::telemetry::view
