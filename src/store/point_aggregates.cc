// See point_aggregates.h.
#include "store/point_aggregates.h"

#include <bit>

#include "store/segment_reals.h"

namespace honeylink::telemetry::store {
namespace {

using Column = std::vector<std::uint64_t>;

/// Numbers as they are told: integers, or decimals times a power of ten.
struct Five {
  Column count, last, min, max, sum;
};

// What a sum is likely to be, so that only the difference is stored. Both sides compute it from the same bits.
constexpr std::uint64_t likely_sum(std::uint64_t count, std::uint64_t min, std::uint64_t max) noexcept {
  return count * min + ((count * (max - min)) >> 1);
}
// Two products and a sum in an order that no compiler fuses into one rounding.
std::uint64_t likely_real_sum(std::uint64_t count, std::uint64_t min, std::uint64_t max) noexcept {
  const double sum = std::bit_cast<double>(min) + std::bit_cast<double>(max);
  return std::bit_cast<std::uint64_t>(sum * 0.5 * static_cast<double>(count));
}
// sum / count rounded down, as signed numbers; 0 where nothing was counted.
constexpr std::uint64_t mean_of(std::uint64_t count, std::uint64_t sum) noexcept {
  const auto n = static_cast<std::int64_t>(count), all = static_cast<std::int64_t>(sum);
  if (n <= 0) return 0;
  return static_cast<std::uint64_t>(all / n - (all % n < 0 ? 1 : 0));
}

template <class Value>
void put(std::size_t n, const Value& value, SegmentWorkspace& work, Bytes& to) {
  Column column(n);
  for (std::size_t i = 0; i < n; ++i) column[i] = value(i);
  encode_integers(column, work, to);
}

void put_from_last(const Five& five, SegmentWorkspace& work, Bytes& to) {
  const auto& [count, last, min, max, sum] = five;
  const std::size_t n = count.size();
  encode_integers(count, work, to);
  encode_integers(last, work, to);
  put(
      n, [&](std::size_t i) { return last[i] - min[i]; }, work, to);
  put(
      n, [&](std::size_t i) { return max[i] - last[i]; }, work, to);
  put(
      n, [&](std::size_t i) { return sum[i] - likely_sum(count[i], min[i], max[i]); }, work, to);
}

bool get_from_last(Decoder& in, SegmentWorkspace& work, SeriesPoints& to) {
  for (Column* column : {&to.count, &to.last, &to.min, &to.max, &to.sum})
    if (!decode_integers(in, work, *column)) return false;
  for (std::size_t i = 0; i < to.last.size(); ++i) {
    to.min[i] = to.last[i] - to.min[i];
    to.max[i] = to.last[i] + to.max[i];
    to.sum[i] += likely_sum(to.count[i], to.min[i], to.max[i]);
  }
  return true;
}

// Of values that scatter about a level the mean is the calmest number, and the others lie about it.
void put_from_mean(const Five& five, SegmentWorkspace& work, Bytes& to) {
  const auto& [count, last, min, max, sum] = five;
  const std::size_t n = count.size();
  Column mean(n);
  for (std::size_t i = 0; i < n; ++i) mean[i] = mean_of(count[i], sum[i]);
  encode_integers(count, work, to);
  encode_integers(mean, work, to);
  put(
      n, [&](std::size_t i) { return sum[i] - mean[i] * count[i]; }, work, to);
  put(
      n, [&](std::size_t i) { return last[i] - mean[i]; }, work, to);
  put(
      n, [&](std::size_t i) { return mean[i] - min[i]; }, work, to);
  put(
      n, [&](std::size_t i) { return max[i] - mean[i]; }, work, to);
}

bool get_from_mean(Decoder& in, SegmentWorkspace& work, SeriesPoints& to) {
  Column mean(to.last.size());
  if (!decode_integers(in, work, to.count) || !decode_integers(in, work, mean)) return false;
  for (Column* column : {&to.sum, &to.last, &to.min, &to.max})
    if (!decode_integers(in, work, *column)) return false;
  for (std::size_t i = 0; i < mean.size(); ++i) {
    to.sum[i] += mean[i] * to.count[i];
    to.last[i] += mean[i];
    to.min[i] = mean[i] - to.min[i];
    to.max[i] += mean[i];
  }
  return true;
}

void put_smaller(const Five& five, unsigned places, SegmentWorkspace& work, Bytes& to) {
  Bytes from_last, from_mean;
  put_from_last(five, work, from_last);
  put_from_mean(five, work, from_mean);
  const bool mean = from_mean.size() < from_last.size();
  to.push_back(static_cast<std::uint8_t>(places | (mean ? kAggregateFromMean : 0)));
  const Bytes& smaller = mean ? from_mean : from_last;
  put_bytes(to, smaller.data(), smaller.size());
}

void put_whole(const SeriesPoints& from, SegmentWorkspace& work, Bytes& to) {
  to.push_back(static_cast<std::uint8_t>(kAggregateWhole));
  const std::size_t n = from.ticks.size();
  encode_integers(from.count, work, to);
  encode_reals(from.last, work, to);
  put(
      n, [&](std::size_t i) { return from.last[i] - from.min[i]; }, work, to);
  put(
      n, [&](std::size_t i) { return from.max[i] - from.last[i]; }, work, to);
  put(
      n, [&](std::size_t i) { return from.sum[i] - likely_real_sum(from.count[i], from.min[i], from.max[i]); }, work,
      to);
}

bool get_whole(Decoder& in, SegmentWorkspace& work, SeriesPoints& to) {
  if (!decode_integers(in, work, to.count) || !decode_reals(in, work, to.last) || !decode_integers(in, work, to.min) ||
      !decode_integers(in, work, to.max) || !decode_integers(in, work, to.sum))
    return false;
  for (std::size_t i = 0; i < to.last.size(); ++i) {
    to.min[i] = to.last[i] - to.min[i];
    to.max[i] = to.last[i] + to.max[i];
    to.sum[i] += likely_real_sum(to.count[i], to.min[i], to.max[i]);
  }
  return true;
}

}  // namespace

void encode_aggregates(const SeriesPoints& series, SegmentWorkspace& work, Bytes& to) {
  if (!is_real(series.kind))
    return put_smaller({series.count, series.last, series.min, series.max, series.sum}, 0, work, to);
  Column all, whole;
  for (const Column* column : {&series.last, &series.min, &series.max, &series.sum})
    all.insert(all.end(), column->begin(), column->end());
  const int places = decimal_places(all, whole);
  if (places < 0) return put_whole(series, work, to);
  const auto n = static_cast<std::ptrdiff_t>(series.ticks.size());
  const auto part = [&](std::ptrdiff_t i) { return Column(whole.begin() + i * n, whole.begin() + (i + 1) * n); };
  put_smaller({series.count, part(0), part(1), part(2), part(3)}, static_cast<unsigned>(places), work, to);
}

bool decode_aggregates(Decoder& in, SegmentWorkspace& work, SeriesPoints& series) {
  const unsigned form = in.fixed<std::uint8_t>();
  if (!in.ok()) return false;
  if (form == kAggregateWhole) return is_real(series.kind) && get_whole(in, work, series);
  const unsigned places = form & ~kAggregateFromMean;
  if (places > static_cast<unsigned>(kDecimalPlacesMax) || (places != 0 && !is_real(series.kind))) return false;
  const bool there =
      (form & kAggregateFromMean) != 0 ? get_from_mean(in, work, series) : get_from_last(in, work, series);
  if (!there || !is_real(series.kind)) return there;
  for (Column* column : {&series.last, &series.min, &series.max, &series.sum}) {
    for (std::uint64_t& n : *column) n = decimal_bits(static_cast<std::int64_t>(n), static_cast<int>(places));
  }
  return true;
}

}  // namespace honeylink::telemetry::store
