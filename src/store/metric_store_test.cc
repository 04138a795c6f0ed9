// MetricStore on real files.
#include "store/metric_store.h"

#include "store/database.h"
#include "store/metric_codec.h"
#include "store/test_support.h"

namespace honeylink::telemetry::store {
namespace {

std::unique_ptr<MetricStore> open_metrics(const StoreOptions& options) {
  std::string said;
  auto store = MetricStore::open(options, said);
  EXPECT_NE(store, nullptr) << said;
  if (store != nullptr && store->begin_epoch() == 0) ADD_FAILURE() << store->why();
  return store;
}

SeriesInfo counter(const std::string& name) {
  SeriesInfo info;
  info.name = name, info.unit = "1", info.service_name = "svc";
  info.labels = {{"route", "direct"}};
  return info;
}

TEST(MetricStore, ASeriesKeepsItsNumberOverRestarts) {
  TempHome home;
  std::uint32_t first = 0;
  {
    auto store = open_metrics(home.options());
    first = store->series_id(counter("a_total"));
    EXPECT_NE(store->series_id(counter("b_total")), first);
    EXPECT_EQ(store->series_id(counter("a_total")), first);
    MetricDelta delta;
    delta.sid = first, delta.integer = 5;
    ASSERT_EQ(store->commit_tick(1000, {&delta, 1}, 1, 99, stored(1), {}, true), CommitResult::ok) << store->why();
  }
  auto store = open_metrics(home.options());
  EXPECT_EQ(store->series_id(counter("a_total")), first);
  EXPECT_EQ(store->base_slot().number, 1);
  EXPECT_EQ(store->base_slot().crc, 99U);
  EXPECT_EQ(store->base_slot().commit_no, 1U);
  EXPECT_EQ(store->next_commit_no(), 2U);
  EXPECT_EQ(store->totals(), stored(1));
}

TEST(MetricStore, ABackwardClockOverwritesNothing) {
  TempHome home;
  auto store = open_metrics(home.options());
  MetricDelta delta;
  delta.sid = store->series_id(counter("a_total")), delta.integer = 1;
  for (const std::int64_t tick : {2000, 2010, 2000, 2000, 1000}) {
    ASSERT_EQ(store->commit_tick(tick, {&delta, 1}, 0, 0, {}, {}, false), CommitResult::ok);
  }
  Connection reader;
  ASSERT_EQ(reader.open(store->path(), Access::read_only, 0), SQLITE_OK);
  EXPECT_EQ(reader.integer("SELECT count(*) FROM hot", 0), 5);
  EXPECT_EQ(reader.integer("SELECT count(*) FROM hot WHERE tick=2000", 0), 3);
}

}  // namespace
}  // namespace honeylink::telemetry::store
