// See retention.h: the clock, and what is due next. Doing it is in retention_work.cc.
#include "store/retention.h"

#include <algorithm>
#include <string>

namespace honeylink::telemetry::store {
namespace {

constexpr std::int64_t kFollowPace = 60;
constexpr std::int64_t kHotBytesMax = 8'000'000;
constexpr std::int64_t kHotRowsMax = 400;  // of one hour, with room for ticks out of turn
constexpr std::int64_t kLookAgainSeconds = 600;
// What Database keeps free for a commit under the cap; retention stays below it, so that deleting is never needed.
constexpr std::uint64_t kCapReserve = 12'000'000, kCommitReserve = 4'000'000, kPagesReserve = 250'000;
constexpr std::int64_t kPressureKeepDays[] = {1, 7};              // of tiers 0 and 1, whatever the cap
constexpr std::int64_t kFreePagesMin = 32, kFreePagesMax = 4096;  // that the next hour's ticks may use
constexpr std::uint64_t kVacuumPages = 16;  // few, so that the room for moving them is there under a small cap, too
constexpr std::int64_t kExpireRows = 8;

}  // namespace

void RetentionClock::follow(std::int64_t seen_unix_s, std::int64_t monotonic_ns) noexcept {
  const bool first = now_s_ == 0;
  if (first) now_s_ = seen_unix_s;
  if (followed_ns_ < 0) followed_ns_ = monotonic_ns;
  const std::int64_t allowed = std::max<std::int64_t>(monotonic_ns - followed_ns_, 0) / 1'000'000'000 * kFollowPace;
  if (seen_unix_s <= now_s_) {
    followed_ns_ = monotonic_ns;
    return;
  }
  if (allowed == 0) return;  // less than a second: let it add up
  now_s_ += std::min(seen_unix_s - now_s_, allowed);
  followed_ns_ = monotonic_ns;
}

bool Retention::over_soft_cap() {
  const std::int64_t pages = statements_.integer("PRAGMA page_count", 0);
  const std::int64_t used = (pages - statements_.integer("PRAGMA freelist_count", 0)) * 4096;
  const std::uint64_t reserve = std::min(kCapReserve, bytes_max_ / 4) + std::min(kCommitReserve, bytes_max_ / 8) +
                                std::min(kPagesReserve, bytes_max_ / 8);
  return used > 0 && static_cast<std::uint64_t>(used) > (bytes_max_ - reserve) / 100 * 95;
}

bool Retention::plan_packing() {
  const std::int64_t first = statements_.integer("SELECT min(commit_no) FROM hot", 0);
  const std::int64_t last = statements_.integer("SELECT max(commit_no) FROM hot", 0);
  if (last == 0) return false;
  std::int64_t bytes = 0;
  const auto hour_of = [&](std::int64_t row) {
    StatementCache::Use at = statements_.use("SELECT tick / 3600, length(data) FROM hot WHERE commit_no=?1");
    if (at->bind(1, row).step() != SQLITE_ROW) return std::int64_t{0};
    bytes = at->integer(1);
    return at->integer(0);
  };
  const std::int64_t oldest = hour_of(first), now = hour_of(last);
  // Rows are about equal: the last one's size stands for all of them.
  const std::int64_t rows = last - first + 1;
  const bool full = rows > kHotRowsMax || rows * bytes > kHotBytesMax;
  if (!full && oldest == now) return false;
  // Up to the hour that is being written; where that hour alone is too much, all of it.
  StatementCache::Use before = statements_.use("SELECT max(commit_no) FROM hot WHERE tick / 3600 <> ?1");
  before->bind(1, now);
  std::int64_t until = before->step() == SQLITE_ROW ? before->integer(0) : 0;
  before->reset();
  if (until == 0) until = last;
  packing_ = std::make_unique<Packing>();
  packing_->next_row = first;
  packing_->last_row = until;
  return true;
}

bool Retention::roll_oldest(const Tier& from, const Tier& to, std::int64_t due_s) {
  StatementCache::Use oldest = statements_.use(
      "SELECT \"group\", min(t0) FROM seg WHERE tier=?1 AND t0 >= 0 AND (t0 / 86400 + 1) * 86400 <= ?2");
  oldest->bind(1, from.number).bind(2, due_s);
  if (oldest->step() != SQLITE_ROW || oldest->is_null(1)) return false;
  const std::int64_t group = oldest->integer(0), window = oldest->integer(1) / to.window_s() * to.window_s();
  oldest->reset();
  return begin_rolling(from, to, group, window, due_s);
}

bool Retention::plan_rolling(std::int64_t now_s) {
  // A finished window of four hours that is still in rows of an hour becomes one row.
  const std::int64_t window = kTiers[0].window_s();
  StatementCache::Use rows = statements_.use(
      "SELECT \"group\", t0 / ?1 AS w FROM seg WHERE tier=0 AND t0 >= 0 AND (t0 / ?1 + 1) * ?1 <= ?2 GROUP BY 1, 2 "
      "HAVING count(*) > 1 LIMIT 1");
  rows->bind(1, window).bind(2, now_s);
  if (rows->step() == SQLITE_ROW) {
    const std::int64_t group = rows->integer(0), begin = rows->integer(1) * window;
    rows->reset();
    return begin_rolling(kTiers[0], kTiers[0], group, begin, now_s);
  }
  rows->reset();
  return roll_oldest(kTiers[0], kTiers[1], now_s - kTiers[0].keep_s) ||
         roll_oldest(kTiers[1], kTiers[2], now_s - kTiers[1].keep_s);
}

// Coarser rather than gone: a day of minutes becomes a sixtieth, ten seconds become a third.
bool Retention::plan_pressure(std::int64_t now_s) {
  if (!over_soft_cap()) return false;
  return roll_oldest(kTiers[1], kTiers[2], now_s - kPressureKeepDays[1] * kDaySeconds) ||
         roll_oldest(kTiers[0], kTiers[1], now_s - kPressureKeepDays[0] * kDaySeconds);
}

// One transaction for all these questions: each of its own would lock the -shm and let it go.
bool Retention::plan(std::int64_t now_s) {
  Connection& c = database_.connection();
  (void)statements_.use("BEGIN")->run();
  const bool planned = plan_packing() || (now_s >= idle_until_s_ && (plan_rolling(now_s) || plan_pressure(now_s)));
  (void)statements_.use("COMMIT")->run();
  if (sqlite3_get_autocommit(c.get()) == 0) (void)c.execute("ROLLBACK");  // out of memory, say
  return planned;
}

Retention::Slice Retention::expire(std::int64_t now_s) {
  const std::int64_t before = now_s - kTiers[2].keep_s;
  StatementCache::Use rows = statements_.use("SELECT id, n FROM seg WHERE tier=2 AND t1 <= ?1 LIMIT ?2");
  rows->bind(1, before).bind(2, kExpireRows);
  std::vector<std::int64_t> ids;
  std::uint64_t points = 0;
  while (rows->step() == SQLITE_ROW) ids.push_back(rows->integer(0)), points += rows->number(1);
  rows->reset();
  if (ids.empty()) return {};
  CommitResult result = database_.begin(4096, false);
  if (result != CommitResult::ok) return {result, true, false};
  StatementCache::Use erase = statements_.use("DELETE FROM seg WHERE id=?1");
  bool whole = true;
  for (const std::int64_t id : ids) whole = whole && erase->bind(1, id).run() == SQLITE_OK;
  erase->reset();
  result = end(whole && count("expired", points) == SQLITE_OK);
  return {result, true, result == CommitResult::ok};
}

Retention::Slice Retention::give_back_pages() {
  Connection& c = database_.connection();
  const std::int64_t unused = statements_.integer("PRAGMA freelist_count", 0);
  const std::int64_t pages = statements_.integer("PRAGMA page_count", 0);
  if (unused <= std::min(kFreePagesMax, std::max<std::int64_t>(pages / 8, kFreePagesMin))) return {};
  CommitResult result = database_.begin(kVacuumPages * 2 * 4096, false);
  if (result != CommitResult::ok) return {result, true, false};
  result = end(c.execute(("PRAGMA incremental_vacuum(" + std::to_string(kVacuumPages) + ")").c_str()) == SQLITE_OK);
  return {result, true, result == CommitResult::ok};
}

Retention::Slice Retention::next(std::int64_t now_s) {
  seen_s_ = now_s;
  if (packing_) return go_on_packing();
  if (rolling_) return go_on_rolling();
  if (plan(now_s)) return {CommitResult::ok, true, false};
  if (now_s < idle_until_s_) return {};
  Slice slice = expire(now_s);
  if (!slice.worked) slice = give_back_pages();
  if (!slice.worked) idle_until_s_ = now_s + kLookAgainSeconds;
  return slice;
}

int Retention::count(std::string_view name, std::uint64_t n) {
  if (n == 0) return SQLITE_OK;
  StatementCache::Use add =
      statements_.use("INSERT INTO counts(name, n) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET n=n+excluded.n");
  return add->bind(1, name).bind(2, n).run();
}

// Ends the transaction: all of it, or nothing.
CommitResult Retention::end(bool whole) { return whole ? database_.commit() : database_.fail(); }

}  // namespace honeylink::telemetry::store
