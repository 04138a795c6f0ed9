// What the engine does for its stores in spare time.
#include "engine/upkeep.h"

#include <numeric>

#include "engine/testing_home.h"
#include "store/metric_scan.h"

namespace honeylink::telemetry::engine {
namespace {

TEST(Upkeep, HoursThatAreOverArePackedAndKeepTheirSum) {
  TestHome home;
  LivingRing ring(home, 1);
  ring->series(0, ring::InstrumentKind::counter, {3, 4, 0, 0});
  std::uint64_t* cells = ring->slab(0, 0, 1);
  TestEngine e(home);
  ASSERT_TRUE(e.lead());
  for (int hour = 0; hour < 9; ++hour) {
    cells[0] += 5;
    e.tick();
    cells[0] += 7;
    e.tick();
    e.clock.advance(3'500'000'000'000);
    e.settle();
  }
  store::Connection reader;
  ASSERT_EQ(reader.open(e.engine->core()->metrics->path(), store::Access::read_only, 1000), SQLITE_OK);
  EXPECT_LT(reader.integer("SELECT count(*) FROM hot", 0), 8);
  EXPECT_GE(reader.integer("SELECT count(*) FROM seg", 0), 2);
  EXPECT_LE(reader.integer("SELECT count(*) FROM seg", 0), 7);  // windows of four hours are one row
  const auto sid = static_cast<std::uint32_t>(reader.integer("SELECT sid FROM series WHERE name='requests'", 0));
  std::uint64_t sum = 0;
  store::MetricScan scan(reader, {sid}, {});
  for (store::MetricPart part; scan.next(part);)
    sum = std::accumulate(part.points->last.begin(), part.points->last.end(), sum);
  EXPECT_EQ(sum, 9U * 12);
}

}  // namespace
}  // namespace honeylink::telemetry::engine
