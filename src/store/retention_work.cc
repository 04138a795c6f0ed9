// See retention.h: rows of `hot` into segments, segments into coarser ones.
#include <algorithm>
#include <set>

#include "base/killpoint.h"
#include "store/retention.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::uint64_t kRowsPerSlice = 16, kPointsPerSlice = 16'000;  // a millisecond or two
constexpr std::size_t kSeriesPerSlice = 8;

std::span<const std::uint8_t> part(const Bytes& blob, const SegmentEntry& entry) {
  return std::span(blob).subspan(static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.size));
}

}  // namespace

CommitResult Retention::write(const SegmentGrid& grid, std::uint32_t group, std::uint64_t points, const Bytes& blob) {
  StatementCache::Use insert =
      statements_.use("INSERT INTO seg(tier, \"group\", t0, t1, n, data) VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
  insert->bind(1, grid.tier).bind(2, group).bind(3, grid.t0_unix_s).bind(4, grid.end_unix_s()).bind(5, points);
  return insert->bind(6, std::span<const std::uint8_t>(blob)).run() == SQLITE_OK ? CommitResult::ok
                                                                                 : CommitResult::failed;
}

Retention::Slice Retention::go_on_packing() {
  Packing& packing = *packing_;
  if (!packing.read) {
    StatementCache::Use rows = statements_.use(
        "SELECT commit_no, tick, n, data FROM hot WHERE commit_no >= ?1 AND commit_no <= ?2 ORDER BY commit_no LIMIT "
        "?3");
    rows->bind(1, packing.next_row).bind(2, packing.last_row).bind(3, kRowsPerSlice);
    std::uint64_t read = 0;
    int code = SQLITE_MISUSE;
    std::uint64_t points = 0;
    while (points < kPointsPerSlice && (code = rows->step()) == SQLITE_ROW) {
      packing.gather.add(rows->integer(1), rows->number(2), rows->blob(3));
      packing.next_row = rows->integer(0) + 1;
      points += rows->number(2);
      ++read;
    }
    const bool cut = code == SQLITE_ROW;
    rows->reset();
    packing.rows += read;
    if (code != SQLITE_DONE && !cut) {
      packing_.reset();
      return {database_.fail(), true, false};
    }
    packing.read = !cut && read < kRowsPerSlice;
    return {CommitResult::ok, true, false};
  }
  if (!packing.gather.empty()) {
    packing.done.push_back(packing.gather.pack_next(work_));
    return {CommitResult::ok, true, false};
  }
  const CommitResult result = commit_packing();
  packing_.reset();
  idle_until_s_ = 0;  // a window may be whole now
  return {result, true, result == CommitResult::ok};
}

CommitResult Retention::commit_packing() {
  const Packing& packing = *packing_;
  std::uint64_t bytes = 0;
  for (const auto& packed : packing.done) bytes += packed.blob.size() + 128;
  killpoint("segment.before_begin");
  const CommitResult begun = database_.begin(bytes, false);
  if (begun != CommitResult::ok) return begun;
  bool whole = true;
  for (const auto& packed : packing.done)
    whole = whole && write(packed.grid, packed.group, packed.points, packed.blob) == CommitResult::ok;
  killpoint("segment.after_write");
  Connection& c = database_.connection();
  StatementCache::Use erase = statements_.use("DELETE FROM hot WHERE commit_no <= ?1");
  whole = whole && erase->bind(1, packing.last_row).run() == SQLITE_OK;
  // Rows that the cap took meanwhile must not come back: then nothing of this holds, and it is done again.
  const bool all_there = static_cast<std::uint64_t>(c.changes()) == packing.rows;
  erase->reset();
  killpoint("segment.after_delete");
  whole = whole && count("damaged", packing.gather.lost()) == SQLITE_OK;
  if (whole && !all_there) {
    (void)c.execute("ROLLBACK");
    return CommitResult::ok;
  }
  killpoint("segment.before_commit");
  const CommitResult result = end(whole);
  killpoint("segment.after_commit");
  return result;
}

// The rows of `from` in this window that are due, and what there is of `to` already.
bool Retention::begin_rolling(const Tier& from, const Tier& to, std::int64_t group, std::int64_t window,
                              std::int64_t due_s) {
  auto rolling = std::make_unique<Rolling>();
  rolling->grid = {to.number, window, to.step_s, static_cast<std::uint32_t>(to.ticks)};
  rolling->group = static_cast<std::uint32_t>(group);
  StatementCache::Use rows = statements_.use(
      "SELECT id, n, data FROM seg WHERE \"group\"=?1 AND t0 >= ?2 AND t0 < ?3 AND (tier=?4 OR (tier=?5 AND (?4=?5 OR "
      "(t0 / 86400 + 1) * 86400 <= ?6))) ORDER BY id");
  rows->bind(1, group).bind(2, window).bind(3, window + to.window_s()).bind(4, to.number).bind(5, from.number);
  rows->bind(6, due_s);
  int code = SQLITE_MISUSE;
  while ((code = rows->step()) == SQLITE_ROW) load(*rolling, rows->integer(0), rows->number(1), rows->blob(2));
  if (code != SQLITE_DONE || rolling->inputs.empty()) return false;
  std::set<std::uint32_t> sids;
  for (const Input& input : rolling->inputs) {
    if (!input.directory) continue;
    for (const SegmentEntry& entry : input.directory->entries) sids.insert(entry.sid);
  }
  rolling->sids.assign(sids.begin(), sids.end());
  rolling->writer = std::make_unique<SegmentWriter>(rolling->grid, work_);
  rolling_ = std::move(rolling);
  return true;
}

void Retention::load(Rolling& rolling, std::int64_t id, std::uint64_t n, std::span<const std::uint8_t> blob) {
  Input input;
  input.id = id;
  input.n = n;
  input.directory = SegmentDirectory::read(blob, blob.size());
  if (input.directory) {
    input.blob.assign(blob.begin(), blob.end());
    std::uint64_t points = 0;
    for (const SegmentEntry& entry : input.directory->entries) points += entry.points;
    if (points < n) rolling.lost += n - points;
  } else {
    rolling.lost += n;
  }
  rolling.inputs.push_back(std::move(input));
}

Retention::Slice Retention::go_on_rolling() {
  Rolling& rolling = *rolling_;
  Rollup rollup(rolling.grid);
  SeriesPoints points, result;
  for (std::size_t i = 0; i < kSeriesPerSlice && rolling.next_sid < rolling.sids.size(); ++i) {
    const std::uint32_t sid = rolling.sids[rolling.next_sid++];
    bool begun = false;
    MetricType kind = MetricType::counter;
    for (const Input& input : rolling.inputs) {
      const SegmentEntry* entry = input.directory ? input.directory->find(sid) : nullptr;
      if (entry == nullptr) continue;
      if ((begun && entry->kind != kind) ||
          !read_series(input.directory->grid, *entry, part(input.blob, *entry), work_, points)) {
        rolling.lost += entry->points;
        continue;
      }
      if (!begun) rollup.begin(sid, kind = entry->kind), begun = true;
      rollup.add(points, input.directory->grid);
    }
    if (begun && rollup.finish(result)) rolling.writer->add(result);
  }
  if (rolling.next_sid < rolling.sids.size()) return {CommitResult::ok, true, false};
  const CommitResult committed = commit_rolling();
  rolling_.reset();
  return {committed, true, committed == CommitResult::ok};
}

CommitResult Retention::commit_rolling() {
  Rolling& rolling = *rolling_;
  const std::uint64_t points = rolling.writer->points();
  const bool any = rolling.writer->series() > 0;
  const Bytes blob = rolling.writer->finish();
  killpoint("segment.before_begin");
  const CommitResult begun = database_.begin(blob.size() + 4096, false);
  if (begun != CommitResult::ok) return begun;
  Connection& c = database_.connection();
  bool whole = !any || write(rolling.grid, rolling.group, points, blob) == CommitResult::ok;
  killpoint("segment.after_write");
  StatementCache::Use erase = statements_.use("DELETE FROM seg WHERE id=?1");
  bool all_there = true;
  for (const Input& input : rolling.inputs) {
    whole = whole && erase->bind(1, input.id).run() == SQLITE_OK;
    all_there = all_there && c.changes() == 1;
  }
  erase->reset();
  killpoint("segment.after_delete");
  whole = whole && count("damaged", rolling.lost) == SQLITE_OK;
  if (whole && !all_there) {  // the cap took one meanwhile
    (void)c.execute("ROLLBACK");
    return CommitResult::ok;
  }
  killpoint("segment.before_commit");
  const CommitResult result = end(whole);
  killpoint("segment.after_commit");
  return result;
}

}  // namespace honeylink::telemetry::store
