// See point_codec.h.
#include "store/point_codec.h"

#include <algorithm>
#include <numeric>

#include "store/bytes.h"
#include "store/point_aggregates.h"
#include "store/point_digest.h"
#include "store/segment_reals.h"
#include "store/sketch_codec.h"

namespace honeylink::telemetry::store {
namespace {

using Column = std::vector<std::uint64_t>;

void put_presence(const std::vector<std::uint32_t>& present, std::uint32_t ticks, SegmentWorkspace& work, Bytes& to) {
  if (present.size() == ticks) return to.push_back(static_cast<std::uint8_t>(PresenceForm::all));
  Bytes runs;
  std::uint32_t end = 0, number = 0;
  for (std::size_t i = 0; i < present.size();) {
    std::size_t last = i;
    while (last + 1 < present.size() && present[last + 1] == present[last] + 1) ++last;
    put_varint(runs, present[i] - end);
    put_varint(runs, present[last] + 1 - present[i]);
    number += 2;
    end = present[last] + 1;
    i = last + 1;
  }
  Bytes bitmap((ticks + 7) / 8, 0), frame;
  for (const std::uint32_t tick : present)
    bitmap[tick / 8] = static_cast<std::uint8_t>(bitmap[tick / 8] | (1U << (tick % 8)));
  if (runs.size() <= 8 || runs.size() <= bitmap.size() / 8) {
    to.push_back(static_cast<std::uint8_t>(PresenceForm::runs));
    put_varint(to, number);
    return put_bytes(to, runs.data(), runs.size());
  }
  const bool framed = work.frames.append_if_smaller(bitmap, frame);
  const Bytes& map = framed ? frame : bitmap;
  if (runs.size() < map.size()) {
    to.push_back(static_cast<std::uint8_t>(PresenceForm::runs));
    put_varint(to, number);
    return put_bytes(to, runs.data(), runs.size());
  }
  to.push_back(static_cast<std::uint8_t>(framed ? PresenceForm::bitmap_frame : PresenceForm::bitmap));
  put_bytes(to, map.data(), map.size());
}

bool get_runs(Decoder& in, std::uint32_t ticks, std::vector<std::uint32_t>& present) {
  const std::uint64_t runs = in.varint();
  if (!in.ok() || runs > 2 * std::uint64_t{ticks}) return false;
  std::uint64_t at = 0;
  for (std::uint64_t run = 0; run < runs; ++run) {
    const std::uint64_t length = in.varint();
    if (!in.ok() || length > ticks - at) return false;
    for (std::uint64_t i = 0; run % 2 == 1 && i < length; ++i) present.push_back(static_cast<std::uint32_t>(at + i));
    at += length;
  }
  return true;
}

bool get_presence(Decoder& in, std::uint32_t ticks, SegmentWorkspace& work, std::vector<std::uint32_t>& present) {
  present.clear();
  const auto form = static_cast<PresenceForm>(in.fixed<std::uint8_t>());
  if (!in.ok()) return false;
  if (form == PresenceForm::all) {
    present.resize(ticks);
    std::iota(present.begin(), present.end(), 0U);
    return true;
  }
  if (form == PresenceForm::runs) return get_runs(in, ticks, present);
  Bytes bitmap((ticks + 7) / 8);
  if (form == PresenceForm::bitmap) {
    const std::string_view bytes = in.bytes(bitmap.size());
    if (bytes.size() != bitmap.size()) return false;
    std::copy(bytes.begin(), bytes.end(), bitmap.begin());
  } else if (form != PresenceForm::bitmap_frame || !work.frames.read(in, bitmap)) {
    return false;
  }
  for (std::uint32_t tick = 0; tick < ticks; ++tick)
    if ((bitmap[tick / 8] >> (tick % 8) & 1U) != 0) present.push_back(tick);
  return true;
}

void put_exemplars(const SeriesPoints& from, std::int64_t t0, std::int64_t step, Bytes& to) {
  put_varint(to, from.exemplars.size());
  std::uint32_t previous = 0;
  for (const TickExemplar& held : from.exemplars) {
    const std::int64_t tick_ns = wrapping_product(t0 + held.tick * step, 1'000'000'000);
    put_varint(to, held.tick - previous);
    put_fixed(to, held.exemplar.value);
    put_signed(to, wrapping_difference(held.exemplar.time_unix_ns, tick_ns));
    put_bytes(to, held.exemplar.trace_id.data(), held.exemplar.trace_id.size());
    put_bytes(to, held.exemplar.span_id.data(), held.exemplar.span_id.size());
    previous = held.tick;
  }
}

bool get_exemplars(Decoder& in, std::uint32_t ticks, std::int64_t t0, std::int64_t step, SeriesPoints& to) {
  const std::uint64_t number = in.varint();
  if (!in.ok() || number > ticks) return false;
  std::uint64_t tick = 0;
  for (std::uint64_t i = 0; i < number; ++i) {
    TickExemplar held;
    tick += in.varint();
    held.exemplar.present = true;
    held.exemplar.value = in.fixed<double>();
    const std::int64_t after = in.signed_varint();
    held.exemplar.trace_id = in.fixed<std::array<std::uint8_t, 16>>();
    held.exemplar.span_id = in.fixed<std::array<std::uint8_t, 8>>();
    if (!in.ok() || tick >= ticks) return false;
    held.tick = static_cast<std::uint32_t>(tick);
    const std::int64_t tick_s = wrapping_sum(t0, static_cast<std::int64_t>(tick) * step);
    held.exemplar.time_unix_ns = wrapping_sum(wrapping_product(tick_s, 1'000'000'000), after);
    to.exemplars.push_back(held);
  }
  return true;
}

}  // namespace

void encode_points(const SeriesPoints& series, bool rolled_up, std::uint32_t ticks, std::int64_t t0_unix_s,
                   std::int64_t step_s, SegmentWorkspace& work, Bytes& to) {
  if (series.kind == MetricType::histogram) put_digest(series, t0_unix_s, to);
  put_presence(series.ticks, ticks, work, to);
  if (series.kind == MetricType::histogram) {
    encode_sketches(series.sketches, series.live_scales, work, to);
    if (!rolled_up) put_exemplars(series, t0_unix_s, step_s, to);
  } else if (!rolled_up) {
    if (is_real(series.kind)) encode_reals(series.last, work, to);
    else encode_integers(series.last, work, to);
  } else if (!series.ticks.empty()) {
    encode_aggregates(series, work, to);
  }
}

bool decode_points(std::span<const std::uint8_t> body, bool rolled_up, std::uint32_t ticks, std::int64_t t0_unix_s,
                   std::int64_t step_s, SegmentWorkspace& work, SeriesPoints& series) {
  series.clear_columns();
  std::size_t before = 0;
  if (series.kind == MetricType::histogram) {
    before = digest_bytes(body);
    if (before == 0 || before > body.size()) return false;
  } else {
    series.sketches.clear();
  }
  Decoder in(as_text(body.subspan(before)));
  if (!get_presence(in, ticks, work, series.ticks)) return false;
  const std::size_t n = series.ticks.size();
  if (series.kind == MetricType::histogram) {
    return decode_sketches(in, work, n, series) && (rolled_up || get_exemplars(in, ticks, t0_unix_s, step_s, series)) &&
           in.at_end();
  }
  series.last.resize(n);
  if (!rolled_up) {
    const bool whole =
        is_real(series.kind) ? decode_reals(in, work, series.last) : decode_integers(in, work, series.last);
    return whole && in.at_end();
  }
  for (Column* column : {&series.count, &series.min, &series.max, &series.sum}) column->resize(n);
  return (n == 0 || decode_aggregates(in, work, series)) && in.at_end();
}

}  // namespace honeylink::telemetry::store
