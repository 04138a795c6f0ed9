// A packer is killed at every named point, at several passes; every span is afterwards in exactly one place, and the
// next packer goes on (I-3, F02). The child is a fork that dies by SIGKILL.
#include "base/killpoint.h"
#include "store/test_packed.h"

#ifdef HONEYLINK_KILLPOINTS
namespace honeylink::telemetry::store {
namespace {

constexpr std::int64_t kLater = 1'700'003'600'000'000'000;
constexpr std::uint64_t kSpans = 30'000, kBatch = 1500;

// What an engine does: stores from the cursor on, packing in between. 0 where it got to the end.
int store_and_pack(const StoreOptions& options) {
  std::string said;
  const Source source = make_source(1, {"_other", "a", "b"});
  auto store = TraceStore::open(options, said);
  if (store == nullptr || store->begin_epoch() == 0) return 2;
  const auto cursors = store->cursors();
  for (std::uint64_t n = cursors.empty() ? 0 : cursors[0].next_ordinal; n < kSpans; n += kBatch) {
    Items items;
    items.text(2, "value " + std::to_string(n % 7) + std::string(400, 'y'));
    for (std::uint64_t i = n; i < n + kBatch; ++i) store->add(make_span(source, i, items.view()));
    const SlotCursor cursor{source.ring_id, 0, n + kBatch};
    if (store->commit({&cursor, 1}, stored(kBatch), false) != CommitResult::ok) return 3;
    if (n % (6 * kBatch) == 5 * kBatch && store->maintain(kLater, 0).result != CommitResult::ok) return 4;
  }
  return store->maintain(kLater, INT32_MAX).result == CommitResult::ok ? 0 : 5;
}

void check(const StoreOptions& options) {
  std::string said;
  auto store = TraceStore::open(options, said);
  ASSERT_NE(store, nullptr) << said;
  EXPECT_EQ(said, "");
  const auto cursors = store->cursors();
  const std::uint64_t next = cursors.empty() ? 0 : cursors[0].next_ordinal;
  const Contents found = contents_of(store->path());
  EXPECT_EQ(found.damaged, 0U);
  EXPECT_EQ(found.counters.size(), next);
  for (const auto& [counter, times] : found.counters) ASSERT_EQ(times, 1) << counter;
  EXPECT_EQ(store->totals(), next == 0 ? Counts() : stored(next));
}

TEST(PackerKilledAtAnyPoint, EverySpanIsInOnePlace) {
  for (const std::string_view point : kKillpoints) {
    if (!point.starts_with("pack.") && !point.starts_with("tidy.")) continue;
    bool died = false;
    for (const int pass : {1, 2, 5}) {
      TempHome home;
      const int code = in_child([&] {
        arm_killpoint(point, pass);
        return store_and_pack(home.options());
      });
      died = died || code == -SIGKILL;
      SCOPED_TRACE(std::string(point) + " pass " + std::to_string(pass) + " ended " + std::to_string(code));
      ASSERT_TRUE(code == -SIGKILL || code == 0);
      check(home.options());
      EXPECT_EQ(in_child([&] { return store_and_pack(home.options()); }), 0);
      check(home.options());
    }
    EXPECT_TRUE(died) << point << " was never passed";
  }
}

}  // namespace
}  // namespace honeylink::telemetry::store
#endif
