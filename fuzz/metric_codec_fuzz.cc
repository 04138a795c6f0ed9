// Blobs of metrics.db from anybody: the bytes as they are, and again with a header and checksum that fit. What comes
// out is asked for what query and service levels ask: quantiles, shares, a coarser scale, a merge.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/crc32c.h"
#include "base/sketch.h"
#include "store/metric_codec.h"
#include "store/metric_format.h"

namespace {
using namespace honeylink::telemetry::store;
using honeylink::telemetry::Sketch;

double asked = 0;

void read(std::span<const std::uint8_t> bytes) {
  MetricBlob blob(bytes);
  StoredPoint point;
  Sketch sum;
  std::uint32_t points = 0;
  while (blob.next(point)) {
    ++points;
    if (point.kind != honeylink::telemetry::MetricType::histogram) continue;
    if (point.sketch.buckets.size() > kSketchBucketsMax) std::abort();
    asked += quantile(point.sketch, 0.95) + count_above(point.sketch, 0.5);
    merge(sum, point.sketch);
    downscale(point.sketch, 0);
  }
  if (points > blob.count() || sum.buckets.size() > 320 || blob.next(point)) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read({data, size});
  if (size < kMetricBlobHead) return 0;
  std::vector<std::uint8_t> bytes(data, data + size);
  std::memcpy(bytes.data(), &kMetricBlobMagic, 4);
  const std::uint32_t crc = honeylink::telemetry::crc32c(bytes.data() + 8, size - 8);
  std::memcpy(bytes.data() + 4, &crc, 4);
  read(bytes);
  MetricBlob some(bytes);
  StoredPoint point;
  for (std::uint32_t sid = 0; sid < 300; sid += 3) {
    if (some.find(sid, point) && point.sid != sid) std::abort();
  }
  return 0;
}
