// The store is killed at every named point of packing and rolling up; whoever opens it next finds every point once
// (I-3).
#include "base/killpoint.h"
#include "store/test_history.h"

#ifdef HONEYLINK_KILLPOINTS
namespace honeylink::telemetry::store {
namespace {

constexpr std::int64_t kBegin = 1'699'488'000;
constexpr std::uint64_t kTicks = 60 * 24 * 8 / 4;  // eight days, every four minutes

// As an engine: from where the last commit ended. Points of value 1, two a tick; the base is the tick's number.
int live_eight_days(const StoreOptions& base) {
  ManualClock clock(kBegin * 1'000'000'000);
  StoreOptions options = base;
  options.clock = &clock;
  std::string said;
  auto store = MetricStore::open(options, said);
  if (store == nullptr || store->begin_epoch() == 0) return 2;
  clock.advance(static_cast<std::int64_t>(store->base_slot().crc) * 240 * 1'000'000'000);
  for (std::uint64_t n = store->base_slot().crc; n < kTicks;) {
    MetricDelta deltas[2];
    for (int i = 0; i < 2; ++i) {
      SeriesInfo info;
      info.name = i == 0 ? "a" : "b";
      deltas[i].sid = store->series_id(info), deltas[i].integer = 1;
    }
    const std::int64_t now = clock.realtime_ns() / 1'000'000'000;
    if (store->commit_tick(now, deltas, 0, ++n, stored(2), {}, false) != CommitResult::ok) return 3;
    clock.advance(std::int64_t{240} * 1'000'000'000);
    if (n % 60 != 0 && n != kTicks) continue;
    for (;;) {
      const MetricUpkeep did = store->maintain(clock.realtime_ns() / 1'000'000'000, 0);
      if (did.result != CommitResult::ok) return 4;
      if (!did.more) break;
    }
  }
  return 0;
}

void check(const StoreOptions& options, bool finished) {
  std::string said;
  auto store = MetricStore::open(options, said);
  ASSERT_NE(store, nullptr) << said;
  EXPECT_EQ(said, "");
  const std::uint64_t committed = store->base_slot().crc;
  Found found = find_all(store->path());
  EXPECT_EQ(found.n, 2 * committed);
  std::uint64_t sum = 0;
  for (const auto& [sid, points] : found.points)
    for (const auto& [at, point] : points) sum += point.sum;
  EXPECT_EQ(sum, 2 * committed);
  EXPECT_EQ(store->totals().stored, 2 * committed);
  if (finished) {
    EXPECT_GT(found.rows[1], 0U);
    EXPECT_GT(found.rows[0], 0U);
  }
}

TEST(MetricPackingKill, EveryPointStandsInOnePlace) {
  for (const char* point : {"segment.before_begin", "segment.after_write", "segment.after_delete",
                            "segment.before_commit", "segment.after_commit"}) {
    for (const int pass : {1, 2, 9, 70}) {
      SCOPED_TRACE(std::string(point) + " pass " + std::to_string(pass));
      TempHome home;
      const int code = in_child([&] {
        arm_killpoint(point, pass);
        return live_eight_days(home.options());
      });
      ASSERT_EQ(code, -SIGKILL);
      check(home.options(), false);
      ASSERT_EQ(in_child([&] { return live_eight_days(home.options()); }), 0);
      check(home.options(), true);
    }
  }
}

}  // namespace
}  // namespace honeylink::telemetry::store
#endif
