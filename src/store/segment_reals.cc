// See segment_reals.h.
#include "store/segment_reals.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "store/segment_quotients.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::array<double, kDecimalPlacesMax + 1> kPowers{1,   1e1, 1e2, 1e3,  1e4,  1e5, 1e6,
                                                            1e7, 1e8, 1e9, 1e10, 1e11, 1e12};
constexpr double kWholeMax = 9.2e18;     // integers of an int64
constexpr double kScaledMax = 9.007e15;  // beyond 2^53 a product is not exact
constexpr std::size_t kPlanes = 8;
constexpr std::size_t kSamples = 16;

bool to_whole(double value, std::uint64_t bits, int places, std::int64_t& whole) noexcept {
  const double power = kPowers[static_cast<std::size_t>(places)];
  const double scaled = value * power;
  if (!(std::fabs(scaled) < (places == 0 ? kWholeMax : kScaledMax))) return false;
  // Half added and cut is no rounding to even, but what it gives is held against the bits.
  whole = static_cast<std::int64_t>(std::fabs(scaled) < 0x1p51 ? scaled + std::copysign(0.5, scaled) : scaled);
  return std::bit_cast<std::uint64_t>(static_cast<double>(whole) / power) == bits;
}

bool is_odd_one(double value, std::uint64_t bits) noexcept {
  return !std::isfinite(value) || bits == std::bit_cast<std::uint64_t>(-0.0);
}

struct Exception {
  std::uint32_t at = 0, length = 0;
  std::uint64_t bits = 0;
};

struct Decimal {
  int places = -1;
  std::vector<Exception> exceptions;
};

bool samples_fit(std::span<const std::uint64_t> bits, int places, std::size_t allowed) noexcept {
  std::int64_t whole = 0;
  for (std::size_t i = 0; i < bits.size(); i += bits.size() / kSamples + 1) {
    const auto value = std::bit_cast<double>(bits[i]);
    if (is_odd_one(value, bits[i]) || to_whole(value, bits[i], places, whole)) continue;
    if (allowed-- == 0) return false;
  }
  return true;
}

// All numbers at these places; what does not fit becomes an exception, as long as there are few.
bool scale_all(std::span<const std::uint64_t> bits, std::size_t runs_max, std::vector<std::uint64_t>& whole,
               Decimal& decimal) {
  whole.resize(bits.size());
  decimal.exceptions.clear();
  std::int64_t held = 0;
  std::size_t first_sound = 0;
  bool any = false;
  for (std::size_t i = 0; i < bits.size(); ++i) {
    std::int64_t now = 0;
    if (to_whole(std::bit_cast<double>(bits[i]), bits[i], decimal.places, now)) {
      if (!any) first_sound = i, any = true;
      held = now;
    } else {
      auto& list = decimal.exceptions;
      if (!list.empty() && list.back().bits == bits[i] && list.back().at + list.back().length == i)
        ++list.back().length;
      else if (list.size() == runs_max) return false;
      else list.push_back({static_cast<std::uint32_t>(i), 1, bits[i]});
    }
    whole[i] = static_cast<std::uint64_t>(held);
  }
  for (std::size_t i = 0; i < first_sound; ++i) whole[i] = whole[first_sound];
  return true;
}

Decimal find_decimal(std::span<const std::uint64_t> bits, std::vector<std::uint64_t>& whole) {
  Decimal decimal;
  const std::size_t runs_max = bits.size() / 4;  // more would cost as much as eight bytes a number
  const std::size_t samples_off = bits.size() < kSamples ? 0 : kSamples / 4;
  for (decimal.places = 0; decimal.places <= kDecimalPlacesMax; ++decimal.places) {
    if (samples_fit(bits, decimal.places, samples_off) && scale_all(bits, runs_max, whole, decimal)) return decimal;
  }
  decimal.places = -1;
  decimal.exceptions.clear();
  return decimal;
}

void put_decimal(const Decimal& decimal, std::span<const std::uint64_t> whole, SegmentWorkspace& work, Bytes& to) {
  const bool any = !decimal.exceptions.empty();
  to.push_back(static_cast<std::uint8_t>(static_cast<unsigned>(decimal.places) | (any ? kExceptions : 0)));
  if (any) put_varint(to, decimal.exceptions.size());
  std::uint32_t end = 0;
  for (const Exception& exception : decimal.exceptions) {
    put_varint(to, exception.at - end);
    put_varint(to, exception.length);
    put_fixed(to, exception.bits);
    end = exception.at + exception.length;
  }
  encode_integers(whole, work, to);
}

void put_planes(std::span<const std::uint64_t> bits, SegmentWorkspace& work, Bytes& to) {
  to.push_back(kRealPlanes);
  work.planes.resize(bits.size());
  for (std::size_t plane = 0; plane < kPlanes; ++plane) {
    for (std::size_t i = 0; i < bits.size(); ++i)
      work.planes[i] = static_cast<std::uint8_t>(bits[i] >> (56 - 8 * plane));
    const std::size_t form_at = to.size();
    to.push_back(1);
    if (work.frames.append_if_smaller(work.planes, to)) continue;
    to[form_at] = 0;
    put_bytes(to, work.planes.data(), work.planes.size());
  }
}

// False where too many numbers are distinct for places to pay.
bool put_dictionary(std::span<const std::uint64_t> bits, SegmentWorkspace& work, Bytes& to) {
  std::vector<std::uint64_t> distinct(bits.begin(), bits.end());
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  if (distinct.size() > bits.size() * 6 / 10) return false;
  std::vector<std::uint64_t> places(bits.size());
  for (std::size_t i = 0; i < bits.size(); ++i) {
    places[i] =
        static_cast<std::uint64_t>(std::lower_bound(distinct.begin(), distinct.end(), bits[i]) - distinct.begin());
  }
  to.push_back(kRealDictionary);
  put_varint(to, distinct.size());
  encode_integers(distinct, work, to);
  encode_integers(places, work, to);
  return true;
}

// Planes beat bit patterns only where a low plane says nothing: the two high ones hold sign and exponent.
bool has_constant_low_plane(std::span<const std::uint64_t> bits) noexcept {
  std::uint64_t varies = 0;
  for (const std::uint64_t b : bits) varies |= b ^ bits[0];
  for (unsigned plane = 0; plane + 2 < kPlanes; ++plane)
    if ((varies >> (8 * plane) & 0xffU) == 0) return true;
  return false;
}

// Whether the first numbers repeat at all: sorting them all costs more than everything else.
bool seems_to_repeat(std::span<const std::uint64_t> bits) {
  std::array<std::uint64_t, 256> first{};
  const std::size_t n = std::min(bits.size(), first.size());
  std::copy_n(bits.begin(), n, first.begin());
  std::sort(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(n));
  const auto end = std::unique(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(n));
  return static_cast<std::size_t>(end - first.begin()) * 10 < n * 9;
}

// The smallest of the ways for full doubles. Where quotients are told in small numbers nothing else comes near.
void put_whole(std::span<const std::uint64_t> bits, SegmentWorkspace& work, Bytes& to) {
  if (encode_quotients(bits, work, to)) return;
  Bytes best, other;
  best.push_back(kRealBits);
  encode_integers(bits, work, best);
  if (has_constant_low_plane(bits)) {
    put_planes(bits, work, other);
    if (other.size() < best.size()) std::swap(best, other);
    other.clear();
  }
  if (seems_to_repeat(bits) && put_dictionary(bits, work, other) && other.size() < best.size()) std::swap(best, other);
  put_bytes(to, best.data(), best.size());
}

bool get_exceptions(Decoder& in, std::size_t size, std::vector<Exception>& exceptions) {
  const std::uint64_t runs = in.varint();
  if (!in.ok() || runs > size) return false;
  std::uint64_t end = 0;
  for (std::uint64_t i = 0; i < runs; ++i) {
    const std::uint64_t gap = in.varint(), length = in.varint();
    const auto pattern = in.fixed<std::uint64_t>();
    if (!in.ok() || gap > size - end || length > size - end - gap) return false;
    exceptions.push_back({static_cast<std::uint32_t>(end + gap), static_cast<std::uint32_t>(length), pattern});
    end += gap + length;
  }
  return true;
}

bool get_planes(Decoder& in, SegmentWorkspace& work, std::span<std::uint64_t> bits) {
  work.planes.resize(bits.size());
  std::fill(bits.begin(), bits.end(), 0);
  for (std::size_t plane = 0; plane < kPlanes; ++plane) {
    const unsigned form = in.fixed<std::uint8_t>();
    if (form == 0) {
      const std::string_view bytes = in.bytes(bits.size());
      if (bytes.size() != bits.size()) return false;
      std::memcpy(work.planes.data(), bytes.data(), bytes.size());
    } else if (form != 1 || !work.frames.read(in, work.planes)) {
      return false;
    }
    for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = bits[i] << 8 | work.planes[i];
  }
  return in.ok();
}

bool get_dictionary(Decoder& in, SegmentWorkspace& work, std::span<std::uint64_t> bits) {
  const std::uint64_t count = in.varint();
  if (!in.ok() || count == 0 || count > bits.size()) return false;
  std::vector<std::uint64_t> distinct(static_cast<std::size_t>(count));
  if (!decode_integers(in, work, distinct) || !decode_integers(in, work, bits)) return false;
  for (std::uint64_t& place : bits) {
    if (place >= count) return false;
    place = distinct[static_cast<std::size_t>(place)];
  }
  return true;
}

}  // namespace

std::uint64_t decimal_bits(std::int64_t whole, int places) noexcept {
  return std::bit_cast<std::uint64_t>(static_cast<double>(whole) / kPowers[static_cast<std::size_t>(places)]);
}

int decimal_places(std::span<const std::uint64_t> bits, std::vector<std::uint64_t>& whole) {
  Decimal decimal;
  for (decimal.places = 0; decimal.places <= kDecimalPlacesMax; ++decimal.places) {
    if (samples_fit(bits, decimal.places, 0) && scale_all(bits, 0, whole, decimal)) return decimal.places;
  }
  return -1;
}

void encode_reals(std::span<const std::uint64_t> bits, SegmentWorkspace& work, Bytes& to) {
  if (bits.empty()) return;
  const Decimal decimal = find_decimal(bits, work.scaled);
  if (decimal.places < 0) return put_whole(bits, work, to);
  const std::size_t at = to.size();
  put_decimal(decimal, work.scaled, work, to);
  if (decimal.exceptions.size() <= bits.size() / 32) return;
  Bytes whole;
  put_whole(bits, work, whole);
  if (whole.size() >= to.size() - at) return;
  to.resize(at);
  put_bytes(to, whole.data(), whole.size());
}

bool decode_reals(Decoder& in, SegmentWorkspace& work, std::span<std::uint64_t> bits) {
  if (bits.empty()) return true;
  const unsigned form = in.fixed<std::uint8_t>();
  if (!in.ok()) return false;
  if (form == kRealBits) return decode_integers(in, work, bits);
  if (form == kRealPlanes) return get_planes(in, work, bits);
  if (form == kRealDictionary) return get_dictionary(in, work, bits);
  if (form == kRealQuotients) return decode_quotients(in, work, bits);
  const unsigned places = form & ~kExceptions;
  if (places > static_cast<unsigned>(kDecimalPlacesMax)) return false;
  std::vector<Exception> exceptions;
  if ((form & kExceptions) != 0 && !get_exceptions(in, bits.size(), exceptions)) return false;
  if (!decode_integers(in, work, bits)) return false;
  const double power = kPowers[places];
  for (std::uint64_t& whole : bits)
    whole = std::bit_cast<std::uint64_t>(static_cast<double>(static_cast<std::int64_t>(whole)) / power);
  for (const Exception& exception : exceptions)
    std::fill_n(bits.begin() + exception.at, exception.length, exception.bits);
  return true;
}

}  // namespace honeylink::telemetry::store
