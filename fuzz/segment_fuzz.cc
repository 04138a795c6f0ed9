// Segments of metrics.db from anybody. The first byte says as what the rest is read: a column of integers or of reals,
// a body of any kind and tier, or a whole blob, which is tried again with a head, a directory and checksums that fit.
// What comes out is rolled up, as the engine would, and asked for quantiles, as query would.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/crc32c.h"
#include "base/sketch.h"
#include "store/bytes.h"
#include "store/metric_format.h"
#include "store/point_codec.h"
#include "store/point_digest.h"
#include "store/rollup.h"
#include "store/segment_blob.h"
#include "store/segment_reals.h"

namespace {
using namespace honeylink::telemetry;
using namespace honeylink::telemetry::store;

double asked = 0;

void use(const SeriesPoints& points, const SegmentGrid& grid) {
  if (!std::is_sorted(points.ticks.begin(), points.ticks.end())) std::abort();
  if (!points.ticks.empty() && points.ticks.back() >= grid.ticks) std::abort();
  const Tier& tier = kTiers[static_cast<std::size_t>(std::min(grid.tier + 1, 2))];
  Rollup rollup({tier.number, grid.t0_unix_s, tier.step_s, static_cast<std::uint32_t>(tier.ticks)});
  rollup.begin(points.sid, points.kind);
  rollup.add(points, grid);
  SeriesPoints sum;
  if (rollup.finish(sum) == points.ticks.empty() && grid.step_s * grid.ticks <= tier.window_s()) std::abort();
  for (const Sketch& sketch : sum.sketches) {
    if (sketch.buckets.size() > kHistogramBucketsMax) std::abort();
    asked += quantile(sketch, 0.95);
  }
}

void read_columns(std::span<const std::uint8_t> bytes, bool reals) {
  SegmentWorkspace work;
  std::vector<std::uint64_t> column(bytes.size() % 700);
  Decoder in(as_text(bytes));
  if (!(reals ? decode_reals(in, work, column) : decode_integers(in, work, column))) return;
  Bytes again;  // what could be read can be written, and then read as the same
  if (reals) encode_reals(column, work, again);
  else encode_integers(column, work, again);
  std::vector<std::uint64_t> back(column.size());
  Decoder second(as_text(again));
  if (!(reals ? decode_reals(second, work, back) : decode_integers(second, work, back)) || back != column) std::abort();
}

void read_blob(std::span<const std::uint8_t> blob) {
  const auto directory = SegmentDirectory::read(blob, blob.size());
  if (!directory) return;
  SegmentWorkspace work;
  for (SegmentEntry entry : directory->entries) {
    const auto body = blob.subspan(static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.size));
    SeriesPoints points;
    entry.crc = crc32c(body);
    if (read_series(directory->grid, entry, body, work, points)) use(points, directory->grid);
  }
}

void repair_and_read(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < kSegmentHead) return;
  Bytes blob(bytes.begin(), bytes.end());
  std::memcpy(blob.data(), &kSegmentMagic, 4);
  blob[8] = static_cast<std::uint8_t>(blob[8] % kTiers.size());
  const auto step = static_cast<std::uint32_t>(kTiers[blob[8]].step_s);
  std::memcpy(blob.data() + 16, &step, 4);
  const std::size_t needed = SegmentDirectory::bytes_needed(blob);
  if (needed == 0 || needed > blob.size()) return;
  const std::uint32_t crc = crc32c(std::span(blob).subspan(8, needed - 8));
  std::memcpy(blob.data() + 4, &crc, 4);
  read_blob(blob);
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::span<const std::uint8_t> rest(data + 1, size - 1);
  const unsigned way = data[0];
  if (way == 0 || way == 1) {
    read_columns(rest, way == 1);
  } else if (way < 32) {
    SegmentGrid grid{static_cast<int>(way % 3), 1'700'000'000, 0, 240};
    grid.step_s = kTiers[static_cast<std::size_t>(grid.tier)].step_s;
    SegmentWorkspace work;
    SeriesPoints points;
    points.kind = static_cast<MetricType>(way / 3 % 5);
    if (const auto digest = read_digest(rest, grid.t0_unix_s);
        digest && digest->sketch.buckets.size() > kSketchBucketsMax)
      std::abort();
    if (decode_points(rest, grid.tier > 0, grid.ticks, grid.t0_unix_s, grid.step_s, work, points)) use(points, grid);
  } else {
    read_blob(rest);
    repair_and_read(rest);
  }
  return 0;
}
