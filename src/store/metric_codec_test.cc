// The blob of a tick: what was encoded comes back; what is broken is refused.
#include "store/metric_codec.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "base/sketch.h"
#include "store/test_support.h"

namespace honeylink::telemetry::store {
namespace {

TEST(MetricCodec, EveryPointComesBackAsItWas) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::vector<MetricDelta> deltas;
  std::vector<Sketch> sketches(300);
  const double reals[] = {
      0,         -0.0,           1,          -1, 0.1, 12.345, 1e300, -1e-300, 3.0000000001, std::nan(""), INFINITY,
      -INFINITY, 999999999999.0, 0.123456789};
  for (std::uint32_t i = 0; i < 300; ++i) {
    MetricDelta d;
    d.sid = (i * 7919U) % 100003U;
    d.kind = static_cast<MetricType>(random() % 5);
    d.integer = random() >> (random() % 64);
    d.real = random() % 2 == 0 ? reals[random() % std::size(reals)] : std::bit_cast<double>(random());
    Sketch& s = sketches[i];
    s.scale = static_cast<std::int32_t>(random() % 9) - 4;
    s.offset = static_cast<std::int32_t>(random() % 4000) - 2000;
    s.zeros = random() % 10;
    s.count = s.zeros;
    for (std::size_t n = random() % 320; n > 0; --n)
      s.buckets.push_back(random() % 3 == 0 ? random() % 1000 : 0), s.count += s.buckets.back();
    s.sum = 12.5, s.min = 0.001, s.max = 99.75;
    if (d.kind == MetricType::histogram) d.sketch = &s;
    if (random() % 4 == 0) {
      d.exemplar.present = true, d.exemplar.value = 1.25, d.exemplar.time_unix_ns = static_cast<std::int64_t>(random());
      d.exemplar.trace_id.fill(7), d.exemplar.span_id.fill(8);
    }
    deltas.push_back(d);
  }
  std::vector<std::uint8_t> bytes;
  encode_tick(1'700'000'000, deltas, bytes);
  MetricBlob blob(bytes);
  ASSERT_TRUE(blob.sound());
  EXPECT_EQ(blob.tick_unix_s(), 1'700'000'000);
  std::sort(deltas.begin(), deltas.end(), [](const auto& a, const auto& b) { return a.sid < b.sid; });
  StoredPoint p;
  for (const MetricDelta& d : deltas) {
    ASSERT_TRUE(blob.next(p));
    EXPECT_EQ(p.sid, d.sid);
    ASSERT_EQ(p.kind, d.kind);
    if (d.kind == MetricType::counter || d.kind == MetricType::up_down) { EXPECT_EQ(p.integer, d.integer); }
    if (d.kind == MetricType::counter_real || d.kind == MetricType::gauge) {
      EXPECT_EQ(std::bit_cast<std::uint64_t>(p.real), std::bit_cast<std::uint64_t>(d.real));
    }
    if (d.kind == MetricType::histogram) {
      Sketch expected = *d.sketch;
      if (expected.scale > kStoredScaleMax) trim(expected), downscale(expected, kStoredScaleMax);
      EXPECT_EQ(p.sketch.scale, expected.scale);
      EXPECT_EQ(p.live_scale, d.sketch->scale);
      EXPECT_EQ(p.sketch.offset, expected.offset);
      EXPECT_EQ(p.sketch.buckets, expected.buckets);
      EXPECT_EQ(p.sketch.count, d.sketch->count);
      EXPECT_TRUE(p.sketch.sum == 12.5 && p.sketch.min == 0.001 && p.sketch.max == 99.75);
    }
    EXPECT_EQ(p.exemplar.present, d.exemplar.present);
    EXPECT_EQ(p.exemplar.time_unix_ns, d.exemplar.time_unix_ns);
  }
  EXPECT_FALSE(blob.next(p));
  EXPECT_FALSE(blob.damaged());
}

TEST(MetricCodec, ASeriesIsFoundAmongOthersAndNothingElseIs) {
  std::mt19937 random(5);
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  for (int round = 0; round < 200; ++round) {
    std::vector<MetricDelta> deltas;
    std::vector<std::uint32_t> sids;
    Sketch sketch;
    sketch.scale = 4, sketch.count = 5, sketch.buckets = {5};
    for (std::uint32_t sid = below(100); deltas.size() < 50; sid += 1 + below(round % 2 == 0 ? 3 : 200)) {
      deltas.emplace_back();
      deltas.back().sid = sid, deltas.back().integer = sid * 3U;
      if (sid % 7 == 0) deltas.back().kind = MetricType::histogram, deltas.back().sketch = &sketch;
      sids.push_back(sid);
    }
    std::vector<std::uint8_t> bytes;
    encode_tick(10, deltas, bytes);
    MetricBlob all(bytes);
    StoredPoint point;
    std::uint32_t asked = 0;
    for (; asked <= sids.back() + 70; asked += 1 + below(5)) {
      const bool there = std::binary_search(sids.begin(), sids.end(), asked);
      ASSERT_EQ(all.find(asked, point), there) << asked;
      EXPECT_TRUE(!there || (point.sid == asked && (asked % 7 == 0 || point.integer == asked * 3U)));
      MetricBlob alone(bytes);
      ASSERT_EQ(alone.find(asked, point), there) << asked;
    }
    EXPECT_FALSE(all.damaged());
  }
}

TEST(MetricCodec, AFlippedBitIsSeen) {
  MetricDelta delta;
  delta.sid = 3, delta.integer = 1000;
  std::vector<std::uint8_t> whole;
  encode_tick(10, {&delta, 1}, whole);
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto bytes = whole;
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ (1U << (bit % 8)));
    ASSERT_FALSE(MetricBlob(bytes).sound()) << "bit " << bit;
  }
}

TEST(MetricCodec, AScalarCostsAFewBytes) {
  std::vector<MetricDelta> deltas(1000);
  for (std::uint32_t i = 0; i < 1000; ++i) deltas[i].sid = i + 1, deltas[i].integer = 100 + i % 20;
  std::vector<std::uint8_t> bytes;
  encode_tick(10, deltas, bytes);
  EXPECT_LE(bytes.size(), 1000U * 2 + 100);
}

}  // namespace
}  // namespace honeylink::telemetry::store
