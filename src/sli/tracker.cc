// See tracker.h.
#include "sli/tracker.h"

#include <algorithm>

#include "base/text.h"
#include "sli/alert_id.h"

namespace honeylink::telemetry::sli {
namespace {

std::size_t index(Track track) noexcept { return static_cast<std::size_t>(track); }

std::optional<double> burn_rate(const Share& share, double allowed) noexcept {
  if (!(share.total > 0) || !(allowed > 0)) return std::nullopt;
  return share.bad / share.total / allowed;
}

bool both_over(const std::optional<double>& a, const std::optional<double>& b, double limit) noexcept {
  return a && b && *a > limit && *b > limit;
}

}  // namespace

LadderRule Tracker::rule() const noexcept {
  const auto required = static_cast<std::uint32_t>(definition_.consecutive_breaches_required);
  return {{required, required, 1}, definition_.evaluation_window_s * 1'000'000'000};
}

Level Tracker::level() const noexcept {
  Level level = Level::ok;
  for (const Ladder& ladder : state_.ladders) level = std::max(level, ladder.level());
  return level;
}

void Tracker::restore(State state, Reading reading, std::vector<AlertEvent> firing) {
  state_ = std::move(state);
  reading_ = std::move(reading);
  firing_ = {};
  for (AlertEvent& event : firing) {
    const Track track = event.threshold_type == kBurnRate ? Track::burn : Track::threshold;
    Ladder& ladder = state_.ladders[index(track)];
    if (event.severity != Level::ok && ladder.level() == Level::ok) ladder.rung(event.severity).held = true;
    auto& place = firing_[index(track)];
    if (!place || place->timestamp_unix_ns < event.timestamp_unix_ns) place = std::move(event);
  }
  for (std::size_t t = 0; t < kTracks; ++t) {  // a level that nobody was told of was not reached
    if (!firing_[t])
      for (Rung& rung : state_.ladders[t].rungs) rung.held = false, rung.clears = 0;
  }
}

void Tracker::change(Track track, Outcome& outcome, double value, double threshold, const TickData& data,
                     const Moment& now, const std::string& environment) const {
  const Level before = state_.ladders[index(track)].level(), after = outcome.state.ladders[index(track)].level();
  if (before == after) return;
  const auto& firing = firing_[index(track)];
  if (firing) {
    outcome.cleared.push_back(*firing);
    outcome.cleared.back().cleared_at_unix_ns = now.unix_ns;
  }
  if (after == Level::ok) return;
  AlertEvent event;
  event.alert_id = new_alert_id(now.unix_ns);
  event.severity = after;
  event.sli_name = definition_.name, event.module = definition_.module;
  event.environment = !data.environment.empty() ? data.environment : firing ? firing->environment : environment;
  event.unit = track == Track::burn ? "1" : outcome.reading.unit;
  event.current_value = value, event.threshold = threshold;
  event.threshold_type = track == Track::burn ? kBurnRate : kUpper;
  event.timestamp_unix_ns = now.unix_ns;
  event.trace_id = data.exemplar.present ? hex(data.exemplar.trace_id) : outcome.reading.trace_id;
  outcome.fired.push_back(std::move(event));
}

void Tracker::judge_burn(Outcome& outcome, bool any) const {
  const double allowed = definition_.allowed_share();
  const auto over = [&](Window window) { return budget_.over(window, outcome.elapsed_ns, outcome.added); };
  const Share month = over(Window::d30);
  outcome.reading.budget_left.reset();
  if (allowed > 0 && month.total > 0) outcome.reading.budget_left = 1 - month.bad / (allowed * month.total);
  auto& burn = outcome.reading.burn;
  for (std::size_t w = 0; w < burn.size(); ++w) burn[w] = burn_rate(over(static_cast<Window>(w)), allowed);
  Ladder& ladder = outcome.state.ladders[index(Track::burn)];
  if (!definition_.burn_alerts) {
    ladder = {};
  } else if (any) {
    climb(ladder, {{1, 1, 1}, rule().window_ns},
          {false, both_over(burn[3], burn[1], kBurnOrange), both_over(burn[2], burn[0], kBurnRed)});
  }
}

Outcome Tracker::evaluate(const TickData& data, const Moment& now, const std::string& environment) const {
  Outcome outcome;
  outcome.state = state_;
  outcome.reading = reading_;
  outcome.elapsed_ns = state_.at == Moment{} ? 0 : elapsed_ns(state_.at, now);
  outcome.state.at = now;
  for (Ladder& ladder : outcome.state.ladders) age(ladder, outcome.elapsed_ns);
  const Measured m = measure(definition_, data);
  outcome.added = {m.share.bad - data.counted.bad, m.share.total - data.counted.total};
  Reading& reading = outcome.reading;
  reading.enough = m.enough;
  reading.unit = definition_.unit != "1" || data.unit.empty() ? definition_.unit : data.unit;
  if (data.any()) reading.newest_point_unix_ns = now.unix_ns, reading.samples = m.samples;
  if (m.enough) {
    reading.value = m.value;
    if (data.exemplar.present) reading.trace_id = hex(data.exemplar.trace_id);
    climb(outcome.state.ladders[0], rule(),
          {m.value > definition_.yellow, m.value > definition_.orange, m.value > definition_.red});
  }
  reading.consecutive = consecutive_breaches(outcome.state.ladders[0], rule());
  judge_burn(outcome, data.any());
  const Level level = outcome.state.ladders[0].level(), burning = outcome.state.ladders[1].level();
  change(Track::threshold, outcome, m.value, definition_.threshold(level), data, now, environment);
  const bool red = burning == Level::red;
  change(Track::burn, outcome, reading.burn[red ? 2 : 3].value_or(0), red ? kBurnRed : kBurnOrange, data, now,
         environment);
  outcome.level = std::max(level, burning);
  return outcome;
}

void Tracker::settle(Outcome outcome) {
  state_ = std::move(outcome.state);
  reading_ = std::move(outcome.reading);
  budget_.add(outcome.elapsed_ns, outcome.added);
  for (const AlertEvent& event : outcome.cleared) firing_[event.threshold_type == kBurnRate ? 1 : 0].reset();
  for (AlertEvent& event : outcome.fired) {
    auto& place = firing_[event.threshold_type == kBurnRate ? 1 : 0];
    place = std::move(event);
  }
}

std::vector<AlertEvent> Tracker::give_up(std::int64_t unix_ns) const {
  std::vector<AlertEvent> cleared;
  for (const auto& firing : firing_) {
    if (!firing) continue;
    cleared.push_back(*firing);
    cleared.back().cleared_at_unix_ns = unix_ns;
  }
  return cleared;
}

}  // namespace honeylink::telemetry::sli
