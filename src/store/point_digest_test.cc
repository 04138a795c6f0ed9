// The digest of a histogram's ticks in a segment: their sum, under a checksum of its own.
#include "store/point_digest.h"

#include <gtest/gtest.h>

#include "base/sketch.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::int64_t kBegin = 1'699'488'000;

SeriesPoints some() {
  SeriesPoints points;
  points.kind = MetricType::histogram;
  for (std::uint32_t tick = 0; tick < 50; ++tick) {
    Sketch sketch;
    sketch.scale = tick % 7 == 0 ? 3 : 4;
    sketch.offset = static_cast<std::int32_t>(tick) - 20;
    sketch.buckets = {1, 0, 2 + tick};
    sketch.zeros = tick % 3;
    sketch.count = 3 + tick + tick % 3;
    sketch.sum = tick, sketch.min = 0.5 + tick, sketch.max = 1.5 + tick;
    points.ticks.push_back(tick);
    points.sketches.push_back(sketch);
    points.live_scales.push_back(6);
  }
  for (const std::uint32_t tick : {3U, 9U}) {
    TickExemplar held;
    held.tick = tick;
    held.exemplar.present = true;
    held.exemplar.value = tick == 3 ? 7 : 2;
    held.exemplar.time_unix_ns = kBegin * 1'000'000'000 + tick;
    held.exemplar.trace_id.fill(static_cast<std::uint8_t>(tick));
    points.exemplars.push_back(held);
  }
  return points;
}

TEST(SegmentDigests, AreTheSumOfTheirTicks) {
  const SeriesPoints points = some();
  Bytes bytes;
  put_digest(points, kBegin, bytes);
  EXPECT_EQ(digest_bytes(bytes), bytes.size());
  const auto digest = read_digest(bytes, kBegin);
  ASSERT_TRUE(digest);
  Sketch all;
  for (const Sketch& sketch : points.sketches) merge(all, sketch);
  EXPECT_EQ(digest->sketch.count, all.count);
  EXPECT_EQ(digest->sketch.zeros, all.zeros);
  EXPECT_EQ(digest->sketch.buckets, all.buckets);
  EXPECT_EQ(digest->sketch.offset, all.offset);
  EXPECT_EQ(digest->sketch.scale, 3);
  EXPECT_EQ(digest->sketch.sum, all.sum);
  EXPECT_EQ(digest->sketch.max, 50.5);
  EXPECT_EQ(digest->live_scale, 6);
  EXPECT_EQ(digest->exemplar.value, 7);
  EXPECT_EQ(digest->exemplar.time_unix_ns, kBegin * 1'000'000'000 + 3);
}

TEST(SegmentDigests, OfNothingAreEmpty) {
  SeriesPoints none;
  none.kind = MetricType::histogram;
  Bytes bytes;
  put_digest(none, kBegin, bytes);
  const auto digest = read_digest(bytes, kBegin);
  ASSERT_TRUE(digest);
  EXPECT_EQ(digest->sketch.count, 0U);
  EXPECT_FALSE(digest->exemplar.present);
}

TEST(SegmentDigests, AFlippedBitOrAMissingByteIsSeen) {
  Bytes whole;
  put_digest(some(), kBegin, whole);
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    Bytes bytes = whole;
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ (1U << (bit % 8)));
    ASSERT_FALSE(read_digest(bytes, kBegin)) << "bit " << bit;
  }
  for (std::size_t size = 0; size < whole.size(); ++size)
    ASSERT_FALSE(read_digest(std::span(whole).first(size), kBegin)) << size;
}

}  // namespace
}  // namespace honeylink::telemetry::store
