// See live_levels.h.
#include "view/live_levels.h"

#include <cmath>

#include "query/database.h"
#include "query/json.h"
#include "query/paths.h"
#include "query/sli_text.h"
#include "view/live_events.h"

namespace honeylink::telemetry::view {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kJudgedAgainNs = 10 * kSecond;  // time goes on: a level whose points ended has no data
constexpr std::uint64_t kAlertsMax = 100;

bool is_same(double a, double b) noexcept { return a == b || (std::isnan(a) && std::isnan(b)); }

}  // namespace

void LiveLevels::note_alerts(const std::vector<query::AlertView>& alerts) {
  std::map<std::string, std::int64_t> known;
  std::vector<const query::AlertView*> news;
  for (const query::AlertView& alert : alerts) {
    const std::int64_t cleared = alert.event.cleared_at_unix_ns;
    const auto before = alerts_.find(alert.event.alert_id);
    if (before == alerts_.end() || before->second != cleared) news.push_back(&alert);
    known[alert.event.alert_id] = cleared;
  }
  alerts_ = std::move(known);
  if (!std::exchange(knows_alerts_, true) || news.empty()) return;
  query::JsonWriter json;
  json.begin_object().key("t").integer(now_unix_ns_ / 1'000'000).key("alerts").begin_array();
  for (const query::AlertView* alert : news) json.raw(query::alert_json(*alert));
  fired_ = event_frame("alerts", json.end_array().end_object().str());
}

/// Where it cannot be read, what was read before stays: an engine may be at work there.
void LiveLevels::judge(std::int64_t now_unix_ns) {
  auto reader = query::SliReader::open(home_, now_unix_ns);
  if (!reader.ok()) return;
  if (is_file_) reader.value()->measure_ages_by_the_newest();
  auto views = reader.value()->slis(false);
  query::AlertFilter filter;
  filter.limit = kAlertsMax;
  const auto alerts = reader.value()->alerts(filter);
  if (!views.ok() || !alerts.ok()) return;
  note_alerts(alerts.value().alerts);
  std::map<std::string, Told> told;
  for (std::size_t i = 0; i < views_.size(); ++i) told[views_[i].definition.name] = std::move(told_[i]);
  views_ = std::move(views.value());
  told_.clear();
  for (const query::SliView& view : views_) told_.push_back(std::move(told[view.definition.name]));
}

void LiveLevels::look(const query::LiveReader& rings, std::int64_t now_unix_ns) {
  now_unix_ns_ = now_unix_ns;
  fired_.clear();
  const std::uint64_t stamp = query::file_stamp(query::metrics_path(home_));
  if (stamp != stamp_ || judged_at_unix_ns_ == 0 || now_unix_ns - judged_at_unix_ns_ >= kJudgedAgainNs) {
    stamp_ = stamp, judged_at_unix_ns_ = now_unix_ns;
    judge(now_unix_ns);
  }
  std::vector<std::size_t> others;
  for (std::size_t i = 0; i < views_.size(); ++i) {
    const query::LiveSli live = query::live_sli(rings, views_[i]);
    Told now{std::string(views_[i].state()), live.value, live.count, views_[i].consecutive};
    Told& before = told_[i];
    if (now.state == before.state && is_same(now.value, before.value) && now.count == before.count &&
        now.consecutive == before.consecutive)
      continue;
    before = std::move(now);
    others.push_back(i);
  }
  changed_ = slis_frame(others) + fired_;
}

std::string LiveLevels::slis_frame(const std::vector<std::size_t>& which) const {
  if (which.empty()) return {};
  query::JsonWriter json;
  json.begin_object().key("t").integer(now_unix_ns_ / 1'000'000).key("slis").begin_array();
  for (const std::size_t i : which) {
    json.begin_object().key("sli_name").text(views_[i].definition.name);
    json.key("value").real(told_[i].value);  // null where there is no number
    json.key("state").text(told_[i].state).key("consecutive").count(told_[i].consecutive);
    json.key("count").real(told_[i].count).end_object();
  }
  return event_frame("slis", json.end_array().end_object().str());
}

std::string LiveLevels::all() const {
  std::vector<std::size_t> every;
  for (std::size_t i = 0; i < views_.size(); ++i) every.push_back(i);
  return slis_frame(every);
}

}  // namespace honeylink::telemetry::view
