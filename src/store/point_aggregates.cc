// See point_aggregates.h.
#include "store/point_aggregates.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "store/bytes.h"
#include "store/segment_reals.h"

namespace honeylink::telemetry::store {
namespace {

using Column = std::vector<std::uint64_t>;

/// Numbers as they are told: integers, or decimals times a power of ten; less the base and over the divisor.
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
constexpr std::uint64_t magnitude(std::uint64_t n) noexcept { return static_cast<std::int64_t>(n) < 0 ? 0 - n : n; }

// Where the last value lies between the others is told in three words and, where it is neither of them, by its place
// among what is left: that is two bits less than telling it like any other number.
enum class Place : std::uint8_t { min = 0, max = 1, between = 2 };
constexpr std::uint64_t kPlacesMax = std::uint64_t{1} << 56;

// A number below n in ⌊log2 n⌋ bits or one more.
void put_below(BitWriter& bits, std::uint64_t value, std::uint64_t n) {
  const auto width = static_cast<unsigned>(std::bit_width(n)) - 1;
  const std::uint64_t shorter = (std::uint64_t{2} << width) - n;  // so many are told with a bit less
  if (value < shorter) return bits.put(value, width);
  const std::uint64_t of = value + shorter;
  bits.put(of >> 1, width);  // its upper bits first: they tell whether there is one more
  bits.put(of & 1U, 1);
}
std::uint64_t get_below(BitReader& bits, std::uint64_t n) noexcept {
  const auto width = static_cast<unsigned>(std::bit_width(n)) - 1;
  const std::uint64_t shorter = (std::uint64_t{2} << width) - n;
  const std::uint64_t value = bits.get(width);
  return value < shorter ? value : (value << 1 | bits.get(1)) - shorter;
}

bool has_places(const Five& five) noexcept {
  for (std::size_t i = 0; i < five.last.size(); ++i) {
    const std::uint64_t range = five.max[i] - five.min[i];
    if (range >= kPlacesMax || five.last[i] - five.min[i] > range) return false;
  }
  return true;
}

void put_places(const Five& five, SegmentWorkspace& work, Bytes& to) {
  Column words;
  Bytes places;
  BitWriter bits(places);
  for (std::size_t i = 0; i < five.last.size(); ++i) {
    const std::uint64_t range = five.max[i] - five.min[i], at = five.last[i] - five.min[i];
    if (range == 0) continue;
    const Place place = at == 0 ? Place::min : at == range ? Place::max : Place::between;
    words.push_back(static_cast<std::uint64_t>(place));
    if (place == Place::between) put_below(bits, at - 1, range - 1);
  }
  bits.finish();
  const std::size_t form_at = to.size();
  to.push_back(0);
  to[form_at] = static_cast<std::uint8_t>(put_tokens(words, work, to));
  put_bytes(to, places.data(), places.size());
}

bool get_places(Decoder& in, SegmentWorkspace& work, Five& five) {
  const auto form = static_cast<TokenForm>(in.fixed<std::uint8_t>());
  std::size_t words = 0;
  for (std::size_t i = 0; i < five.min.size(); ++i) words += five.max[i] != five.min[i];
  if (!is_token_form(form) || !get_tokens(in, work, form, words)) return false;
  BitReader bits(in.rest());
  const std::uint64_t* word = work.numbers.data();
  for (std::size_t i = 0; i < five.min.size(); ++i) {
    const std::uint64_t range = five.max[i] - five.min[i];
    std::uint64_t at = 0;
    if (range != 0) {
      const auto place = static_cast<Place>(*word++);
      if (place > Place::between || (place == Place::between && (range < 2 || range >= kPlacesMax))) return false;
      at = place == Place::min ? 0 : place == Place::max ? range : 1 + get_below(bits, range - 1);
    }
    five.last[i] = five.min[i] + at;
  }
  if (bits.beyond()) return false;
  in.bytes(bits.bytes_used());
  return true;
}

template <class Value>
void put(std::size_t n, const Value& value, SegmentWorkspace& work, Bytes& to) {
  work.spare.resize(n);
  for (std::size_t i = 0; i < n; ++i) work.spare[i] = value(i);
  encode_integers(work.spare, work, to);
}

// Of values that scatter about a level the mean is the calmest number, and the others lie about it.
void put_from_mean(const Five& five, SegmentWorkspace& work, Bytes& to) {
  // No structured binding: clang 14 lets no lambda take hold of one.
  const Column &count = five.count, &min = five.min, &max = five.max, &sum = five.sum;
  const std::size_t n = count.size();
  Column mean(n);
  for (std::size_t i = 0; i < n; ++i) mean[i] = mean_of(count[i], sum[i]);
  encode_integers(mean, work, to);
  put(
      n, [&](std::size_t i) { return sum[i] - mean[i] * count[i]; }, work, to);
  put(
      n, [&](std::size_t i) { return mean[i] - min[i]; }, work, to);
  put(
      n, [&](std::size_t i) { return max[i] - mean[i]; }, work, to);
}

bool get_from_mean(Decoder& in, SegmentWorkspace& work, Five& to) {
  Column mean(to.count.size());
  if (!decode_integers(in, work, mean)) return false;
  for (Column* column : {&to.sum, &to.min, &to.max})
    if (!decode_integers(in, work, *column)) return false;
  for (std::size_t i = 0; i < mean.size(); ++i) {
    to.sum[i] += mean[i] * to.count[i];
    to.min[i] = mean[i] - to.min[i];
    to.max[i] += mean[i];
  }
  return true;
}

void put_from_min(const Five& five, SegmentWorkspace& work, Bytes& to) {
  const Column &count = five.count, &min = five.min, &max = five.max, &sum = five.sum;
  const std::size_t n = count.size();
  encode_integers(min, work, to);
  put(
      n, [&](std::size_t i) { return max[i] - min[i]; }, work, to);
  put(
      n, [&](std::size_t i) { return sum[i] - likely_sum(count[i], min[i], max[i]); }, work, to);
}

bool get_from_min(Decoder& in, SegmentWorkspace& work, Five& to) {
  for (Column* column : {&to.min, &to.max, &to.sum})
    if (!decode_integers(in, work, *column)) return false;
  for (std::size_t i = 0; i < to.min.size(); ++i) {
    to.max[i] += to.min[i];
    to.sum[i] += likely_sum(to.count[i], to.min[i], to.max[i]);
  }
  return true;
}

// 1 where all numbers are the same: there is nothing to divide.
std::uint64_t common_divisor(const Five& five, std::uint64_t base) noexcept {
  std::uint64_t divisor = 0;
  const auto take = [&divisor](std::uint64_t difference) { divisor = std::gcd(divisor, magnitude(difference)); };
  for (std::size_t i = 0; i < five.count.size() && divisor != 1; ++i) {
    take(five.min[i] - base), take(five.max[i] - base), take(five.last[i] - base);
    take(five.sum[i] - five.count[i] * base);
  }
  return std::max<std::uint64_t>(divisor, 1);
}

constexpr std::uint64_t over(std::uint64_t difference, std::uint64_t divisor) noexcept {
  if (divisor == 1) return difference;
  const std::uint64_t whole = magnitude(difference) / divisor;
  return static_cast<std::int64_t>(difference) < 0 ? 0 - whole : whole;
}

void put_decimal(Five& five, unsigned places, SegmentWorkspace& work, Bytes& to) {
  const std::uint64_t base = five.min[0], divisor = common_divisor(five, base);
  for (std::size_t i = 0; i < five.count.size(); ++i) {
    five.sum[i] = over(five.sum[i] - five.count[i] * base, divisor);
    for (Column* column : {&five.min, &five.max, &five.last}) (*column)[i] = over((*column)[i] - base, divisor);
  }
  const bool with_places = has_places(five);
  Bytes from_min, from_mean;
  put_from_min(five, work, from_min);
  put_from_mean(five, work, from_mean);
  const bool mean = from_mean.size() < from_min.size();
  to.push_back(
      static_cast<std::uint8_t>(places | (mean ? kAggregateFromMean : 0) | (with_places ? 0 : kAggregateLast)));
  put_signed(to, static_cast<std::int64_t>(base));
  put_varint(to, divisor);
  encode_integers(five.count, work, to);
  const Bytes& smaller = mean ? from_mean : from_min;
  put_bytes(to, smaller.data(), smaller.size());
  if (with_places) put_places(five, work, to);
  else encode_integers(five.last, work, to);
}

bool get_decimal(Decoder& in, unsigned form, SegmentWorkspace& work, Five& five) {
  const auto base = static_cast<std::uint64_t>(in.signed_varint());
  const std::uint64_t divisor = in.varint();
  if (!in.ok() || !decode_integers(in, work, five.count)) return false;
  if (!((form & kAggregateFromMean) != 0 ? get_from_mean(in, work, five) : get_from_min(in, work, five))) return false;
  if (!((form & kAggregateLast) != 0 ? decode_integers(in, work, five.last) : get_places(in, work, five))) return false;
  for (std::size_t i = 0; i < five.count.size(); ++i) {
    five.sum[i] = five.count[i] * base + five.sum[i] * divisor;
    for (Column* column : {&five.min, &five.max, &five.last}) (*column)[i] = base + (*column)[i] * divisor;
  }
  return true;
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
  if (!is_real(series.kind)) {
    Five five{series.count, series.last, series.min, series.max, series.sum};
    return put_decimal(five, 0, work, to);
  }
  Column all, whole;
  for (const Column* column : {&series.last, &series.min, &series.max, &series.sum})
    all.insert(all.end(), column->begin(), column->end());
  const int places = decimal_places(all, whole);
  if (places < 0) return put_whole(series, work, to);
  const auto n = static_cast<std::ptrdiff_t>(series.ticks.size());
  const auto part = [&](std::ptrdiff_t i) { return Column(whole.begin() + i * n, whole.begin() + (i + 1) * n); };
  Five five{series.count, part(0), part(1), part(2), part(3)};
  put_decimal(five, static_cast<unsigned>(places), work, to);
}

bool decode_aggregates(Decoder& in, SegmentWorkspace& work, SeriesPoints& series) {
  const unsigned form = in.fixed<std::uint8_t>();
  if (!in.ok()) return false;
  if (form == kAggregateWhole) return is_real(series.kind) && get_whole(in, work, series);
  const unsigned places = form & kAggregatePlaces;
  if (places > static_cast<unsigned>(kDecimalPlacesMax) || (places != 0 && !is_real(series.kind)) ||
      (form & ~(kAggregatePlaces | kAggregateFromMean | kAggregateLast)) != 0)
    return false;
  Five five{std::move(series.count), std::move(series.last), std::move(series.min), std::move(series.max),
            std::move(series.sum)};
  const bool there = get_decimal(in, form, work, five);
  series.count = std::move(five.count), series.last = std::move(five.last), series.min = std::move(five.min);
  series.max = std::move(five.max), series.sum = std::move(five.sum);
  if (!there || !is_real(series.kind)) return there;
  for (Column* column : {&series.last, &series.min, &series.max, &series.sum}) {
    for (std::uint64_t& n : *column) n = decimal_bits(static_cast<std::int64_t>(n), static_cast<int>(places));
  }
  return true;
}

}  // namespace honeylink::telemetry::store
