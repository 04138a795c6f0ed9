// Writes and reads the blob of docs/formats/metrics_db.md.
#include "store/metric_codec.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "base/crc32c.h"
#include "base/sketch.h"
#include "store/bytes.h"
#include "store/metric_format.h"
#include "store/segment_integers.h"

namespace honeylink::telemetry::store {
namespace {

constexpr double kPowersOfTen[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
static_assert(std::size(kPowersOfTen) == kRealPlacesMax + 1);
constexpr std::int64_t tick_ns(std::int64_t tick) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(tick) * 1'000'000'000U);
}

// Few decimal places and bit-equal after the way back: a varint. Else the eight bytes.
std::uint8_t* put_real(std::uint8_t* to, double value) noexcept {
  for (int places = 0; places <= kRealPlacesMax; ++places) {
    const double scaled = value * kPowersOfTen[places];
    if (!(std::fabs(scaled) < 1e12)) break;
    const auto whole =
        static_cast<std::int64_t>(std::nearbyint(scaled));  // an integer has no negative zero: it fails the comparison
    if (std::bit_cast<std::uint64_t>(static_cast<double>(whole) / kPowersOfTen[places]) ==
        std::bit_cast<std::uint64_t>(value)) {
      *to++ = static_cast<std::uint8_t>(places);
      return encode_varint(to, zigzag(whole));
    }
  }
  *to++ = kRealWhole;
  return encode_fixed(to, value);
}

double get_real(Decoder& in) noexcept {
  const auto head = in.fixed<std::uint8_t>();
  if (head == kRealWhole) return in.fixed<double>();
  const std::int64_t whole = in.signed_varint();
  if (head > kRealPlacesMax) in.bytes(~std::uint64_t{0});  // marks the reader as failed
  return head > kRealPlacesMax ? 0 : static_cast<double>(whole) / kPowersOfTen[head];
}

std::uint8_t* put_sketch(std::uint8_t* to, const Sketch& sketch, int live_scale) noexcept {
  *to++ = static_cast<std::uint8_t>(static_cast<std::int8_t>(std::clamp(sketch.scale, -128, 127)));
  *to++ = static_cast<std::uint8_t>(static_cast<std::int8_t>(std::clamp(live_scale, -128, 127)));
  to = encode_varint(to, sketch.zeros);
  to = encode_varint(to, zigzag(sketch.offset));
  to = encode_varint(to, sketch.buckets.size());
  for (std::size_t i = 0; i < sketch.buckets.size(); ++i) {
    to = encode_varint(to, sketch.buckets[i]);
    if (sketch.buckets[i] != 0) continue;
    std::size_t run = 1;
    while (i + run < sketch.buckets.size() && sketch.buckets[i + run] == 0) ++run;
    to = encode_varint(to, run - 1);
    i += run - 1;
  }
  to = put_real(to, sketch.sum);
  to = put_real(to, sketch.min);
  return put_real(to, sketch.max);
}

void get_sketch(Decoder& in, Sketch& sketch, int& live_scale) {
  sketch.scale = in.fixed<std::int8_t>();
  live_scale = in.fixed<std::int8_t>();
  sketch.count = sketch.zeros = in.varint();
  const std::int64_t offset = in.signed_varint();
  const std::uint64_t buckets = in.varint();
  sketch.offset = static_cast<std::int32_t>(offset);
  const bool bounded = buckets <= kSketchBucketsMax && offset >= -kSketchIndexMax && offset <= kSketchIndexMax &&
                       sketch.scale >= kSketchScaleMin && sketch.scale <= kStoredScaleMax;
  if (!bounded) in.bytes(~std::uint64_t{0});
  sketch.buckets.clear();
  while (in.ok() && sketch.buckets.size() < buckets) {
    const std::uint64_t held = in.varint();
    const std::uint64_t run = held == 0 ? in.varint() : 0;
    if (run >= buckets - sketch.buckets.size()) {
      in.bytes(~std::uint64_t{0});
      break;
    }
    sketch.count += held;
    sketch.buckets.insert(sketch.buckets.end(), static_cast<std::size_t>(run + 1), held);
  }
  sketch.sum = get_real(in);
  sketch.min = get_real(in);
  sketch.max = get_real(in);
}

// Where a sketch is not yet at the store's scale, a scratch copy is made so.
const Sketch& stored_form(const Sketch& live, Sketch& scratch) {
  if (live.scale <= kStoredScaleMax && live.buckets.size() <= kSketchBucketsMax) return live;
  scratch = live;
  trim(scratch);
  downscale(scratch, kStoredScaleMax);
  while (scratch.buckets.size() > kSketchBucketsMax) downscale(scratch, scratch.scale - 1);
  return scratch;
}

// `skipped`: places of the group that have no point, since the point before.
std::uint8_t* put_point(std::uint8_t* to, std::int64_t tick, unsigned skipped, const MetricDelta& delta,
                        const Sketch* sketch) noexcept {
  *to++ = static_cast<std::uint8_t>(static_cast<unsigned>(delta.kind) | (delta.exemplar.present ? kPointExemplar : 0) |
                                    std::min(skipped, kPlacesMore) << kPlacesShift);
  if (skipped >= kPlacesMore) *to++ = static_cast<std::uint8_t>(skipped);
  switch (delta.kind) {
    case MetricType::counter:
      to = encode_varint(to, delta.integer);
      break;
    case MetricType::up_down:
      to = encode_varint(to, zigzag(static_cast<std::int64_t>(delta.integer)));
      break;
    case MetricType::counter_real:
    case MetricType::gauge:
      to = put_real(to, delta.real);
      break;
    case MetricType::histogram:
      to = put_sketch(to, *sketch, delta.sketch != nullptr ? delta.sketch->scale : 0);
      break;
  }
  if (delta.exemplar.present) {
    to = encode_fixed(to, delta.exemplar.value);
    to = encode_varint(to, zigzag(wrapping_difference(delta.exemplar.time_unix_ns, tick_ns(tick))));
    to = encode_fixed(to, delta.exemplar.trace_id);
    to = encode_fixed(to, delta.exemplar.span_id);
  }
  return to;
}

constexpr std::size_t kPointMax = 128;  // of everything but buckets: sid, head, three reals, exemplar

}  // namespace

void encode_tick(std::int64_t tick_unix_s, std::span<const MetricDelta> deltas, std::vector<std::uint8_t>& to) {
  static const Sketch kEmpty;
  std::vector<std::uint32_t> order(deltas.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto by_sid = [&](std::uint32_t a, std::uint32_t b) { return deltas[a].sid < deltas[b].sid; };
  if (!std::is_sorted(order.begin(), order.end(), by_sid)) std::sort(order.begin(), order.end(), by_sid);

  const std::size_t begin = to.size();
  std::size_t used = begin + kMetricBlobHead, group_begin = used;
  std::vector<std::uint8_t> directory;
  Sketch scratch;
  std::uint32_t group = 0, written_group = 0, in_group = 0;
  int place = -1;
  const auto end_group = [&] {
    if (in_group == 0) return;
    for (const std::uint64_t n :
         {std::uint64_t{group - written_group}, std::uint64_t{in_group}, std::uint64_t{used - group_begin}})
      put_varint(directory, n);
    written_group = group;
  };
  for (const std::uint32_t i : order) {
    const MetricDelta& delta = deltas[i];
    if (in_group != 0 && delta.sid / kGroupSeries != group) end_group(), in_group = 0;
    if (in_group == 0) group = delta.sid / kGroupSeries, group_begin = used, place = -1;
    const Sketch* sketch = nullptr;
    if (delta.kind == MetricType::histogram)
      sketch = delta.sketch != nullptr ? &stored_form(*delta.sketch, scratch) : &kEmpty;
    const std::size_t worst = kPointMax + (sketch != nullptr ? sketch->buckets.size() * kVarintBytesMax : 0);
    if (to.size() < used + worst) to.resize(std::max(used + worst, to.size() * 2));
    const int at_place = static_cast<int>(delta.sid % kGroupSeries);
    const auto skipped = static_cast<unsigned>(at_place - place - 1);
    used = static_cast<std::size_t>(put_point(to.data() + used, tick_unix_s, skipped, delta, sketch) - to.data());
    place = at_place;
    ++in_group;
  }
  end_group();
  to.resize(used);
  to.insert(to.begin() + static_cast<std::ptrdiff_t>(begin + kMetricBlobHead), directory.begin(), directory.end());
  std::uint8_t* at = encode_fixed(to.data() + begin, kMetricBlobMagic) + 4;
  at = encode_fixed(at, static_cast<std::uint32_t>(deltas.size()));
  at = encode_fixed(at, static_cast<std::uint32_t>(directory.size()));
  encode_fixed(at, tick_unix_s);
  encode_fixed(to.data() + begin + 4, crc32c(to.data() + begin + 8, to.size() - begin - 8));
}

void encode_sketch(const Sketch& sketch, int live_scale, std::vector<std::uint8_t>& to) {
  Sketch scratch;
  const Sketch& stored = stored_form(sketch, scratch);
  const std::size_t begin = to.size();
  to.resize(begin + kPointMax + stored.buckets.size() * kVarintBytesMax);
  to.resize(static_cast<std::size_t>(put_sketch(to.data() + begin, stored, live_scale) - to.data()));
}

bool decode_sketch(std::span<const std::uint8_t> bytes, Sketch& sketch, int& live_scale) {
  Decoder in(as_text(bytes));
  get_sketch(in, sketch, live_scale);
  return in.ok() && in.rest().empty();
}

MetricBlob::MetricBlob(std::span<const std::uint8_t> bytes) noexcept {
  if (bytes.size() < kMetricBlobHead) return;
  Decoder in(as_text(bytes));
  if (in.fixed<std::uint32_t>() != kMetricBlobMagic) return;
  if (in.fixed<std::uint32_t>() != crc32c(bytes.data() + 8, bytes.size() - 8)) return;
  count_ = in.fixed<std::uint32_t>();
  const auto directory = in.fixed<std::uint32_t>();
  tick_ = in.fixed<std::int64_t>();
  sound_ = directory <= bytes.size() - kMetricBlobHead;
  if (!sound_) return;
  directory_ = bytes.subspan(kMetricBlobHead, directory);
  points_ = bytes.subspan(kMetricBlobHead + directory);
}

bool MetricBlob::end(bool damaged) {
  damaged_ = damaged_ || damaged;
  directory_ = points_ = group_bytes_ = {};
  group_left_ = 0;
  waiting_ = false;
  read_ = count_;
  return false;
}

bool MetricBlob::next_group() {
  if (!group_bytes_.empty() || group_left_ != 0) return end(true);
  if (directory_.empty()) return end(sound_ && (!points_.empty() || read_ != count_));
  Decoder in(as_text(directory_));
  const std::uint64_t after = in.varint(), left = in.varint(), bytes = in.varint();
  if (!in.ok() || (any_group_ && after == 0) || after > 0xffff'ffffU || left == 0 || left > kGroupSeries ||
      bytes > points_.size()) {
    return end(true);
  }
  group_ += after;
  if (group_ > 0xffff'ffffU / kGroupSeries) return end(true);
  any_group_ = true;
  directory_ = as_bytes(in.rest());
  group_left_ = static_cast<std::uint32_t>(left);
  group_bytes_ = points_.first(static_cast<std::size_t>(bytes));
  points_ = points_.subspan(static_cast<std::size_t>(bytes));
  place_ = -1;
  return true;
}

// The head of the next point of the group; place_ is then its place.
bool MetricBlob::next_head(unsigned& head) {
  Decoder in(as_text(group_bytes_));
  head = in.fixed<std::uint8_t>();
  unsigned skipped = head >> kPlacesShift;
  if (skipped == kPlacesMore) skipped = in.fixed<std::uint8_t>();
  place_ += static_cast<int>(skipped) + 1;
  if (!in.ok() || read_ == count_ || place_ >= static_cast<int>(kGroupSeries) ||
      (head & kPointKindMask) > static_cast<unsigned>(MetricType::histogram)) {
    return end(true);
  }
  group_bytes_ = as_bytes(in.rest());
  --group_left_;
  ++read_;
  return true;
}

bool MetricBlob::take(unsigned head, StoredPoint& point) {
  Decoder in(as_text(group_bytes_));
  point.sid = static_cast<std::uint32_t>(group_ * kGroupSeries) + static_cast<std::uint32_t>(place_);
  point.kind = static_cast<MetricType>(head & kPointKindMask);
  point.integer = 0, point.real = 0, point.live_scale = 0;
  point.exemplar = {};
  point.exemplar.present = (head & kPointExemplar) != 0;
  switch (point.kind) {
    case MetricType::counter:
      point.integer = in.varint();
      break;
    case MetricType::up_down:
      point.integer = static_cast<std::uint64_t>(in.signed_varint());
      break;
    case MetricType::counter_real:
    case MetricType::gauge:
      point.real = get_real(in);
      break;
    case MetricType::histogram:
      get_sketch(in, point.sketch, point.live_scale);
      break;
  }
  if (point.exemplar.present) {
    point.exemplar.value = in.fixed<double>();
    point.exemplar.time_unix_ns = wrapping_sum(tick_ns(tick_), in.signed_varint());
    point.exemplar.trace_id = in.fixed<std::array<std::uint8_t, 16>>();
    point.exemplar.span_id = in.fixed<std::array<std::uint8_t, 8>>();
  }
  if (!in.ok()) return end(true);
  group_bytes_ = as_bytes(in.rest());
  return true;
}

bool MetricBlob::next(StoredPoint& point) {
  unsigned head = 0;
  if (group_left_ == 0 && !next_group()) return false;
  return next_head(head) && take(head, point);
}

bool MetricBlob::find(std::uint32_t sid, StoredPoint& point) {
  const std::uint32_t group = sid / kGroupSeries;
  const int place = static_cast<int>(sid % kGroupSeries);
  while (!any_group_ || group_ < group) {
    read_ += group_left_;
    group_left_ = 0;
    group_bytes_ = {};
    waiting_ = false;
    if (!next_group()) return false;
  }
  if (group_ > group) return false;
  while (waiting_ || group_left_ != 0) {
    if (!waiting_ && !next_head(head_)) return false;
    waiting_ = place_ > place;
    if (waiting_) return false;
    if (!take(head_, point)) return false;
    if (place_ == place) return true;
  }
  return false;
}

}  // namespace honeylink::telemetry::store
