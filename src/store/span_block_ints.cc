// See span_block_ints.h. The writer tries each transform, estimates what it would cost and writes the cheapest. All
// arithmetic is modulo 2^64, so that every number comes back whatever it was.
#include "store/span_block_ints.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>

#include "store/bytes.h"

namespace honeylink::telemetry::store {
namespace {

enum Transform : unsigned { constant = 0, offset = 1, difference = 2, rise = 3, plain_signed = 4 };
enum Packing : unsigned { fixed_width = 0, tokens_plain = 1, tokens_framed = 2 };
constexpr unsigned kTokens = 252;
constexpr std::size_t kTabled = 4097;

struct Token {
  std::uint8_t token;
  unsigned low_bits;
};
constexpr Token token_of(std::uint64_t value) noexcept {
  if (value < 8) return {static_cast<std::uint8_t>(value), 0};
  const auto bits = static_cast<unsigned>(std::bit_width(value));
  return {static_cast<std::uint8_t>(8 + (bits - 4) * 4 + ((value >> (bits - 3)) & 3U)), bits - 3};
}
static_assert(token_of(~std::uint64_t{0}).token == kTokens - 1);

/// Least significant bit first.
class BitWriter {
 public:
  explicit BitWriter(ByteBuffer& to) : to_(to) {}
  ~BitWriter() {
    for (; held_ > 0; held_ -= std::min(held_, 8U), bits_ >>= 8) to_.push_back(static_cast<std::uint8_t>(bits_));
  }
  BitWriter(const BitWriter&) = delete;
  BitWriter& operator=(const BitWriter&) = delete;
  void put(std::uint64_t value, unsigned width) {
    if (width > 32) put(value & 0xffff'ffffU, 32), value >>= 32, width -= 32;
    bits_ |= (value & ((std::uint64_t{1} << width) - 1)) << held_;
    held_ += width;
    if (held_ < 32) return;
    const auto word = static_cast<std::uint32_t>(bits_);
    std::uint8_t bytes[4];
    std::memcpy(bytes, &word, sizeof word);
    append(to_, bytes);
    bits_ >>= 32, held_ -= 32;
  }

 private:
  ByteBuffer& to_;
  std::uint64_t bits_ = 0;
  unsigned held_ = 0;
};

/// Zeros beyond the end: the caller has checked that the bytes are enough.
class BitReader {
 public:
  explicit BitReader(std::span<const std::uint8_t> bytes) noexcept : rest_(bytes) {}
  std::uint64_t get(unsigned width) noexcept {
    if (width > 32) {
      const std::uint64_t low = get(32);
      return low | get(width - 32) << 32;
    }
    if (held_ < width) {
      std::uint32_t word = 0;
      const std::size_t n = std::min<std::size_t>(4, rest_.size());
      std::memcpy(&word, rest_.data(), n);
      rest_ = rest_.subspan(n);
      bits_ |= std::uint64_t{word} << held_;
      held_ += 32;
    }
    const std::uint64_t value = bits_ & ((std::uint64_t{1} << width) - 1);
    bits_ >>= width, held_ -= width;
    return value;
  }

 private:
  std::span<const std::uint8_t> rest_;
  std::uint64_t bits_ = 0;
  unsigned held_ = 0;
};

double n_log_n(std::size_t n) noexcept {
  static const std::array<float, kTabled> table = [] {
    std::array<float, kTabled> t{};
    for (std::size_t i = 2; i < kTabled; ++i)
      t[i] = static_cast<float>(static_cast<double>(i) * std::log2(static_cast<double>(i)));
    return t;
  }();
  return n < kTabled ? table[n] : static_cast<double>(n) * std::log2(n);
}

struct Cost {
  double token_bits = 0;
  unsigned width = 0;
  [[nodiscard]] double packed_bits(std::size_t n) const noexcept { return static_cast<double>(n) * width; }
  [[nodiscard]] double least(std::size_t n) const noexcept { return std::min(token_bits, packed_bits(n)); }
};

Cost cost_of(const Integers& values) noexcept {
  std::array<std::uint32_t, kTokens> seen{};
  std::uint64_t low = 0, all = 0;
  for (const std::uint64_t v : values) {
    const Token t = token_of(v);
    ++seen[t.token];
    low += t.low_bits;
    all |= v;
  }
  double bits = n_log_n(values.size());
  for (const std::uint32_t n : seen) bits -= n_log_n(n);
  return {bits + static_cast<double>(low), static_cast<unsigned>(std::bit_width(all))};
}

/// q → what is written; `least` is the extra number of transform `rise`.
void apply(unsigned transform, const Integers& q, Integers& out, std::int64_t& least) {
  out.resize(q.size());
  least = 0;
  switch (transform) {
    case Transform::offset:
      out = q;
      return;
    case Transform::difference: {
      std::uint64_t before = 0;
      for (std::size_t i = 0; i < q.size(); before = q[i++]) out[i] = zigzag(static_cast<std::int64_t>(q[i] - before));
      return;
    }
    case Transform::rise: {
      least = INT64_MAX;
      for (std::size_t i = 1; i < q.size(); ++i) least = std::min(least, static_cast<std::int64_t>(q[i] - q[i - 1]));
      out[0] = 0;
      for (std::size_t i = 1; i < q.size(); ++i) out[i] = q[i] - q[i - 1] - static_cast<std::uint64_t>(least);
      return;
    }
    default:
      for (std::size_t i = 0; i < q.size(); ++i) out[i] = zigzag(static_cast<std::int64_t>(q[i]));
  }
}

void write_transformed(const Integers& values, const Cost& cost, std::size_t form_at, IntegerScratch& scratch,
                       FrameWriter& frames, ByteBuffer& to) {
  if (cost.packed_bits(values.size()) <= cost.token_bits + 64) {
    to.push_back(static_cast<std::uint8_t>(cost.width));
    BitWriter bits(to);
    for (const std::uint64_t v : values) bits.put(v, cost.width);
    return;
  }
  scratch.tokens.resize(values.size());
  scratch.low_bits.clear();
  {
    BitWriter low(scratch.low_bits);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const Token t = token_of(values[i]);
      scratch.tokens[i] = t.token;
      if (t.low_bits != 0) low.put(values[i], t.low_bits);
    }
  }
  ByteBuffer frame;
  const std::size_t framed = frames.add(scratch.tokens, frame);
  to[form_at] |= static_cast<std::uint8_t>((framed != 0 ? Packing::tokens_framed : Packing::tokens_plain) << 4);
  if (framed != 0) append_varint(to, framed);
  append(to, framed != 0 ? std::span<const std::uint8_t>(frame) : std::span<const std::uint8_t>(scratch.tokens));
  append(to, scratch.low_bits);
}

}  // namespace

void write_integers(std::span<const std::uint64_t> values, IntegerScratch& scratch, FrameWriter& frames,
                    ByteBuffer& to) {
  if (values.empty()) return;
  std::int64_t lowest = INT64_MAX, highest = INT64_MIN;
  for (const std::uint64_t v : values) {
    lowest = std::min(lowest, static_cast<std::int64_t>(v));
    highest = std::max(highest, static_cast<std::int64_t>(v));
  }
  const std::size_t form_at = to.size();
  to.push_back(Transform::constant);
  if (lowest == highest) return append_varint(to, zigzag(lowest));
  const auto base = static_cast<std::uint64_t>(lowest);
  std::uint64_t divisor = 0;
  for (std::size_t i = 0; i < values.size() && divisor != 1; ++i) divisor = std::gcd(divisor, values[i] - base);
  Integers& q = scratch.quotients;
  q.resize(values.size());
  for (std::size_t i = 0; i < q.size(); ++i) q[i] = divisor == 1 ? values[i] - base : (values[i] - base) / divisor;

  unsigned chosen = Transform::offset;
  std::int64_t least = 0;
  scratch.best = q;
  Cost cost = cost_of(q);
  const auto consider = [&](unsigned transform, const Integers& from) {
    std::int64_t its_least = 0;
    apply(transform, from, scratch.candidate, its_least);
    const Cost other = cost_of(scratch.candidate);
    if (other.least(q.size()) + 16 >= cost.least(q.size())) return;
    chosen = transform, least = its_least, cost = other;
    std::swap(scratch.best, scratch.candidate);
  };
  if (cost.width > 3) {  // of a handful of distinct values no difference is smaller
    consider(Transform::difference, q);
    consider(Transform::rise, q);
  }
  if (lowest < 0) {
    Integers as_given(values.begin(), values.end());
    if (divisor != 1) {
      // Only where the divisor goes into the values themselves.
      const auto d = static_cast<std::int64_t>(divisor);
      if (d > 1 && lowest % d == 0) {
        for (std::uint64_t& v : as_given) v = static_cast<std::uint64_t>(static_cast<std::int64_t>(v) / d);
        consider(Transform::plain_signed, as_given);
      }
    } else {
      consider(Transform::plain_signed, as_given);
    }
  }
  to[form_at] = static_cast<std::uint8_t>(chosen);
  append_varint(to, chosen == Transform::plain_signed ? 0 : zigzag(lowest));
  append_varint(to, divisor);
  if (chosen == Transform::rise) append_varint(to, zigzag(least)), append_varint(to, q[0]);
  write_transformed(scratch.best, cost, form_at, scratch, frames, to);
}

namespace {

bool read_packed(Decoder& in, unsigned packing, std::size_t count, FrameReader& frames, IntegerScratch& scratch,
                 Integers& to) {
  to.resize(count);
  if (packing == Packing::fixed_width) {
    const unsigned width = in.fixed<std::uint8_t>();
    const auto bytes = as_bytes(in.rest());
    if (!in.ok() || width > 64 || bytes.size() != (count * width + 7) / 8) return false;
    BitReader bits(bytes);
    for (std::uint64_t& v : to) v = bits.get(width);
    return true;
  }
  std::span<const std::uint8_t> tokens;
  if (packing == Packing::tokens_framed) {
    const auto frame = as_bytes(in.text());
    scratch.tokens.resize(count);
    if (!in.ok() || !frames.open(frame, scratch.tokens)) return false;
    tokens = scratch.tokens;
  } else {
    tokens = as_bytes(in.bytes(count));
  }
  const auto low = as_bytes(in.rest());
  if (!in.ok() || tokens.size() != count) return false;
  std::size_t low_bits = 0;
  for (const std::uint8_t t : tokens) {
    if (t >= kTokens) return false;
    if (t >= 8) low_bits += (t - 8U) / 4 + 1;
  }
  if (low.size() != (low_bits + 7) / 8) return false;
  BitReader bits(low);
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned t = tokens[i];
    if (t < 8) {
      to[i] = t;
    } else {
      const unsigned width = (t - 8) / 4 + 1;
      to[i] = (std::uint64_t{4 + ((t - 8) & 3U)} << width) | bits.get(width);
    }
  }
  return true;
}

}  // namespace

bool read_integers(std::span<const std::uint8_t> stream, std::size_t count, FrameReader& frames,
                   IntegerScratch& scratch, Integers& to) {
  to.clear();
  if (count == 0) return stream.empty();
  if (!frames.allow(count * sizeof(std::uint64_t))) return false;
  Decoder in(as_text(stream));
  const unsigned form = in.fixed<std::uint8_t>();
  const unsigned transform = form & 15U, packing = form >> 4;
  const auto base = static_cast<std::uint64_t>(in.signed_varint());
  if (!in.ok() || transform > Transform::plain_signed || packing > Packing::tokens_framed) return false;
  if (transform == Transform::constant) return to.assign(count, base), packing == 0 && in.at_end();
  const std::uint64_t divisor = in.varint();
  const auto least = transform == Transform::rise ? static_cast<std::uint64_t>(in.signed_varint()) : 0;
  const std::uint64_t first = transform == Transform::rise ? in.varint() : 0;
  if (!in.ok() || !read_packed(in, packing, count, frames, scratch, to)) return false;
  std::uint64_t q = 0;
  switch (transform) {
    case Transform::offset:
      for (std::uint64_t& v : to) v = base + v * divisor;
      return true;
    case Transform::difference:
      for (std::uint64_t& v : to) v = base + (q += static_cast<std::uint64_t>(unzigzag(v))) * divisor;
      return true;
    case Transform::rise:
      q = first - least - to[0];
      for (std::uint64_t& v : to) v = base + (q += v + least) * divisor;
      return true;
    default:
      for (std::uint64_t& v : to) v = base + static_cast<std::uint64_t>(unzigzag(v)) * divisor;
      return true;
  }
}

}  // namespace honeylink::telemetry::store
