// Packing and reading segments (Google Benchmark): points a second and bytes a point, head and directory included.
// Series as applications make them: counters with Poisson noise and a day's rhythm, idle counters, decimal gauges,
// memory in pages, seconds of processor time. `full` are doubles of full precision: ratios and random walks.
// `aggregates` are the same decimal series as five fields a minute, `histograms` sketches of 5 to 100 observations.
#include <benchmark/benchmark.h>

#include <bit>
#include <cmath>
#include <random>

#include "base/sketch.h"
#include "store/rollup.h"
#include "store/segment_blob.h"

namespace {
using namespace honeylink::telemetry;
using namespace honeylink::telemetry::store;

constexpr std::int64_t kBegin = 1'699'488'000;
constexpr SegmentGrid kWindow{0, kBegin, 10, 1440};
constexpr std::uint32_t kSeries = 64;

std::uint64_t bits_of(double value) { return std::bit_cast<std::uint64_t>(value); }
double rounded(double value, double unit) { return std::nearbyint(value / unit) / std::nearbyint(1 / unit); }

// One series of ten-second points; goes on from call to call.
class Series {
 public:
  Series(std::uint32_t sid, bool full) : random_(sid + 1), sid_(sid), full_(full) {}

  SeriesPoints window(const SegmentGrid& grid) {
    SeriesPoints series;
    series.sid = sid_;
    series.kind = kind();
    for (std::uint32_t tick = 0; tick < grid.ticks; ++tick) {
      const double phase = static_cast<double>(grid.t0_unix_s + 10 * tick) / 86'400 * 6.2832;
      const double load = 1 + 0.6 * std::sin(phase);
      const std::uint64_t point = next(load);
      if (series.kind == MetricType::counter && point == 0) continue;  // what did not change is not stored
      if (series.kind == MetricType::gauge && point == last_) continue;
      last_ = point;
      series.ticks.push_back(tick);
      series.last.push_back(point);
    }
    series.points = series.ticks.size();
    return series;
  }

 private:
  [[nodiscard]] MetricType kind() const {
    if (full_) return MetricType::gauge;
    return sid_ % 10 < 6 ? MetricType::counter : sid_ % 10 == 9 ? MetricType::counter_real : MetricType::gauge;
  }
  std::uint64_t next(double load) {
    std::normal_distribution<double> noise;
    if (full_) {
      if (sid_ % 2 == 0)
        return bits_of(static_cast<double>(900 + random_() % 100) / static_cast<double>(1000 + random_() % 50));
      return bits_of(level_ *= 1 + 1e-4 * noise(random_));
    }
    constexpr double kRates[] = {0.01, 0.3, 4, 30, 200, 3000};
    switch (sid_ % 10) {
      case 6:
        return bits_of(level_ = rounded(level_ + 0.1 * noise(random_), 0.1));
      case 7:
        return bits_of(pages_ += 4096.0 * std::nearbyint(noise(random_)));
      case 8:
        return bits_of(rounded(50 * load + 2 * noise(random_), 0.01));
      case 9:
        return bits_of(rounded(load + 0.05 * std::fabs(noise(random_)), 0.001));
      default:
        return std::poisson_distribution<std::uint64_t>(kRates[sid_ % 10] * load)(random_);
    }
  }
  std::mt19937_64 random_;
  std::uint32_t sid_;
  bool full_;
  double level_ = 40, pages_ = 1e8;
  std::uint64_t last_ = 0;
};

std::vector<SeriesPoints> windows(bool full) {
  std::vector<SeriesPoints> all;
  for (std::uint32_t sid = 0; sid < kSeries; ++sid) all.push_back(Series(sid, full).window(kWindow));
  return all;
}

SegmentGrid aggregated_day() { return {1, kBegin, 60, 1440}; }

std::vector<SeriesPoints> aggregates() {
  std::vector<SeriesPoints> all(kSeries);
  for (std::uint32_t sid = 0; sid < kSeries; ++sid) {
    Series series(sid, false);
    Rollup rollup(aggregated_day());
    for (int part = 0; part < 6; ++part) {
      const SegmentGrid grid{0, kBegin + part * 14'400, 10, 1440};
      const SeriesPoints points = series.window(grid);
      if (part == 0) rollup.begin(sid, points.kind);
      rollup.add(points, grid);
    }
    rollup.finish(all[sid]);
    all[sid].sid = sid;
  }
  return all;
}

std::vector<SeriesPoints> histograms() {
  std::vector<SeriesPoints> all(8);
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> duration(-1.6, 0.5);
  for (std::uint32_t sid = 0; sid < all.size(); ++sid) {
    all[sid].sid = sid;
    all[sid].kind = MetricType::histogram;
    for (std::uint32_t tick = 0; tick < kWindow.ticks; ++tick) {
      Sketch sketch;
      for (std::uint64_t n = 5 + random() % 96; n > 0; --n) {
        const double value = rounded(duration(random), 1e-6);
        const auto index = static_cast<std::int32_t>(std::ceil(std::log2(value) * 16)) - 1;
        merge(sketch, Sketch{4, index, 0, 1, value, value, value, {1}});
      }
      all[sid].ticks.push_back(tick);
      all[sid].sketches.push_back(std::move(sketch));
      all[sid].live_scales.push_back(6);
    }
  }
  return all;
}

struct Kind {
  SegmentGrid grid;
  std::vector<SeriesPoints> series;
};
Kind kind_of(std::int64_t number) {
  switch (number) {
    case 0:
      return {kWindow, windows(false)};
    case 1:
      return {kWindow, windows(true)};
    case 2:
      return {aggregated_day(), aggregates()};
    default:
      return {kWindow, histograms()};
  }
}

Bytes pack_once(const Kind& kind, SegmentWorkspace& work) {
  SegmentWriter writer(kind.grid, work);
  for (const SeriesPoints& series : kind.series) writer.add(series);
  return writer.finish();
}

// Points of the whole grid: what did not change took no byte, but was a point.
double grid_points(const Kind& kind) { return static_cast<double>(kind.series.size()) * kind.grid.ticks; }
double stored_points(const Kind& kind) {
  double sum = 0;
  for (const SeriesPoints& series : kind.series) sum += static_cast<double>(series.ticks.size());
  return sum;
}

void count(benchmark::State& state, const Kind& kind, const Bytes& blob) {
  const double stored = stored_points(kind);
  state.counters["points/s"] =
      benchmark::Counter(stored * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  state.counters["bytes_stored"] = static_cast<double>(blob.size()) / stored;
  state.counters["bytes_grid"] = static_cast<double>(blob.size()) / grid_points(kind);
}

void pack(benchmark::State& state) {
  const Kind kind = kind_of(state.range(0));
  SegmentWorkspace work;
  Bytes blob;
  for (auto _ : state) benchmark::DoNotOptimize(blob = pack_once(kind, work));
  count(state, kind, blob);
}

void read(benchmark::State& state) {
  const Kind kind = kind_of(state.range(0));
  SegmentWorkspace work;
  const Bytes blob = pack_once(kind, work);
  SeriesPoints points;
  for (auto _ : state) {
    const auto directory = SegmentDirectory::read(blob, blob.size());
    for (const SegmentEntry& entry : directory->entries) {
      const auto body =
          std::span(blob).subspan(static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.size));
      if (!read_series(directory->grid, entry, body, work, points)) return state.SkipWithError("damaged");
    }
  }
  count(state, kind, blob);
}

void read_one_of_64(benchmark::State& state) {
  const Kind kind = kind_of(0);
  SegmentWorkspace work;
  const Bytes blob = pack_once(kind, work);
  SeriesPoints points;
  for (auto _ : state) {
    const auto directory = SegmentDirectory::read(blob, blob.size());
    const SegmentEntry& entry = *directory->find(38);
    const auto body =
        std::span(blob).subspan(static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.size));
    if (!read_series(directory->grid, entry, body, work, points)) return state.SkipWithError("damaged");
  }
}

}  // namespace

// 0 decimal, 1 full doubles, 2 five-field aggregates of a minute, 3 histograms
BENCHMARK(pack)->DenseRange(0, 3)->Unit(benchmark::kMicrosecond);
BENCHMARK(read)->DenseRange(0, 3)->Unit(benchmark::kMicrosecond);
BENCHMARK(read_one_of_64)->Unit(benchmark::kMicrosecond);
