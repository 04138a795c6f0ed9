// See stored_points.h.
#include "export/stored_points.h"

#include <algorithm>

namespace honeylink::telemetry::exporting {
namespace {

constexpr int kBusyTimeoutMs = 200;
constexpr std::uint64_t kWindowTicks = 1440;  // as a segment of the store has them
constexpr std::size_t kGroupSeries = 64;      // as the store packs them together

store::ScanRange scan_range(Range ticks) {
  return {static_cast<std::int64_t>(ticks.first) * kTickSeconds,
          static_cast<std::int64_t>(ticks.last) * kTickSeconds - 1, 0, 2, 0};
}

bool holds(Range ticks, std::int64_t moment) {
  return moment >= static_cast<std::int64_t>(ticks.first) * kTickSeconds &&
         moment < static_cast<std::int64_t>(ticks.last) * kTickSeconds;
}

}  // namespace

StoredPoints::StoredPoints(std::string database, std::int64_t start_unix_ns)
    : path_(std::move(database)), start_unix_ns_(start_unix_ns) {}

bool StoredPoints::open() {
  if (connection_) return true;
  if (connection_.open(path_, store::Access::read_only, kBusyTimeoutMs) != SQLITE_OK) return false;
  names_.emplace(connection_);
  return true;
}

const SeriesInfo* StoredPoints::series(std::uint32_t sid) { return open() ? names_->find(sid) : nullptr; }

bool StoredPoints::add(Range ticks, MetricTotals& totals) {
  if (ticks.first >= ticks.last) return true;
  if (!open()) return false;
  store::MetricScan scan(connection_, {}, scan_range(ticks));
  for (store::MetricPart part; scan.next(part);)
    for (std::size_t i = 0; i < part.points->ticks.size(); ++i)
      if (holds(ticks, moment_of(part, i))) totals.add(part, i);
  return !scan.failed();
}

bool StoredPoints::begin_window(Range gap, const MetricTotals& totals) {
  window_ = {gap.first, std::min(gap.last, (gap.first / kWindowTicks + 1) * kWindowTicks)};
  before_window_ = totals;
  sids_ = names_->all();
  next_sid_ = 0;
  whole_ = false;
  return true;
}

void StoredPoints::restart(MetricTotals& totals) {
  if (window_.first == window_.last) return;
  totals = before_window_;
  window_ = {};
  ready_.clear();
}

bool StoredPoints::acknowledge(Range window) {
  if (!whole_ || window_.first != window.first || window_.last != window.last) return false;
  window_ = {};
  return true;
}

bool StoredPoints::read_group(std::size_t bytes_max, MetricTotals& totals) {
  const std::size_t n = std::min(kGroupSeries, sids_.size() - next_sid_);
  const auto first = sids_.begin() + static_cast<std::ptrdiff_t>(next_sid_);
  store::MetricScan scan(connection_, {first, first + static_cast<std::ptrdiff_t>(n)}, scan_range(window_));
  MetricRequest request;
  Batch batch;
  std::deque<Total> held;  // the request points into them
  const auto finish = [&] {
    if (request.points() == 0) return;
    batch.items = request.points();
    batch.range = {window_.first, window_.first};
    batch.request = request.finish();
    ready_.push_back(std::move(batch));
    batch = {};
    held.clear();
  };
  for (store::MetricPart part; scan.next(part);) {
    const SeriesInfo* series = names_->find(part.points->sid);
    for (std::size_t i = 0; i < part.points->ticks.size() && series != nullptr; ++i) {
      const std::int64_t moment = moment_of(part, i);
      if (!holds(window_, moment)) continue;
      request.add(point_of(*series, held.emplace_back(totals.add(part, i)), start_unix_ns_, moment * 1'000'000'000));
      if (request.bytes() >= bytes_max) finish();
    }
  }
  finish();
  next_sid_ += n;
  return !scan.failed();
}

std::optional<Batch> StoredPoints::next(Range gap, std::size_t bytes_max, MetricTotals& totals) {
  if (!open()) return std::nullopt;
  if (whole_ || window_.first == window_.last || window_.first != gap.first) {
    restart(totals);
    if (!begin_window(gap, totals)) return std::nullopt;
  }
  while (ready_.empty() && next_sid_ < sids_.size()) {
    if (!read_group(bytes_max, totals)) {
      restart(totals);
      connection_.close(), names_.reset();
      return std::nullopt;
    }
  }
  Batch batch;
  batch.range = {window_.first, window_.first};
  if (!ready_.empty()) {
    batch = std::move(ready_.front());
    ready_.pop_front();
  }
  if (ready_.empty() && next_sid_ >= sids_.size()) batch.range = window_, whole_ = true;
  return batch;
}

}  // namespace honeylink::telemetry::exporting
