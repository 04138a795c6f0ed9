// See sli_history.h.
#include "engine/sli_history.h"

#include <algorithm>
#include <bit>

#include "base/clock.h"
#include "base/limits.h"
#include "base/sketch.h"
#include "store/metric_codec.h"
#include "store/metric_scan.h"

namespace honeylink::telemetry::engine {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kFineS = 6 * 3'600, kAllS = 30 * 86'400;
constexpr std::int64_t kWholeS = 86'400;  // older than six hours a histogram's segment comes as one: 4 h, or a day
constexpr std::int64_t kSpreadS = 600;    // and counts as if evenly spread over it
constexpr std::int64_t kReadNsMax = kSecondNs;  // rings wait meanwhile, and a takeover must be over in two
constexpr int kBusyTimeoutMs = 50;

double number_of(MetricType kind, std::uint64_t integer, double real) noexcept {
  return kind == MetricType::counter ? static_cast<double>(integer) : real;
}

// What the i-th tick of a part adds to a role.
sli::Share share_of(const sli::Definition& definition, SliPart role, const store::MetricPart& part, std::size_t i) {
  const store::SeriesPoints& from = *part.points;
  if (role == SliPart::observations) return sli::share_of(definition, from.sketches[i]);
  const std::uint64_t bits = from.sum.empty() ? from.last[i] : from.sum[i];
  const double number = number_of(from.kind, bits, std::bit_cast<double>(bits));
  return role == SliPart::numerator ? sli::Share{number, 0} : sli::Share{0, number};
}

void load(sli::Tracker& tracker, const sli::Share& share, std::int64_t t0_s, std::int64_t length_s) {
  const std::int64_t now_ns = tracker.state().at.unix_ns;
  const std::int64_t pieces = std::max<std::int64_t>(1, length_s / kSpreadS);
  const auto n = static_cast<double>(pieces);
  for (std::int64_t i = 0; i < pieces; ++i)
    tracker.budget().load(now_ns - (t0_s + i * kSpreadS) * kSecondNs, {share.bad / n, share.total / n});
}

void load_part(const SliSources& sources, const store::MetricPart& part, const store::ScanRange& range) {
  const auto feed = sources.feeds->find(part.points->sid);
  if (feed == sources.feeds->end()) return;
  for (std::size_t i = 0; i < part.points->ticks.size(); ++i) {
    const std::int64_t time = part.time_unix_s(i);
    if (time < range.since_unix_s || time > range.until_unix_s) continue;
    for (const SliRole& role : feed->second.roles) {
      sli::Tracker* tracker = sources.trackers[role.sli];
      if (tracker == nullptr || tracker->definition().allowed_share() <= 0) continue;
      load(*tracker, share_of(tracker->definition(), role.part, part, i), time, part.grid.step_s);
    }
  }
}

std::vector<std::uint32_t> series_of(const SliSources& sources) {
  std::vector<std::uint32_t> sids;
  for (const auto& [sid, feed] : *sources.feeds) {
    if (std::any_of(feed.roles.begin(), feed.roles.end(),
                    [&](const SliRole& role) { return sources.trackers[role.sli] != nullptr; }))
      sids.push_back(sid);
  }
  std::sort(sids.begin(), sids.end());
  return sids;
}

}  // namespace

bool read_budgets(const std::string& path, const SliSources& sources) {
  const std::vector<std::uint32_t> sids = series_of(sources);
  if (sids.empty()) return true;
  store::Connection connection;
  if (connection.open(path, store::Access::read_only, kBusyTimeoutMs) != SQLITE_OK) return false;
  std::int64_t newest_s = INT64_MIN;
  for (const sli::Tracker* tracker : sources.trackers)
    if (tracker != nullptr) newest_s = std::max(newest_s, tracker->state().at.unix_ns / kSecondNs);
  const std::int64_t until_ns = system_clock().monotonic_ns() + kReadNsMax;
  for (const bool fine : {true, false}) {
    store::ScanRange range;
    range.since_unix_s = fine ? newest_s - kFineS : newest_s - kAllS;
    range.until_unix_s = fine ? INT64_MAX : newest_s - kFineS - 1;
    range.whole_s = fine ? 0 : kWholeS;
    store::MetricScan scan(connection, sids, range);
    for (store::MetricPart part; scan.next(part);) {
      load_part(sources, part, range);
      if (system_clock().monotonic_ns() > until_ns) return false;
    }
    if (scan.failed()) return false;
  }
  return true;
}

std::int64_t read_open(const std::string& path, const SliSources& sources, std::uint64_t evaluated_commit,
                       const std::vector<sli::TickData*>& open) {
  store::Connection connection;
  if (connection.open(path, store::Access::read_only, kBusyTimeoutMs) != SQLITE_OK) return 0;
  store::Statement rows = connection.prepare(
      "SELECT data, tick FROM hot WHERE commit_no > ?1 AND tick = (SELECT tick FROM hot ORDER BY commit_no DESC LIMIT "
      "1) "
      "ORDER BY commit_no");
  if (!rows) return 0;
  rows.bind(1, evaluated_commit);
  std::int64_t end_ns = 0;
  while (rows.step() == SQLITE_ROW) {
    store::MetricBlob blob(rows.blob(0));
    for (store::StoredPoint point; blob.next(point);) {
      const auto feed = sources.feeds->find(point.sid);
      if (feed == sources.feeds->end()) continue;
      end_ns = rows.integer(1) * kSecondNs + kTickNs;
      for (const SliRole& role : feed->second.roles) {
        const double number = number_of(point.kind, point.integer, point.real);
        add_part(*open[role.sli], role.part, point.sketch, number, point.exemplar, feed->second);
        const sli::Definition& definition = sources.trackers[role.sli]->definition();
        if (definition.allowed_share() <= 0) continue;
        open[role.sli]->counted += role.part == SliPart::observations ? sli::share_of(definition, point.sketch)
                                   : role.part == SliPart::numerator  ? sli::Share{number, 0}
                                                                      : sli::Share{0, number};
      }
    }
  }
  return end_ns;
}

void add_part(sli::TickData& to, SliPart part, const Sketch& sketch, double number, const ExemplarInfo& exemplar,
              const SliFeed& feed) {
  switch (part) {
    case SliPart::observations:
      merge(to.sketch, sketch);
      to.add_exemplar(exemplar);
      to.add_environment(feed.environment, static_cast<double>(sketch.count));
      if (to.unit.empty()) to.unit = feed.unit;
      break;
    case SliPart::numerator:
      to.numerator += number;
      to.add_exemplar(exemplar);
      break;
    case SliPart::denominator:
      to.denominator += number;
      to.add_environment(feed.environment, number);
      break;
  }
}

}  // namespace honeylink::telemetry::engine
