// See segment_quotients.h. The fraction is found among the convergents of the number's continued fraction: what is
// within half a unit in the last place of p / q and has p q < 2^51 is nowhere else.
#include "store/segment_quotients.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "store/bytes.h"

namespace honeylink::telemetry::store {
namespace {

constexpr double kNumeratorMax = 0x1p31, kDenominatorMax = 0x1p20;
constexpr int kConvergentsMax = 32;
constexpr std::size_t kSamples = 16, kOddOnesIn = 16;  // one of so many may be no fraction
constexpr int kPointBits = 20;                         // of the fixed point in which quotients are averaged

// What p will be near to for this q, if the quotient is as the last ones were. Whole numbers only, modulo 2^64, so that
// both sides find the same.
class Expected {
 public:
  explicit Expected(unsigned window) noexcept : window_(window) {}
  [[nodiscard]] std::uint64_t value(std::uint64_t q) const noexcept {
    if (window_ == 0) return 0;
    const auto mean = static_cast<std::int64_t>(sum_) / static_cast<std::int64_t>(window_);
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::uint64_t>(mean) * q) >> kPointBits);
  }
  void add(std::uint64_t p, std::uint64_t q) noexcept {
    if (window_ == 0) return;
    const auto whole = static_cast<std::int64_t>(p << kPointBits);
    const auto now = static_cast<std::uint64_t>(whole / static_cast<std::int64_t>(q));
    std::uint64_t& oldest = held_[next_++ % window_];
    sum_ += now - oldest;
    oldest = now;
  }

 private:
  unsigned window_;
  std::array<std::uint64_t, kQuotientWindowMax> held_{};
  std::uint64_t sum_ = 0;
  std::size_t next_ = 0;
};

bool samples_fit(std::span<const std::uint64_t> bits) noexcept {
  const std::size_t n = std::min(bits.size(), kSamples);
  std::size_t odd = 0;
  for (std::size_t i = 0; i < n; ++i) odd += fraction_of(bits[i * bits.size() / n]).q == 0;
  return odd <= (n < kSamples ? 0 : kSamples / 8);
}

}  // namespace

Fraction fraction_of(std::uint64_t bits) noexcept {
  const auto value = std::bit_cast<double>(bits);
  const double size = std::fabs(value);
  if (!(size < kNumeratorMax) || bits == std::bit_cast<std::uint64_t>(-0.0)) return {};
  double rest = size, p = 1, p_before = 0, q = 0, q_before = 1;
  for (int i = 0; i < kConvergentsMax; ++i) {
    const double whole = std::floor(rest);
    const double p_now = whole * p + p_before, q_now = whole * q + q_before;  // exact: below 2^52
    if (!(p_now < kNumeratorMax) || !(q_now < kDenominatorMax)) return {};
    p_before = p, q_before = q, p = p_now, q = q_now;
    if (p / q == size) {
      const auto above = static_cast<std::int64_t>(p);
      return {value < 0 ? -above : above, static_cast<std::uint64_t>(q)};
    }
    if (!(rest > whole)) return {};
    rest = 1 / (rest - whole);
  }
  return {};
}

bool encode_quotients(std::span<const std::uint64_t> bits, SegmentWorkspace& work, Bytes& to) {
  if (!samples_fit(bits)) return false;
  std::vector<std::uint64_t> above(bits.size()), below(bits.size()), near(bits.size());
  std::size_t odd = 0;
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const Fraction fraction = fraction_of(bits[i]);
    above[i] = static_cast<std::uint64_t>(fraction.p), below[i] = fraction.q;
    odd += fraction.q == 0;
  }
  if (odd > bits.size() / kOddOnesIn) return false;
  Bytes best, other;
  for (const unsigned window : {0U, 1U, kQuotientWindowMax}) {
    Expected expected(window);
    for (std::size_t i = 0; i < bits.size(); ++i) {
      near[i] = 0;
      if (below[i] == 0) continue;
      near[i] = above[i] - expected.value(below[i]);
      expected.add(above[i], below[i]);
    }
    other.clear();
    other.push_back(static_cast<std::uint8_t>(window));
    encode_integers(near, work, other);
    if (best.empty() || other.size() < best.size()) std::swap(best, other);
  }
  to.push_back(kRealQuotients);
  encode_integers(below, work, to);
  put_bytes(to, best.data(), best.size());
  for (std::size_t i = 0; i < bits.size(); ++i)
    if (below[i] == 0) put_fixed(to, bits[i]);
  return true;
}

bool decode_quotients(Decoder& in, SegmentWorkspace& work, std::span<std::uint64_t> bits) {
  std::vector<std::uint64_t> below(bits.size());
  if (!decode_integers(in, work, below)) return false;
  const unsigned window = in.fixed<std::uint8_t>();
  if (!in.ok() || window > kQuotientWindowMax || !decode_integers(in, work, bits)) return false;
  Expected expected(window);
  for (std::size_t i = 0; i < bits.size(); ++i) {
    if (below[i] >= static_cast<std::uint64_t>(kDenominatorMax)) return false;
    if (below[i] == 0) {
      bits[i] = in.fixed<std::uint64_t>();
      continue;
    }
    const std::uint64_t above = bits[i] + expected.value(below[i]);
    expected.add(above, below[i]);
    bits[i] = std::bit_cast<std::uint64_t>(static_cast<double>(static_cast<std::int64_t>(above)) /
                                           static_cast<double>(below[i]));
  }
  return in.ok();
}

}  // namespace honeylink::telemetry::store
