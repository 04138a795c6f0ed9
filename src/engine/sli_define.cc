// SliWatch: definitions out of the configuration, series that feed them, and what an earlier engine left.
#include <algorithm>
#include <array>

#include "config/config.h"
#include "engine/core.h"
#include "engine/sli_history.h"
#include "engine/sli_row.h"
#include "engine/sli_watch.h"
#include "sli/state_text.h"

namespace honeylink::telemetry::engine {
namespace {

std::string text_of(const std::vector<sli::Flaw>& flaws) {
  std::string text;
  for (const sli::Flaw& flaw : flaws) {
    text += (text.empty() ? "" : "; ") + flaw.key + ": " + flaw.what;
    if (!flaw.suggestion.empty()) text += " (" + flaw.suggestion + ")";
  }
  return text;
}

MetricType kind_from(std::string_view stored) noexcept {
  constexpr std::array<std::string_view, 5> kNames{"counter", "counter_real", "up_down", "gauge", "histogram"};
  return static_cast<MetricType>(std::find(kNames.begin(), kNames.end(), stored) - kNames.begin());
}

bool same_source(const sli::Definition& a, const sli::Definition& b) {
  return a.of == b.of && a.ratio == b.ratio && a.unit == b.unit && (a.is_ratio() || a.quantile == b.quantile);
}

}  // namespace

std::vector<sli::Definition> SliWatch::definitions(const Core& core) {
  std::vector<sli::Definition> sound;
  for (const config::SliConfig& configured : core.config.slis) {
    sli::Definition definition = sli::define(configured);
    if (sli::flaws_of(definition).empty()) sound.push_back(std::move(definition));  // the parser has said why not
  }
  return sound;
}

void SliWatch::define(Core& core) {
  std::vector<sli::Definition> wanted = definitions(core);
  const bool same = std::equal(wanted.begin(), wanted.end(), entries_.begin(), entries_.end(),
                               [](const sli::Definition& d, const Entry& e) { return d == e.tracker.definition(); });
  if (same) return;
  const sli::Moment now = moment_now(*core.clock);
  std::deque<Entry> next;
  std::vector<std::size_t> fresh;
  for (sli::Definition& definition : wanted) {
    Entry* known = find(definition.name);
    const bool keeps = known != nullptr && same_source(known->tracker.definition(), definition);
    if (keeps && known->tracker.definition().objective == definition.objective) {
      next.push_back(std::move(*known));
    } else {
      if (!keeps || known == nullptr) {
        next.emplace_back(definition);
      } else {
        next.push_back(std::move(*known));
        next.back().tracker.budget() = sli::Budget();
      }
      fresh.push_back(next.size() - 1);
    }
    Entry& entry = next.back();
    if (!keeps) entry.tracker.restore({now, {}}, {}, {});
    entry.tracker.redefine(std::move(definition));
    entry.written = false;
  }
  for (Entry& entry : entries_) {
    const std::string name = entry.tracker.definition().name;
    if (name.empty()) continue;  // it was moved
    const auto still =
        std::find_if(next.begin(), next.end(), [&](const Entry& e) { return e.tracker.definition().name == name; });
    for (AlertEvent& event : entry.tracker.give_up(now.unix_ns)) orphans_.push_back(std::move(event));
    if (still == next.end()) gone_.push_back(name);
  }
  entries_ = std::move(next);
  connect(core);
  fill_budgets(core, fresh);
}

// Which series feed what: those that are known now, and others as rings bring them.
void SliWatch::connect(Core& core) {
  const SliFeeds before = std::move(feeds_);
  feeds_.clear();
  core.metrics->each_series([&](const store::MetricStore::SeriesName& series) {
    const auto known = before.find(series.sid);
    assign(core, series.sid, {series.name, series.unit, kind_from(series.kind)},
           known == before.end() ? std::string() : known->second.environment);
  });
  for (auto& [serial, ring] : core.rings) ring->series_ids.clear();  // they tell their environments again
}

void SliWatch::learn(Core& core, std::uint32_t sid, const SeriesInfo& info) {
  assign(core, sid, {info.name, info.unit, info.kind}, info.environment);
}

void SliWatch::assign(Core& core, std::uint32_t sid, const sli::KnownMetric& metric, const std::string& environment) {
  SliFeed feed{{}, std::string(metric.unit), environment};
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const sli::Definition& d = entries_[i].tracker.definition();
    const bool numerator = d.is_ratio() && metric.name == d.ratio[0];
    if (!numerator && metric.name != (d.is_ratio() ? d.ratio[1] : d.of)) continue;
    auto flaws = sli::flaws_among(d, {&metric, 1});
    std::erase_if(flaws, [](const sli::Flaw& flaw) { return !flaw.unknown.empty(); });
    if (flaws.empty()) {
      feed.roles.push_back({i, !d.is_ratio() ? SliPart::observations
                               : numerator   ? SliPart::numerator
                                             : SliPart::denominator});
      continue;
    }
    std::string& said = said_[d.name + '\n' + std::string(metric.name)];
    if (const std::string text = text_of(flaws); said != text)
      core.own_log->say(OwnLog::kWarn, "sli.impossible", {{"sli", d.name}}, said = text);
  }
  if (!feed.roles.empty()) feeds_[sid] = std::move(feed);
}

void SliWatch::fill_budgets(Core& core, const std::vector<std::size_t>& of) {
  if (of.empty()) return;
  SliSources sources{&feeds_, std::vector<sli::Tracker*>(entries_.size(), nullptr)};
  for (const std::size_t i : of) sources.trackers[i] = &entries_[i].tracker;
  if (!read_budgets(core.metrics->path(), sources))
    core.own_log->say(OwnLog::kWarn, "sli.history", {}, "error budgets begin with what could be read of their history");
}

void SliWatch::begin(Core& core) {
  store::SavedSlis saved = core.metrics->saved_slis();
  for (sli::Definition& definition : definitions(core)) entries_.emplace_back(std::move(definition));
  connect(core);
  const std::uint64_t evaluated = saved.evaluated_commit;
  const std::vector<AlertEvent> fired = saved.untold_fired, firing = saved.firing;
  std::vector<AlertEvent> news = saved.untold_cleared;
  // What has cleared since is over.
  std::copy_if(fired.begin(), fired.end(), std::back_inserter(news),
               [](const AlertEvent& event) { return event.cleared_at_unix_ns == 0; });
  restore(core, std::move(saved));
  std::vector<std::size_t> all(entries_.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  fill_budgets(core, all);
  if (evaluated != 0) {
    SliSources sources{&feeds_, {}};
    std::vector<sli::TickData*> open;
    for (Entry& entry : entries_) sources.trackers.push_back(&entry.tracker), open.push_back(&entry.open);
    open_end_unix_ns_ = read_open(core.metrics->path(), sources, evaluated, open);
    open_any_ = open_end_unix_ns_ != 0;
  }
  untold_ = !news.empty();
  std::vector<AlertEvent> known = firing;
  std::erase_if(known, [&](const AlertEvent& event) {
    return std::any_of(fired.begin(), fired.end(), [&](const AlertEvent& f) { return f.alert_id == event.alert_id; });
  });
  if (core.alerts.restore && !known.empty()) core.alerts.restore(known);
  tell(core, news, true);
}

void SliWatch::restore(Core& core, store::SavedSlis saved) {
  const sli::Moment now = moment_now(*core.clock);
  for (AlertEvent& event : saved.firing) {
    if (find(event.sli_name) == nullptr) orphans_.push_back(event);
  }
  for (Entry& entry : entries_) {
    const std::string& name = entry.tracker.definition().name;
    std::vector<AlertEvent> firing;
    std::copy_if(saved.firing.begin(), saved.firing.end(), std::back_inserter(firing),
                 [&](const AlertEvent& event) { return event.sli_name == name; });
    for (AlertEvent& event : firing) event.unit = entry.tracker.definition().unit;
    sli::State state{now, {}};
    sli::Reading reading;
    const auto row =
        std::find_if(saved.rows.begin(), saved.rows.end(), [&](const store::SliRow& r) { return r.name == name; });
    if (row != saved.rows.end()) {
      state = sli::state_from(row->tracker).value_or(state);
      reading = reading_of(*row);
    }
    if (elapsed_ns(last_, state.at) > 0 || last_ == sli::Moment{}) last_ = state.at;
    entry.tracker.restore(std::move(state), std::move(reading), std::move(firing));
  }
  for (const store::SliRow& row : saved.rows)
    if (find(row.name) == nullptr) gone_.push_back(row.name);
  if (last_ == sli::Moment{}) last_ = now;
}

}  // namespace honeylink::telemetry::engine
