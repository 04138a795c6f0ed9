// See metric_scan.h.
#include "store/metric_scan.h"

#include <algorithm>
#include <bit>
#include <set>

#include "store/metric_format.h"
#include "store/point_digest.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::size_t kLookUpMax = 16;

// A point of a committed tick in the form that segments have.
void put(const StoredPoint& from, SeriesPoints& to) {
  to.clear();
  to.sid = from.sid, to.kind = from.kind, to.points = 1;
  to.ticks.push_back(0);
  if (from.kind == MetricType::histogram) {
    to.sketches.push_back(from.sketch);
    to.live_scales.push_back(from.live_scale);
  } else {
    to.last.push_back(is_real(from.kind) ? std::bit_cast<std::uint64_t>(from.real) : from.integer);
  }
  if (from.exemplar.present) to.exemplars.push_back({0, from.exemplar});
}

}  // namespace

MetricScan::MetricScan(Connection& connection, std::vector<std::uint32_t> sids, const ScanRange& range)
    : connection_(connection), sids_(std::move(sids)), range_(range) {
  if (sqlite3_get_autocommit(connection_.get()) != 0) owns_transaction_ = connection_.execute("BEGIN") == SQLITE_OK;
  for (int tier = range_.tier_max; tier >= range_.tier_min && !failed_; --tier) failed_ = !find_segments(tier);
  std::sort(rows_.begin(), rows_.end(),
            [](const Row& a, const Row& b) { return a.window != b.window ? a.window < b.window : a.id < b.id; });
  if (range_.tier_min > 0 || failed_) return;
  ticks_ = connection_.prepare("SELECT tick, data FROM hot WHERE tick >= ?1 AND tick <= ?2 ORDER BY commit_no");
  ticks_.bind(1, range_.since_unix_s).bind(2, range_.until_unix_s);
  failed_ = !ticks_;
}

MetricScan::~MetricScan() {
  ticks_ = Statement();
  if (owns_transaction_) (void)connection_.execute("ROLLBACK");
}

bool MetricScan::find_segments(int tier) {
  const Tier& of = kTiers[static_cast<std::size_t>(tier)];
  const std::int64_t from =
      range_.since_unix_s < INT64_MIN + of.window_s() ? INT64_MIN : range_.since_unix_s - of.window_s();
  std::set<std::uint32_t> groups;
  for (const std::uint32_t sid : sids_) groups.insert(sid / kGroupSeries);
  if (groups.empty()) {
    Statement all = connection_.prepare("SELECT DISTINCT \"group\" FROM seg WHERE tier=?1");
    all.bind(1, tier);
    while (all && all.step() == SQLITE_ROW) groups.insert(static_cast<std::uint32_t>(all.integer(0)));
  }
  Statement rows = connection_.prepare(
      "SELECT t0, id FROM seg WHERE tier=?1 AND \"group\"=?2 AND t0 >= ?3 AND t0 <= ?4 AND t1 > ?5");
  for (const std::uint32_t group : groups) {
    rows.bind(1, tier).bind(2, group).bind(3, from).bind(4, range_.until_unix_s).bind(5, range_.since_unix_s);
    int code = SQLITE_MISUSE;
    while (rows && (code = rows.step()) == SQLITE_ROW)
      rows_.push_back({rows.integer(0) / of.window_s() * of.window_s(), rows.integer(1)});
    if (code != SQLITE_DONE) return false;
    rows.reset();
  }
  return true;
}

// Few series are looked up; for many it is less work to pass by the others.
bool MetricScan::next_point() {
  if (sids_.empty()) return blob_.next(point_);
  if (sids_.size() > kLookUpMax) {
    while (blob_.next(point_)) {
      if (std::binary_search(sids_.begin(), sids_.end(), point_.sid)) return true;
    }
    return false;
  }
  while (next_sid_ < sids_.size()) {
    if (blob_.find(sids_[next_sid_++], point_)) return true;
  }
  return false;
}

bool MetricScan::open_segment(std::int64_t id) {
  next_entry_ = 0;
  directory_.entries.clear();
  bytes_.resize(kSegmentHead);
  if (!segment_.open(connection_, "seg", "data", id) || !segment_.read(0, bytes_)) return false;
  const std::size_t needed = SegmentDirectory::bytes_needed(bytes_);
  if (needed < kSegmentHead) return false;
  bytes_.resize(needed);
  if (!segment_.read(0, bytes_)) return false;
  auto directory = SegmentDirectory::read(bytes_, segment_.size());
  if (directory) directory_ = std::move(*directory);
  return directory.has_value();
}

bool MetricScan::lies_in_one_step(const SegmentGrid& grid) const noexcept {
  const std::int64_t first = grid.t0_unix_s, last = grid.end_unix_s() - 1;
  if (range_.whole_s <= 0 || first < 0 || first < range_.since_unix_s || last > range_.until_unix_s) return false;
  return first / range_.whole_s == last / range_.whole_s;
}

bool MetricScan::read_whole(const SegmentEntry& entry) {
  bytes_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(entry.size, kDigestHeadBytes)));
  if (!segment_.read(entry.offset, bytes_)) return false;
  const std::size_t needed = digest_bytes(bytes_);
  if (needed > entry.size) return false;
  if (needed > bytes_.size()) {
    bytes_.resize(needed);
    if (!segment_.read(entry.offset, bytes_)) return false;
  }
  auto digest = read_digest(bytes_, directory_.grid.t0_unix_s);
  if (!digest) return false;
  points_.clear();
  points_.sid = entry.sid, points_.kind = entry.kind, points_.points = entry.points;
  points_.ticks.push_back(0);
  points_.sketches.push_back(std::move(digest->sketch));
  points_.live_scales.push_back(digest->live_scale);
  if (digest->exemplar.present) points_.exemplars.push_back({0, digest->exemplar});
  return true;
}

bool MetricScan::next_in_segment(MetricPart& part) {
  while (next_entry_ < (sids_.empty() ? directory_.entries.size() : sids_.size())) {
    const SegmentEntry* entry = sids_.empty() ? &directory_.entries[next_entry_] : directory_.find(sids_[next_entry_]);
    ++next_entry_;
    if (entry == nullptr) continue;
    part.points = &points_;
    part.grid = directory_.grid;
    if (entry->kind == MetricType::histogram && lies_in_one_step(directory_.grid) && read_whole(*entry)) {
      part.grid.step_s *= part.grid.ticks;
      part.grid.ticks = 1;
      return true;
    }
    bytes_.resize(static_cast<std::size_t>(entry->size));
    if (!segment_.read(entry->offset, bytes_) || !read_series(directory_.grid, *entry, bytes_, work_, points_)) {
      ++damaged_;
      continue;
    }
    return true;
  }
  return false;
}

bool MetricScan::next_in_tick(MetricPart& part) {
  for (;;) {
    while (in_blob_ && next_point()) {
      put(point_, points_);
      part.grid = {0, ticks_.integer(0), kTiers[0].step_s, 1};
      part.points = &points_;
      return true;
    }
    if (in_blob_ && blob_.damaged()) ++damaged_;
    in_blob_ = false;
    if (!ticks_) return false;
    const int code = ticks_.step();
    if (code != SQLITE_ROW) {
      failed_ = code != SQLITE_DONE;
      ticks_ = Statement();
      return false;
    }
    blob_ = MetricBlob(ticks_.blob(1));
    in_blob_ = blob_.sound() && is_tick(ticks_.integer(0));
    next_sid_ = 0;
    if (!in_blob_) ++damaged_;
  }
}

bool MetricScan::next(MetricPart& part) {
  while (!failed_) {
    if (next_in_segment(part)) return true;
    if (next_row_ == rows_.size()) return next_in_tick(part);
    if (!open_segment(rows_[next_row_++].id)) ++damaged_;
  }
  return false;
}

}  // namespace honeylink::telemetry::store
