// Segments: every kind of series comes back bit for bit, alone or with the others; what is broken is seen (F09, F46).
#include "store/segment_blob.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>

#include "store/point_codec.h"
#include "store/test_support.h"

namespace honeylink::telemetry::store {
namespace {

using Random = std::mt19937_64;

constexpr SegmentGrid kGrid{0, 1'700'006'400, 10, 1440};

std::vector<std::uint32_t> some_ticks(Random& random, std::uint32_t ticks) {
  std::vector<std::uint32_t> present;
  const unsigned form = static_cast<unsigned>(random() % 5);
  const std::uint64_t begin = random() % ticks, end = begin + random() % ticks;
  for (std::uint32_t tick = 0; tick < ticks; ++tick) {
    const bool is[] = {true, random() % 2 == 0, tick % 6 == 0, tick >= begin && tick < end, random() % 90 != 0};
    if (is[form]) present.push_back(tick);
  }
  return present;
}

std::uint64_t some_number(MetricType kind, Random& random, std::uint64_t shape) {
  if (!is_real(kind)) return shape % 3 == 0 ? random() % 20 : random() >> (random() % 64);
  switch (shape % 4) {
    case 0:
      return std::bit_cast<std::uint64_t>(static_cast<double>(random() % 1000) / 10);
    case 1:
      return std::bit_cast<std::uint64_t>(1 / static_cast<double>(random() % 100'000 + 1));
    case 2:
      return random() % 40 == 0 ? 0x7ff8'0000'0000'0042U
                                : std::bit_cast<std::uint64_t>(static_cast<double>(random() % 9));
    default:
      return random();
  }
}

Sketch some_sketch(Random& random) {
  Sketch sketch;
  sketch.scale = static_cast<std::int32_t>(random() % 3) + 2;
  sketch.offset = static_cast<std::int32_t>(random() % 400) - 200;
  sketch.count = sketch.zeros = random() % 20 == 0 ? random() % 5 : 0;
  for (std::size_t n = random() % 40; n > 0; --n) {
    sketch.buckets.push_back(random() % 3 == 0 ? 0 : random() % 50);
    sketch.count += sketch.buckets.back();
  }
  while (!sketch.buckets.empty() && sketch.buckets.back() == 0) sketch.buckets.pop_back();
  while (!sketch.buckets.empty() && sketch.buckets.front() == 0)
    sketch.buckets.erase(sketch.buckets.begin()), ++sketch.offset;
  if (sketch.buckets.empty()) sketch.offset = 0;
  sketch.sum = static_cast<double>(random() % 100'000) / 7;
  sketch.min = 0.001, sketch.max = static_cast<double>(random() % 1000);
  return sketch;
}

SeriesPoints some_series(std::uint32_t sid, bool rolled_up, std::uint32_t ticks, Random& random) {
  SeriesPoints series;
  series.sid = sid;
  series.kind = static_cast<MetricType>(random() % 5);
  series.ticks = some_ticks(random, ticks);
  series.points = series.ticks.size() * 2;
  const std::uint64_t shape = random();
  for (const std::uint32_t tick : series.ticks) {
    if (series.kind == MetricType::histogram) {
      series.sketches.push_back(some_sketch(random));
      series.live_scales.push_back(static_cast<int>(random() % 2) + 5);
      if (rolled_up || random() % 6 != 0) continue;
      ExemplarInfo exemplar{true, 1.5, (kGrid.t0_unix_s + 10 * tick) * 1'000'000'000 + 7, {}, {}};
      exemplar.trace_id.fill(static_cast<std::uint8_t>(tick)), exemplar.span_id.fill(3);
      series.exemplars.push_back({tick, exemplar});
      continue;
    }
    const auto next = [&] { return some_number(series.kind, random, shape); };
    series.last.push_back(next());
    if (rolled_up) {
      series.count.push_back(random() % 6 + 1);
      series.min.push_back(next()), series.max.push_back(next()), series.sum.push_back(next());
    }
  }
  return series;
}

void expect_same(const SeriesPoints& a, const SeriesPoints& b) {
  ASSERT_EQ(a.kind, b.kind);
  ASSERT_EQ(a.ticks, b.ticks);
  ASSERT_EQ(a.points, b.points);
  ASSERT_TRUE(a.last == b.last && a.count == b.count && a.min == b.min && a.max == b.max && a.sum == b.sum);
  ASSERT_EQ(a.live_scales, b.live_scales);
  ASSERT_EQ(a.sketches.size(), b.sketches.size());
  for (std::size_t i = 0; i < a.sketches.size(); ++i) {
    const Sketch &x = a.sketches[i], &y = b.sketches[i];
    ASSERT_TRUE(x.scale == y.scale && x.offset == y.offset && x.zeros == y.zeros && x.count == y.count &&
                x.buckets == y.buckets && x.sum == y.sum && x.min == y.min && x.max == y.max);
  }
  ASSERT_EQ(a.exemplars.size(), b.exemplars.size());
  for (std::size_t i = 0; i < a.exemplars.size(); ++i) {
    ASSERT_EQ(a.exemplars[i].tick, b.exemplars[i].tick);
    ASSERT_EQ(a.exemplars[i].exemplar.time_unix_ns, b.exemplars[i].exemplar.time_unix_ns);
    ASSERT_EQ(a.exemplars[i].exemplar.trace_id, b.exemplars[i].exemplar.trace_id);
  }
}

std::span<const std::uint8_t> body_of(const Bytes& blob, const SegmentEntry& entry) {
  return std::span(blob).subspan(static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.size));
}

struct Segment : testing::Test {
  unsigned seed = std::random_device()();
  Random random{seed};
  testing::ScopedTrace trace{__FILE__, __LINE__, "seed " + std::to_string(seed)};
  SegmentWorkspace work;

  Bytes make(const SegmentGrid& grid, std::size_t number, std::vector<SeriesPoints>& all) {
    SegmentWriter writer(grid, work);
    for (std::uint32_t i = 0; i < number; ++i) {
      all.push_back(some_series(i == 0 ? static_cast<std::uint32_t>(random() % 2)
                                       : all.back().sid + 1 + static_cast<std::uint32_t>(random() % 3),
                                grid.tier > 0, grid.ticks, random));
      writer.add(all.back());
    }
    return writer.finish();
  }
};

TEST_F(Segment, EverySeriesOfEveryTierComesBackBitForBit) {
  for (const SegmentGrid& grid :
       {kGrid, SegmentGrid{0, 1'700'000'010, 10, 359}, SegmentGrid{1, 1'699'920'000, 60, 1440},
        SegmentGrid{2, 1'699'920'000, 3600, 240}, SegmentGrid{0, -20'000, 10, 1}}) {
    std::vector<SeriesPoints> all;
    const Bytes blob = make(grid, 20, all);
    ASSERT_TRUE(segment_sound(blob));
    const auto directory = SegmentDirectory::read(blob, blob.size());
    ASSERT_TRUE(directory);
    ASSERT_EQ(directory->entries.size(), all.size());
    ASSERT_EQ(directory->grid.end_unix_s(), grid.end_unix_s());
    for (const SeriesPoints& series : all) {
      const SegmentEntry* entry = directory->find(series.sid);
      ASSERT_NE(entry, nullptr);
      SeriesPoints back;
      ASSERT_TRUE(read_series(directory->grid, *entry, body_of(blob, *entry), work, back));
      expect_same(back, series);
    }
    ASSERT_EQ(directory->find(all.back().sid + 1), nullptr);
  }
}

TEST_F(Segment, OneSeriesIsReadFromTheHeadAndItsOwnBody) {
  std::vector<SeriesPoints> all;
  Bytes blob = make(kGrid, 10, all);
  const std::size_t needed = SegmentDirectory::bytes_needed(std::span(blob).first(kSegmentHead));
  const auto directory = SegmentDirectory::read(std::span(blob).first(needed), blob.size());
  ASSERT_TRUE(directory);
  const SegmentEntry& entry = directory->entries[4];
  const Bytes body(body_of(blob, entry).begin(), body_of(blob, entry).end());
  SeriesPoints back;
  ASSERT_TRUE(read_series(directory->grid, entry, body, work, back));
  expect_same(back, all[4]);
}

TEST_F(Segment, OneThousandFlippedBitsAreSeenAndCostNoOtherSeries) {
  std::vector<SeriesPoints> all;
  const Bytes whole = make(kGrid, 12, all);
  const auto sound = SegmentDirectory::read(whole, whole.size());
  int seen = 0;
  for (int round = 0; round < 1000; ++round) {
    Bytes blob = whole;
    const std::size_t bit = random() % (blob.size() * 8);
    blob[bit / 8] = static_cast<std::uint8_t>(blob[bit / 8] ^ (1U << (bit % 8)));
    if (!segment_sound(blob)) ++seen;
    const auto directory = SegmentDirectory::read(blob, blob.size());
    if (!directory) continue;
    std::size_t lost = 0;
    SeriesPoints back;
    for (const SegmentEntry& entry : directory->entries)
      if (!read_series(directory->grid, entry, body_of(blob, entry), work, back)) ++lost;
    ASSERT_EQ(lost, 1U) << "bit " << bit;
  }
  EXPECT_EQ(seen, 1000);
}

TEST_F(Segment, ATruncatedSegmentIsRefused) {
  std::vector<SeriesPoints> all;
  const Bytes whole = make(kGrid, 5, all);
  for (std::size_t size = 0; size < whole.size(); size += size < 200 ? 1 : 97) {
    const auto cut = std::span(whole).first(size);
    ASSERT_FALSE(segment_sound(cut)) << size;
    ASSERT_FALSE(SegmentDirectory::read(cut, size)) << size;
  }
}

TEST_F(Segment, HostileBodiesAreRefusedWithoutReadingPastTheirEnd) {
  // As if whoever made them had made fitting checksums too.
  for (int round = 0; round < 300; ++round) {
    const bool rolled_up = random() % 2 == 0;
    const SeriesPoints series = some_series(1, rolled_up, 60, random);
    Bytes body;
    encode_points(series, rolled_up, 60, 0, 10, work, body);
    for (int flips = 0; flips < 20; ++flips) {
      Bytes broken = body;
      broken[random() % broken.size()] = static_cast<std::uint8_t>(random());
      broken.resize(broken.size() - random() % 3 % broken.size());
      SeriesPoints back;
      back.kind = series.kind;
      const Bytes exact(broken.begin(), broken.end());  // its capacity ends where its bytes do, for the sanitizers
      if (!decode_points(exact, rolled_up, 60, 0, 10, work, back)) continue;
      ASSERT_LE(back.ticks.size(), 60U);
      ASSERT_TRUE(std::is_sorted(back.ticks.begin(), back.ticks.end()));
    }
  }
}

TEST_F(Segment, DecimalSeriesCostUnderAByteAPoint) {
  SegmentWriter writer(kGrid, work);
  SeriesPoints series;
  for (std::uint32_t tick = 0; tick < kGrid.ticks; ++tick) series.ticks.push_back(tick);
  double temperature = 40;
  std::uint64_t busy = 0;
  for (std::uint32_t sid = 0; sid < 60; ++sid) {
    series.sid = sid;
    series.kind = sid % 2 == 0 ? MetricType::gauge : MetricType::counter;
    series.last.clear();
    for (std::uint32_t tick = 0; tick < kGrid.ticks; ++tick) {
      temperature = std::nearbyint((temperature + static_cast<double>(random() % 5) * 0.1 - 0.2) * 10) / 10;
      busy = 100 + random() % 12;
      series.last.push_back(sid % 2 == 0 ? std::bit_cast<std::uint64_t>(temperature) : busy);
    }
    writer.add(series);
  }
  EXPECT_LE(static_cast<double>(writer.finish().size()), 0.8 * 60 * 1440);
}

}  // namespace
}  // namespace honeylink::telemetry::store
