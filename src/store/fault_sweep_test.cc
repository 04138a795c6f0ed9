// F10: whichever write, sync or truncation fails, once or for good, whole or half: nothing that was answered ok is
// lost, nothing is torn, nothing is there twice, and the store goes on when the fault is gone.
#include <algorithm>
#include <cstdlib>
#include <map>

#include "store/database.h"
#include "store/metric_scan.h"
#include "store/metric_store.h"
#include "store/test_faults.h"
#include "store/test_support.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::int64_t kBegin = 1'699'488'000, kEvery = 600;
constexpr int kTicks = 40;  // of ten minutes: hours are packed, and a window of four becomes one

/// Ticks by number: what commit_tick() answered.
struct Answers {
  std::map<int, bool> acknowledged;
};

void work(const StoreOptions& options, ManualClock& clock, Answers& run) {
  std::string said;
  auto store = MetricStore::open(options, said);
  if (store == nullptr || store->begin_epoch() == 0) return;
  for (int i = 0; i < kTicks; ++i, clock.advance(kEvery * 1'000'000'000)) {
    SeriesInfo info;
    info.name = "c_total";
    MetricDelta delta;
    delta.sid = store->series_id(info), delta.integer = static_cast<std::uint64_t>(i) + 1;
    const auto result = store->commit_tick(kBegin + i * kEvery, {&delta, 1}, i % 2, 0, stored(1), {}, i % 3 == 0);
    run.acknowledged[i] = result == CommitResult::ok;
    if (result == CommitResult::damaged && !store->recover(said)) return;
    for (int slice = 0; slice < 200; ++slice) {
      const MetricUpkeep did = store->maintain(kBegin + i * kEvery, 0);
      if (did.result == CommitResult::damaged && !store->recover(said)) return;
      if (!did.more || did.result != CommitResult::ok) break;
    }
    if (i % 7 == 0) store->checkpoint();
  }
}

void expect_whole(const StoreOptions& options, const Answers& run) {
  std::string said;
  auto store = MetricStore::open(options, said);
  ASSERT_NE(store, nullptr) << said;
  ASSERT_NE(store->begin_epoch(), 0U);
  SeriesInfo info;
  info.name = "c_total";
  MetricDelta delta;
  delta.sid = store->series_id(info), delta.integer = 1'000;
  ASSERT_EQ(store->commit_tick(kBegin + kTicks * kEvery, {&delta, 1}, 0, 0, stored(1), {}, true), CommitResult::ok)
      << store->why();
  Connection reader;
  ASSERT_EQ(reader.open(store->path(), Access::read_only, 1000), SQLITE_OK);
  Statement check = reader.prepare("PRAGMA integrity_check");
  ASSERT_EQ(check.step(), SQLITE_ROW);
  ASSERT_EQ(check.text(0), "ok");
  check = Statement();
  std::map<int, std::uint64_t> found;
  {
    MetricScan scan(reader, {}, {});
    for (MetricPart part; scan.next(part);) {
      for (std::size_t i = 0; i < part.points->ticks.size(); ++i)
        found[static_cast<int>((part.time_unix_s(i) - kBegin) / kEvery)] += part.points->last[i];
    }
    ASSERT_FALSE(scan.failed());
    ASSERT_EQ(scan.damaged(), 0U);
  }
  EXPECT_EQ(found[kTicks], 1'000U);
  found.erase(kTicks);
  int last_acknowledged = -1;
  for (const auto& [tick, ok] : run.acknowledged)
    if (ok) last_acknowledged = tick;
  for (const auto& [tick, ok] : run.acknowledged) {
    const auto at = found.find(tick);
    if (ok) { EXPECT_TRUE(at != found.end()) << "tick " << tick << " was answered ok and is lost"; }
    // A commit whose last sync failed may still be there, if nothing was written over it.
    if (!ok && tick < last_acknowledged) {
      EXPECT_TRUE(at == found.end()) << "tick " << tick << " was refused and is there";
    }
  }
  for (const auto& [tick, value] : found) EXPECT_EQ(value, static_cast<std::uint64_t>(tick) + 1) << "tick " << tick;
  std::uint64_t points = found.size() + 1;
  EXPECT_EQ(store->totals().stored, points);
}

class IoFaults : public testing::TestWithParam<std::pair<int, bool>> {};

TEST_P(IoFaults, CostNothingThatWasAnsweredOk) {
  const auto [code, sticky] = GetParam();
  const bool whole = std::getenv("HONEYLINK_TEST_LONG") != nullptr;
  const FaultyVfs vfs;
  long runs = 0;
  for (long n = 1;; n += whole ? 1 : 1 + runs / 15) {
    TempHome home("/dev/shm");
    ManualClock clock(kBegin * 1'000'000'000);
    StoreOptions options = home.options();
    options.clock = &clock;
    options.check_at_open_ms = 20;
    SCOPED_TRACE("operation " + std::to_string(n));
    Answers run;
    FaultyVfs::arm(n, code, sticky);
    work(options, clock, run);
    const bool reached = FaultyVfs::seen() >= n;
    FaultyVfs::disarm();
    expect_whole(options, run);
    ++runs;
    if (HasFatalFailure() || HasNonfatalFailure() || !reached) break;
  }
  RecordProperty("runs", static_cast<int>(runs));
  EXPECT_GT(runs, 20);
}

/// SQLite's allocations fail at a given one. SQLite is initialised anew for as long as this lives.
class FaultyMemory {
 public:
  FaultyMemory() {
    sqlite3_shutdown();
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_);
    sqlite3_mem_methods faulty = real_;
    faulty.xMalloc = [](int n) -> void* { return fails() ? nullptr : real_.xMalloc(n); };
    faulty.xRealloc = [](void* at, int n) -> void* { return fails() ? nullptr : real_.xRealloc(at, n); };
    sqlite3_config(SQLITE_CONFIG_MALLOC, &faulty);
    sqlite3_initialize();
  }
  ~FaultyMemory() {
    sqlite3_shutdown();
    sqlite3_config(SQLITE_CONFIG_MALLOC, &real_);
    sqlite3_initialize();
  }
  FaultyMemory(const FaultyMemory&) = delete;
  FaultyMemory& operator=(const FaultyMemory&) = delete;
  static void arm(long n, bool sticky) { seen_ = 0, at_ = n, sticky_ = sticky; }
  static void disarm() { at_ = 0; }
  [[nodiscard]] static long seen() { return seen_; }

 private:
  static bool fails() {
    ++seen_;
    return at_ != 0 && (sticky_ ? seen_ >= at_ : seen_ == at_);
  }
  static inline sqlite3_mem_methods real_{};
  static inline long seen_ = 0, at_ = 0;
  static inline bool sticky_ = false;
};

class MemoryFaults : public testing::TestWithParam<bool> {};

TEST_P(MemoryFaults, CostNothingThatWasAnsweredOk) {
  const bool whole = std::getenv("HONEYLINK_TEST_LONG") != nullptr;
  const FaultyMemory memory;
  long runs = 0;
  for (long n = 1;; n += whole ? 1 + n / 500 : 1 + n / 50) {
    TempHome home("/dev/shm");
    ManualClock clock(kBegin * 1'000'000'000);
    StoreOptions options = home.options();
    options.clock = &clock;
    options.check_at_open_ms = 20;
    SCOPED_TRACE("allocation " + std::to_string(n));
    Answers run;
    FaultyMemory::arm(n, GetParam());
    work(options, clock, run);
    const bool reached = FaultyMemory::seen() >= n;
    FaultyMemory::disarm();
    expect_whole(options, run);
    ++runs;
    if (HasFatalFailure() || HasNonfatalFailure() || !reached) break;
  }
  EXPECT_GT(runs, 40);
}

INSTANTIATE_TEST_SUITE_P(All, MemoryFaults, testing::Values(false, true));

INSTANTIATE_TEST_SUITE_P(All, IoFaults,
                         testing::Values(std::pair{SQLITE_FULL, false}, std::pair{SQLITE_FULL, true},
                                         std::pair{SQLITE_IOERR_WRITE, false}, std::pair{SQLITE_IOERR_WRITE, true}));

}  // namespace
}  // namespace honeylink::telemetry::store
