// See sketch.h. OpenTelemetry's base-2 exponential histogram: two neighbours become one when the scale goes down by
// one.
#include "base/sketch.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace honeylink::telemetry {
namespace {

constexpr int kObservedScale = 4;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
// From this many observations on, a bucket's inside is smooth enough that interpolating beats its middle (I-10).
constexpr std::uint64_t kInterpolateFrom = 1000;

// Where the observations of rank `rank` lie if `inside` of the bucket's `held` are below it.
double value_in_bucket(int scale, std::int64_t index, std::uint64_t held, double inside) {
  const double lower = bucket_upper_bound(scale, index - 1), upper = bucket_upper_bound(scale, index);
  if (held >= kInterpolateFrom) {
    const double share = std::clamp(inside / static_cast<double>(held), 0.0, 1.0);
    return lower + (upper - lower) * share;
  }
  return lower == 0 ? upper / 2
                    : lower / (lower / 2 + upper / 2) * upper;  // harmonic middle: the same relative error to both ends
}

// Adds buckets whose places are there already, as of one series' neighbours they nearly always are. Nothing is changed
// where one is not.
bool add_in_place(Sketch& into, const Sketch& add) {
  if (add.scale < into.scale || add.scale - into.scale > 30) return false;
  const int shift = add.scale - into.scale;
  const auto place = [&](std::size_t i) {
    return ((std::int64_t{add.offset} + static_cast<std::int64_t>(i)) >> shift) - into.offset;
  };
  if (add.buckets.empty()) return true;
  if (place(0) < 0 || place(add.buckets.size() - 1) >= static_cast<std::int64_t>(into.buckets.size())) return false;
  for (std::size_t i = 0; i < add.buckets.size(); ++i)
    into.buckets[static_cast<std::size_t>(place(i))] += add.buckets[i];
  return true;
}

}  // namespace

void observe(Sketch& sketch, double value) {
  if (!std::isfinite(value) || value < 0) return;
  Sketch one;
  one.scale = sketch.count == 0 ? kObservedScale : sketch.scale;
  one.count = 1, one.sum = one.min = one.max = value;
  if (value == 0) one.zeros = 1;
  // (base^index, base^(index + 1)]: the upper bound belongs to the bucket
  else
    one.offset = static_cast<std::int32_t>(std::ceil(std::ldexp(std::log2(value), one.scale))) - 1, one.buckets = {1};
  merge(sketch, one);
}

void downscale(Sketch& sketch, int scale) {
  if (sketch.scale <= scale) return;
  const int shift = std::min(sketch.scale - scale, 62);
  sketch.scale = scale;
  if (sketch.buckets.empty()) return;
  const auto to = [&](std::size_t i) { return (std::int64_t{sketch.offset} + static_cast<std::int64_t>(i)) >> shift; };
  const std::int64_t first = to(0);
  std::size_t used = 0;
  for (std::size_t i = 0; i < sketch.buckets.size(); ++i) {
    const std::uint64_t held = sketch.buckets[i];
    const auto at = static_cast<std::size_t>(to(i) - first);
    if (at + 1 > used) {
      used = at + 1;
      sketch.buckets[at] = held;
    } else {
      sketch.buckets[at] += held;
    }
  }
  sketch.buckets.resize(used);
  sketch.offset = static_cast<std::int32_t>(first);
}

void trim(Sketch& sketch) {
  auto& buckets = sketch.buckets;
  while (!buckets.empty() && buckets.back() == 0) buckets.pop_back();
  const auto first = std::find_if(buckets.begin(), buckets.end(), [](std::uint64_t n) { return n != 0; });
  sketch.offset += static_cast<std::int32_t>(first - buckets.begin());
  buckets.erase(buckets.begin(), first);
  if (buckets.empty()) sketch.offset = 0;
}

void merge(Sketch& into, const Sketch& add, std::size_t buckets_max) {
  if (add.count == 0) return;
  if (into.count == 0) {
    into = add;
    trim(into);
    while (into.buckets.size() > std::max<std::size_t>(buckets_max, 2)) downscale(into, into.scale - 1);
    return;
  }
  into.count += add.count;
  into.zeros += add.zeros;
  into.sum += add.sum;
  into.min = std::min(into.min, add.min);
  into.max = std::max(into.max, add.max);
  const auto shrink = [&] {
    while (into.buckets.size() > std::max<std::size_t>(buckets_max, 2)) downscale(into, into.scale - 1);
  };
  if (add_in_place(into, add)) return shrink();
  Sketch other;
  other.scale = add.scale, other.offset = add.offset, other.buckets = add.buckets;
  trim(other);
  trim(into);
  if (other.buckets.empty()) return;
  const int shown = std::min(into.scale, other.scale);
  if (into.buckets.empty()) {
    into.scale = other.scale, into.offset = other.offset, into.buckets = std::move(other.buckets);
  } else {
    for (int scale = shown;; --scale) {
      downscale(into, scale);
      downscale(other, scale);
      const std::int64_t first = std::min(into.offset, other.offset);
      const std::int64_t last = std::max(std::int64_t{into.offset} + static_cast<std::int64_t>(into.buckets.size()),
                                         std::int64_t{other.offset} + static_cast<std::int64_t>(other.buckets.size()));
      if (last - first > static_cast<std::int64_t>(std::max<std::size_t>(buckets_max, 2))) continue;
      into.buckets.insert(into.buckets.begin(), static_cast<std::size_t>(into.offset - first), 0);
      into.buckets.resize(static_cast<std::size_t>(last - first), 0);
      into.offset = static_cast<std::int32_t>(first);
      for (std::size_t i = 0; i < other.buckets.size(); ++i) {
        into.buckets[static_cast<std::size_t>(other.offset - first) + i] += other.buckets[i];
      }
      break;
    }
  }
  shrink();
}

double bucket_upper_bound(int scale, std::int64_t index) {
  // 2^(2^-scale × (index + 1)); ldexp keeps whole powers exact and saturates to 0 and infinity.
  const double exponent = std::ldexp(static_cast<double>(index + 1), -scale);
  if (exponent > 1024) return std::numeric_limits<double>::max();
  if (exponent < -1080) return 0;
  const double bound = std::exp2(exponent);
  return std::isinf(bound) ? std::numeric_limits<double>::max() : bound;
}

double quantile_error(int scale) {
  const double base = std::exp2(std::ldexp(1.0, -scale));
  return std::isinf(base) ? 1 : (base - 1) / (base + 1);
}

double quantile(const Sketch& sketch, double q) {
  if (sketch.count == 0 || !(q >= 0 && q <= 1)) return kNan;
  // Nearest rank: the smallest value that at least q of the observations do not exceed.
  const double rank = std::max(std::ceil(q * static_cast<double>(sketch.count)), 1.0);
  const auto within = [&](double v) { return sketch.min <= sketch.max ? std::clamp(v, sketch.min, sketch.max) : v; };
  double below = static_cast<double>(sketch.zeros);
  if (rank <= below) return within(0);
  std::size_t last = 0;
  for (std::size_t i = 0; i < sketch.buckets.size(); ++i) {
    if (sketch.buckets[i] == 0) continue;
    last = i;
    const auto held = static_cast<double>(sketch.buckets[i]);
    if (rank <= below + held) {
      return within(value_in_bucket(sketch.scale, std::int64_t{sketch.offset} + static_cast<std::int64_t>(i),
                                    sketch.buckets[i], rank - 0.5 - below));
    }
    below += held;
  }
  if (sketch.buckets.empty()) return within(0);
  return within(bucket_upper_bound(sketch.scale, std::int64_t{sketch.offset} + static_cast<std::int64_t>(last)));
}

double count_above(const Sketch& sketch, double limit) {
  if (sketch.count == 0) return 0;
  if (limit < 0 || limit < sketch.min) return static_cast<double>(sketch.count);
  if (limit >= sketch.max) return 0;
  // The first bucket that reaches over the limit, by bisection: a bound costs two powers.
  const auto bound = [&](std::size_t i) {
    return bucket_upper_bound(sketch.scale, std::int64_t{sketch.offset} + static_cast<std::int64_t>(i));
  };
  std::size_t first = 0;
  for (std::size_t end = sketch.buckets.size(); first < end;) {
    const std::size_t middle = first + (end - first) / 2;
    if (bound(middle) > limit) end = middle;
    else first = middle + 1;
  }
  if (first == sketch.buckets.size()) return 0;
  double above = 0;
  for (std::size_t i = first + 1; i < sketch.buckets.size(); ++i) above += static_cast<double>(sketch.buckets[i]);
  const double upper = bound(first),
               lower =
                   bucket_upper_bound(sketch.scale, std::int64_t{sketch.offset} + static_cast<std::int64_t>(first) - 1),
               held = static_cast<double>(sketch.buckets[first]);
  above += lower >= limit ? held : held * (upper - limit) / (upper - lower);
  return above;
}

}  // namespace honeylink::telemetry
