// What is forgotten out of the middle of a segment, and what stays.
#include "store/segment_cut.h"

#include <gtest/gtest.h>

#include "store/segment_blob.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::int64_t kBegin = 1'699'488'000;

Bytes segment(int tier) {
  const Tier& of = kTiers[static_cast<std::size_t>(tier)];
  SegmentWorkspace work;
  SegmentWriter writer({tier, kBegin, of.step_s, 100}, work);
  for (std::uint32_t sid = 1; sid < 4; ++sid) {
    SeriesPoints points;
    points.sid = sid;
    points.kind = sid == 3 ? MetricType::histogram : MetricType::counter;
    for (std::uint32_t tick = 0; tick < (sid == 2 ? 30U : 100U); ++tick) {
      points.ticks.push_back(tick);
      if (sid == 3) {
        Sketch sketch;
        sketch.scale = 3, sketch.buckets = {1}, sketch.count = 1, sketch.sum = sketch.min = sketch.max = 1.05;
        points.sketches.push_back(sketch), points.live_scales.push_back(6);
        continue;
      }
      points.last.push_back(tick);
      if (tier == 0) continue;
      points.count.push_back(6), points.min.push_back(tick), points.max.push_back(tick), points.sum.push_back(6 * tick);
    }
    points.points = points.ticks.size() * (tier == 0 ? 1 : 6);
    writer.add(points);
  }
  return writer.finish();
}

TEST(SegmentCut, TicksThatBeginBeforeTheMomentGo) {
  for (const int tier : {0, 1, 2}) {
    const std::int64_t step = kTiers[static_cast<std::size_t>(tier)].step_s;
    const auto cut = cut_segment(segment(tier), kBegin + step * 40 - step / 2);
    ASSERT_TRUE(cut);
    const auto directory = SegmentDirectory::read(cut->blob, cut->blob.size());
    ASSERT_TRUE(directory);
    ASSERT_EQ(directory->entries.size(), 2U);  // the second series has nothing so late
    SegmentWorkspace work;
    SeriesPoints points;
    for (const SegmentEntry& entry : directory->entries) {
      const auto body =
          std::span(cut->blob).subspan(static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.size));
      ASSERT_TRUE(read_series(directory->grid, entry, body, work, points));
      ASSERT_EQ(points.ticks.size(), 60U);
      EXPECT_EQ(points.ticks.front(), 40U);
    }
    EXPECT_EQ(cut->points, 2U * 60 * (tier == 0 ? 1 : 6));
  }
}

TEST(SegmentCut, AllOrNothing) {
  const auto all = cut_segment(segment(1), kBegin + 6'000);
  ASSERT_TRUE(all);
  EXPECT_TRUE(all->blob.empty());
  const auto none = cut_segment(segment(1), kBegin - 500);
  ASSERT_TRUE(none);
  EXPECT_EQ(none->blob, segment(1));
  Bytes damaged = segment(0);
  damaged[20] ^= 1;
  EXPECT_FALSE(cut_segment(damaged, kBegin + 100));
}

}  // namespace
}  // namespace honeylink::telemetry::store
