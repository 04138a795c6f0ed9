// See point_digest.h.
#include "store/point_digest.h"

#include <cstring>

#include "base/crc32c.h"
#include "base/sketch.h"
#include "store/bytes.h"
#include "store/metric_codec.h"
#include "store/metric_format.h"
#include "store/segment_integers.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::size_t kHead = 8;  // u32 bytes that follow, u32 crc32c of them

}  // namespace

void put_digest(const SeriesPoints& points, std::int64_t t0_unix_s, Bytes& to) {
  Sketch all;
  int live_scale = 127;
  for (const Sketch& sketch : points.sketches) merge(all, sketch, kSketchBucketsMax);
  for (const int scale : points.live_scales) live_scale = std::min(live_scale, scale);
  const TickExemplar* largest = nullptr;
  for (const TickExemplar& of : points.exemplars)
    if (largest == nullptr || of.exemplar.value > largest->exemplar.value) largest = &of;
  Bytes digest;
  digest.push_back(largest != nullptr ? 1 : 0);
  if (largest != nullptr) {
    put_fixed(digest, largest->exemplar.value);
    put_signed(digest, wrapping_difference(largest->exemplar.time_unix_ns, wrapping_product(t0_unix_s, 1'000'000'000)));
    put_bytes(digest, largest->exemplar.trace_id.data(), largest->exemplar.trace_id.size());
    put_bytes(digest, largest->exemplar.span_id.data(), largest->exemplar.span_id.size());
  }
  encode_sketch(all, live_scale, digest);
  put_fixed(to, static_cast<std::uint32_t>(digest.size()));
  put_fixed(to, crc32c(std::span<const std::uint8_t>(digest)));
  put_bytes(to, digest.data(), digest.size());
}

std::size_t digest_bytes(std::span<const std::uint8_t> body) noexcept {
  if (body.size() < kHead) return 0;
  std::uint32_t bytes = 0;
  std::memcpy(&bytes, body.data(), sizeof bytes);
  return kHead + bytes;
}

std::optional<SegmentDigest> read_digest(std::span<const std::uint8_t> body, std::int64_t t0_unix_s) {
  const std::size_t bytes = digest_bytes(body);
  if (bytes == 0 || bytes > body.size()) return std::nullopt;
  std::uint32_t crc = 0;
  std::memcpy(&crc, body.data() + 4, sizeof crc);
  const auto inside = body.subspan(kHead, bytes - kHead);
  if (crc32c(inside) != crc) return std::nullopt;
  SegmentDigest digest;
  Decoder in(as_text(inside));
  const auto has_exemplar = in.fixed<std::uint8_t>();
  digest.exemplar.present = has_exemplar == 1;
  if (digest.exemplar.present) {
    digest.exemplar.value = in.fixed<double>();
    digest.exemplar.time_unix_ns = wrapping_sum(wrapping_product(t0_unix_s, 1'000'000'000), in.signed_varint());
    digest.exemplar.trace_id = in.fixed<std::array<std::uint8_t, 16>>();
    digest.exemplar.span_id = in.fixed<std::array<std::uint8_t, 8>>();
  }
  if (!in.ok() || has_exemplar > 1 || !decode_sketch(as_bytes(in.rest()), digest.sketch, digest.live_scale))
    return std::nullopt;
  return digest;
}

}  // namespace honeylink::telemetry::store
