// See sli_watch.h: the tick. Definitions and what is restored are in sli_define.cc.
#include "engine/sli_watch.h"

#include <algorithm>

#include "base/limits.h"
#include "engine/alert_told.h"
#include "engine/core.h"
#include "engine/sli_history.h"
#include "engine/sli_row.h"

namespace honeylink::telemetry::engine {
namespace {

double number_of(const SeriesGain& gain) noexcept {
  return gain.kind == MetricType::counter ? static_cast<double>(gain.integer) : gain.real;
}

void append(std::vector<AlertEvent>& to, const std::vector<AlertEvent>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

}  // namespace

void SliWatch::gather(const Gains& gains) {
  for (const auto& [sid, feed] : feeds_) {
    const auto gain = gains.find(sid);
    if (gain == gains.end() || !gain->second.changed) continue;
    for (const SliRole& role : feed.roles)
      add_part(entries_[role.sli].gained, role.part, gain->second.sketch, number_of(gain->second),
               gain->second.exemplar, feed);
  }
}

void SliWatch::evaluate(Core& core, Entry& entry, const sli::Moment& now, bool stale) {
  const std::string& environment = core.config.telemetry.environment;
  const sli::Tracker& tracker = entry.tracker;
  bool any = entry.gained.any() || entry.open.any();
  if (stale && entry.open.any()) {  // a tick of its own, and this one after it
    entry.outcomes.push_back(tracker.evaluate(entry.open, {open_end_unix_ns_, 0, 0}, environment));
    sli::Tracker after = tracker;
    after.settle(entry.outcomes[0]);
    entry.outcomes.push_back(after.evaluate(entry.gained, now, environment));
  } else {
    sli::TickData all = entry.open;
    all.merge(entry.gained);
    entry.outcomes.push_back(tracker.evaluate(all, now, environment));
  }
  for (const sli::Outcome& outcome : entry.outcomes) {
    append(tick_.cleared, outcome.cleared), append(news_, outcome.cleared);
    append(tick_.fired, outcome.fired), append(news_, outcome.fired);
    any = any || !outcome.cleared.empty();
  }
  const bool silent = tracker.reading().enough && !entry.outcomes.back().reading.enough;
  worth_ = worth_ || any || silent;
  if (any || silent || !entry.written) tick_.rows.push_back(row_of(tracker.definition(), entry.outcomes.back()));
}

bool SliWatch::due(const Core& core) const { return sli::evaluation_due(last_, moment_now(*core.clock)); }

const store::SliTick& SliWatch::judge(Core& core, const Gains& gains) {
  tick_ = {};
  news_.clear();
  worth_ = false;
  for (Entry& entry : entries_) entry.gained = {}, entry.outcomes.clear();
  gather(gains);
  now_ = moment_now(*core.clock);
  tick_.evaluated = sli::evaluation_due(last_, now_);
  if (tick_.evaluated) {
    const bool stale = open_any_ && open_end_unix_ns_ < sli::tick_begin_ns(now_.unix_ns);
    for (Entry& entry : entries_) evaluate(core, entry, now_, stale);
    tick_.deliveries = deliveries_;
    worth_ = worth_ || untold_ || !deliveries_.empty();
  }
  for (AlertEvent orphan : orphans_) {
    orphan.cleared_at_unix_ns = now_.unix_ns;
    tick_.cleared.push_back(orphan);
    news_.push_back(std::move(orphan));
  }
  tick_.gone = gone_;
  worth_ = worth_ || !orphans_.empty() || !gone_.empty();
  return tick_;
}

SliWatch::Triggered SliWatch::triggered() const {
  Triggered all = triggered_;
  for (const AlertEvent& event : tick_.fired) ++all[{std::string(sli::level_name(event.severity)), event.sli_name}];
  return all;
}

void SliWatch::settle(Core& core) {
  triggered_ = triggered();
  if (tick_.evaluated) {
    for (Entry& entry : entries_) {
      entry.open = {};
      for (sli::Outcome& outcome : entry.outcomes) entry.tracker.settle(std::move(outcome));
    }
    for (const store::SliRow& row : tick_.rows) find(row.name)->written = true;
    last_ = now_;
    open_any_ = false;
    deliveries_.erase(deliveries_.begin(), deliveries_.begin() + static_cast<std::ptrdiff_t>(tick_.deliveries.size()));
  } else {
    for (Entry& entry : entries_) {
      if (!entry.gained.any()) continue;
      entry.open.merge(entry.gained);
      open_any_ = true;
    }
    open_end_unix_ns_ = sli::tick_begin_ns(now_.unix_ns) + kTickNs;
  }
  orphans_.clear(), gone_.clear();
  untold_ = !tick_.fired.empty() || !tick_.cleared.empty();
  tell(core, std::exchange(news_, {}), false);
  tick_ = {};
  worth_ = false;
}

void SliWatch::tell(Core& core, const std::vector<AlertEvent>& news, bool again) {
  for (const AlertEvent& event : news)
    event.cleared_at_unix_ns != 0 ? tell_cleared(core, event, again) : tell_fired(core, event, again);
}

SliWatch::Entry* SliWatch::find(const std::string& name) {
  const auto at = std::find_if(entries_.begin(), entries_.end(),
                               [&](const Entry& entry) { return entry.tracker.definition().name == name; });
  return at == entries_.end() ? nullptr : &*at;
}

}  // namespace honeylink::telemetry::engine
