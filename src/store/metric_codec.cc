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

std::uint8_t* put_point(std::uint8_t* to, std::int64_t tick, const MetricDelta& delta, const Sketch* sketch) noexcept {
  *to++ = static_cast<std::uint8_t>(static_cast<unsigned>(delta.kind) | (delta.exemplar.present ? kPointExemplar : 0));
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
  std::size_t used = begin + kMetricBlobHead;
  std::uint32_t previous = 0;
  Sketch scratch;
  for (const std::uint32_t i : order) {
    const MetricDelta& delta = deltas[i];
    const Sketch* sketch = nullptr;
    if (delta.kind == MetricType::histogram)
      sketch = delta.sketch != nullptr ? &stored_form(*delta.sketch, scratch) : &kEmpty;
    const std::size_t worst = kPointMax + (sketch != nullptr ? sketch->buckets.size() * kVarintBytesMax : 0);
    if (to.size() < used + worst) to.resize(std::max(used + worst, to.size() * 2));
    std::uint8_t* at = encode_varint(to.data() + used, delta.sid - previous);
    previous = delta.sid;
    at = put_point(at, tick_unix_s, delta, sketch);
    used = static_cast<std::size_t>(at - to.data());
  }
  to.resize(used);
  std::uint8_t* at = encode_fixed(to.data() + begin, kMetricBlobMagic) + 4;
  at = encode_fixed(at, static_cast<std::uint32_t>(deltas.size()));
  at = encode_fixed(at, std::uint32_t{0});
  encode_fixed(at, tick_unix_s);
  encode_fixed(to.data() + begin + 4, crc32c(to.data() + begin + 8, used - begin - 8));
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
  in.fixed<std::uint32_t>();
  tick_ = in.fixed<std::int64_t>();
  rest_ = as_bytes(in.rest());
  sound_ = true;
}

bool MetricBlob::next(StoredPoint& point) {
  if (rest_.empty() || read_ == count_) {
    damaged_ = damaged_ || (sound_ && (!rest_.empty() || read_ != count_));
    rest_ = {};
    read_ = count_;
    return false;
  }
  Decoder in(as_text(rest_));
  sid_ += varint32(in);
  const unsigned head = in.fixed<std::uint8_t>();
  if ((head & kPointKindMask) > static_cast<unsigned>(MetricType::histogram)) in.bytes(~std::uint64_t{0});
  point.sid = sid_;
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
    default:
      break;
  }
  if (point.exemplar.present) {
    point.exemplar.value = in.fixed<double>();
    point.exemplar.time_unix_ns = wrapping_sum(tick_ns(tick_), in.signed_varint());
    point.exemplar.trace_id = in.fixed<std::array<std::uint8_t, 16>>();
    point.exemplar.span_id = in.fixed<std::array<std::uint8_t, 8>>();
  }
  if (!in.ok()) {
    damaged_ = true;
    rest_ = {};
    read_ = count_;
    return false;
  }
  rest_ = as_bytes(in.rest());
  ++read_;
  return true;
}

}  // namespace honeylink::telemetry::store
