// See sketch_codec.h.
#include "store/sketch_codec.h"

#include <algorithm>
#include <bit>

#include "store/metric_codec.h"
#include "store/metric_format.h"
#include "store/segment_reals.h"

namespace honeylink::telemetry::store {
namespace {

using Column = std::vector<std::uint64_t>;

constexpr std::uint64_t as_number(std::int64_t n) noexcept { return static_cast<std::uint64_t>(n); }

// One element for each sketch, but `first`: for each that has buckets; `gaps` and `held`: for each bucket.
struct Columns {
  Column scale, live_scale, zeros, buckets, first, gaps, held, sum, min, max;
};

void take(const Sketch& sketch, int live_scale, Columns& to) {
  to.scale.push_back(as_number(sketch.scale));
  to.live_scale.push_back(as_number(live_scale));
  to.zeros.push_back(sketch.zeros);
  to.sum.push_back(std::bit_cast<std::uint64_t>(sketch.sum));
  to.min.push_back(std::bit_cast<std::uint64_t>(sketch.min));
  to.max.push_back(std::bit_cast<std::uint64_t>(sketch.max));
  std::uint64_t used = 0;
  std::size_t previous = 0;
  for (std::size_t i = 0; i < sketch.buckets.size(); ++i) {
    if (sketch.buckets[i] == 0) continue;
    if (used == 0) to.first.push_back(as_number(std::int64_t{sketch.offset} + static_cast<std::int64_t>(i)));
    else to.gaps.push_back(i - previous - 1);
    to.held.push_back(sketch.buckets[i] - 1);
    previous = i;
    ++used;
  }
  to.buckets.push_back(used);
}

// The buckets of one sketch out of the lists; the places in them move on.
struct Places {
  std::size_t first = 0, gap = 0, held = 0;
};
bool put_buckets(const Columns& from, std::uint64_t buckets, Places& at, Sketch& sketch) {
  sketch.buckets.clear();
  sketch.offset = 0;
  if (buckets == 0) return true;
  const auto first = static_cast<std::int64_t>(from.first[at.first++]);
  if (first < -kSketchIndexMax || first > kSketchIndexMax) return false;
  sketch.offset = static_cast<std::int32_t>(first);
  const std::uint64_t* gaps = from.gaps.data() + at.gap;
  const std::uint64_t* held = from.held.data() + at.held;
  std::uint64_t room = buckets;
  for (std::uint64_t i = 0; i + 1 < buckets; ++i) {
    if (gaps[i] >= kSketchBucketsMax || (room += gaps[i]) > kSketchBucketsMax) return false;
  }
  sketch.buckets.assign(static_cast<std::size_t>(room), 0);
  std::uint64_t* to = sketch.buckets.data();
  for (std::uint64_t i = 0; i < buckets; ++i) {
    if (i > 0) to += gaps[i - 1] + 1;
    *to = held[i] + 1;
    sketch.count += held[i] + 1;
  }
  at.gap += static_cast<std::size_t>(buckets) - 1;
  at.held += static_cast<std::size_t>(buckets);
  return true;
}

bool read(Decoder& in, SegmentWorkspace& work, std::size_t count, Column& column) {
  column.resize(count);
  return decode_integers(in, work, column);
}

bool read_lists(Decoder& in, SegmentWorkspace& work, Columns& columns) {
  std::uint64_t lists = 0, buckets = 0;
  for (const std::uint64_t n : columns.buckets) {
    if (n > kSketchBucketsMax) return false;
    buckets += n;
    lists += n != 0;
  }
  if (buckets > kSketchListMax) return false;
  return read(in, work, static_cast<std::size_t>(lists), columns.first) &&
         read(in, work, static_cast<std::size_t>(buckets - lists), columns.gaps) &&
         read(in, work, static_cast<std::size_t>(buckets), columns.held);
}

bool within(std::uint64_t scale, int low, int high) noexcept {
  const auto n = static_cast<std::int64_t>(scale);
  return n >= low && n <= high;
}

}  // namespace

void encode_sketches(std::span<const Sketch> sketches, std::span<const int> live_scales, SegmentWorkspace& work,
                     Bytes& to) {
  Columns columns;
  for (std::size_t i = 0; i < sketches.size(); ++i) take(sketches[i], live_scales[i], columns);
  for (const Column* column : {&columns.scale, &columns.live_scale, &columns.zeros, &columns.buckets, &columns.first,
                               &columns.gaps, &columns.held}) {
    encode_integers(*column, work, to);
  }
  for (const Column* column : {&columns.sum, &columns.min, &columns.max}) encode_reals(*column, work, to);
}

bool decode_sketches(Decoder& in, SegmentWorkspace& work, std::size_t count, SeriesPoints& points) {
  Columns columns;
  const bool heads = read(in, work, count, columns.scale) && read(in, work, count, columns.live_scale) &&
                     read(in, work, count, columns.zeros) && read(in, work, count, columns.buckets);
  if (!heads || !read_lists(in, work, columns)) return false;
  for (Column* column : {&columns.sum, &columns.min, &columns.max}) {
    column->resize(count);
    if (!decode_reals(in, work, *column)) return false;
  }
  Places at;
  points.sketches.resize(count);
  points.live_scales.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    Sketch& sketch = points.sketches[i];
    if (!within(columns.scale[i], kSketchScaleMin, kStoredScaleMax) || !within(columns.live_scale[i], -128, 127))
      return false;
    sketch.scale = static_cast<std::int32_t>(columns.scale[i]);
    points.live_scales[i] = static_cast<int>(columns.live_scale[i]);
    sketch.count = sketch.zeros = columns.zeros[i];
    if (!put_buckets(columns, columns.buckets[i], at, sketch)) return false;
    sketch.sum = std::bit_cast<double>(columns.sum[i]);
    sketch.min = std::bit_cast<double>(columns.min[i]);
    sketch.max = std::bit_cast<double>(columns.max[i]);
  }
  return true;
}

}  // namespace honeylink::telemetry::store
