// Aggregates come back bit for bit, those that a roll-up makes and those that no roll-up would; the former cheaply.
#include "store/point_aggregates.h"

#include <bit>
#include <cmath>
#include <random>

#include "store/bytes.h"
#include "store/test_support.h"

namespace honeylink::telemetry::store {
namespace {

struct Aggregates : testing::Test {
  unsigned seed = std::random_device()();
  std::mt19937_64 random{seed};
  testing::ScopedTrace trace{__FILE__, __LINE__, "seed " + std::to_string(seed)};
  SegmentWorkspace work;

  /// Of `count` numbers around `level`, each a multiple of `unit`, over 10^places.
  SeriesPoints made(MetricType kind, std::size_t n, double level, double scatter, double unit, int places) {
    std::normal_distribution<double> noise;
    SeriesPoints points;
    points.kind = kind;
    const double scale = std::pow(10.0, places);
    const auto bits = [&](double whole) {
      return is_real(kind) ? std::bit_cast<std::uint64_t>(whole / scale)
                           : static_cast<std::uint64_t>(static_cast<std::int64_t>(whole));
    };
    for (std::uint32_t tick = 0; tick < n; ++tick) {
      const std::uint64_t count = random() % 10 == 0 ? random() % 6 + 1 : 6;
      double min = INFINITY, max = -INFINITY, sum = 0, last = 0;
      for (std::uint64_t i = 0; i < count; ++i) {
        last = std::nearbyint(level + scatter * noise(random)) * unit;
        min = std::min(min, last), max = std::max(max, last), sum += last;
      }
      points.ticks.push_back(tick);
      points.count.push_back(count), points.last.push_back(bits(last)), points.sum.push_back(bits(sum));
      points.min.push_back(bits(min)), points.max.push_back(bits(max));
    }
    return points;
  }

  std::size_t expect_back(const SeriesPoints& points) {
    Bytes bytes;
    encode_aggregates(points, work, bytes);
    bytes.push_back(0xa5);
    Decoder in(as_text(bytes));
    SeriesPoints back;
    back.kind = points.kind;
    for (auto* column : {&back.count, &back.last, &back.min, &back.max, &back.sum}) column->resize(points.ticks.size());
    EXPECT_TRUE(decode_aggregates(in, work, back));
    EXPECT_TRUE(back.count == points.count && back.last == points.last && back.min == points.min &&
                back.max == points.max && back.sum == points.sum);
    EXPECT_EQ(in.rest().size(), 1U);
    for (std::size_t size = 0; size + 1 < bytes.size(); size += size < 40 ? 1 : 61) {
      Decoder cut(as_text(std::span(bytes).first(size)));
      EXPECT_FALSE(decode_aggregates(cut, work, back)) << size;
    }
    return bytes.size() - 1;
  }
};

TEST_F(Aggregates, OfEveryKindAndScaleComeBack) {
  for (const double scatter : {0.0, 0.4, 30.0, 1e6}) {
    for (const double unit : {1.0, 4096.0}) {
      for (const std::size_t n : {std::size_t{1}, std::size_t{2}, std::size_t{1440}}) {
        expect_back(made(MetricType::counter, n, 1e7, scatter, unit, 0));
        expect_back(made(MetricType::up_down, n, 0, scatter, unit, 0));
        expect_back(made(MetricType::counter_real, n, 1e6, scatter, unit, 3));
        expect_back(made(MetricType::gauge, n, -1e4, scatter, unit, 2));
      }
    }
  }
}

TEST_F(Aggregates, ThatNoRollUpMakesComeBackToo) {
  for (int round = 0; round < 200; ++round) {
    SeriesPoints points = made(static_cast<MetricType>(random() % 4), random() % 100 + 1, 1e3, 100, 1, 0);
    for (auto* column : {&points.count, &points.last, &points.min, &points.max, &points.sum})
      for (std::uint64_t& n : *column)
        if (random() % 30 == 0) n = random() >> (random() % 64);
    expect_back(points);
  }
}

TEST_F(Aggregates, AMultipleOfAPageIsToldInPages) {
  const std::size_t in_bytes = expect_back(made(MetricType::gauge, 1440, 1e5, 4, 4096, 0));
  const std::size_t in_pages = expect_back(made(MetricType::gauge, 1440, 1e5, 4, 1, 0));
  EXPECT_LT(static_cast<double>(in_bytes), static_cast<double>(in_pages) * 1.03);
}

// Six numbers a minute about a level: what it is, how far they reach, and the last one.
TEST_F(Aggregates, OfAMinuteCostWhatIsNotKnownOfThem) {
  EXPECT_LT(expect_back(made(MetricType::counter, 1440, 1e5, 30, 1, 0)), std::size_t{1440 * 36 / 10});
  EXPECT_LT(expect_back(made(MetricType::gauge, 1440, 1e4, 1, 1, 2)), std::size_t{1440 * 16 / 10});
}

}  // namespace
}  // namespace honeylink::telemetry::store
