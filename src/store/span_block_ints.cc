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

/// What a token says, and how many bits say the rest.
constexpr unsigned kTokenSmall = 8;
struct TokenTable {
  std::array<std::uint64_t, 256> base{};
  std::array<std::uint8_t, 256> low_bits{};
};
constexpr TokenTable make_token_table() noexcept {
  TokenTable table;
  for (unsigned t = 0; t < kTokens; ++t) {
    const unsigned width = t < kTokenSmall ? 0 : (t - kTokenSmall) / 4 + 1;
    table.low_bits[t] = static_cast<std::uint8_t>(width);
    table.base[t] = t < kTokenSmall ? t : std::uint64_t{4 + ((t - kTokenSmall) & 3U)} << width;
  }
  return table;
}
constexpr TokenTable kTokenTable = make_token_table();

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
  explicit BitReader(std::span<const std::uint8_t> bytes) noexcept : bytes_(bytes) {}
  std::uint64_t get(unsigned width) noexcept {
    if (width <= kWordBits) return get_short(width);
    const std::uint64_t low = get_short(32);
    return low | get_short(width - 32) << 32;
  }
  /// width ≤ kWordBits: one load holds them wherever they begin.
  std::uint64_t get_short(unsigned width) noexcept {
    const std::uint64_t word = load(at_ / 8) >> (at_ % 8);
    at_ += width;
    return word & ((std::uint64_t{1} << width) - 1);
  }
  static constexpr unsigned kWordBits = 57;

 private:
  [[nodiscard]] std::uint64_t load(std::size_t byte) const noexcept {
    std::uint64_t word = 0;
    if (byte + sizeof word <= bytes_.size()) std::memcpy(&word, bytes_.data() + byte, sizeof word);
    else if (byte < bytes_.size()) std::memcpy(&word, bytes_.data() + byte, bytes_.size() - byte);
    return word;
  }
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;  // in bits
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

/// Eight at a time.
bool all_small(std::span<const std::uint8_t> tokens) noexcept {
  constexpr std::uint64_t kLarge = 0xf8f8'f8f8'f8f8'f8f8U;
  static_assert((kLarge & 0xff) == 256 - kTokenSmall);
  std::uint64_t any = 0, word = 0;
  std::size_t i = 0;
  for (; i + sizeof word <= tokens.size(); i += sizeof word) {
    std::memcpy(&word, tokens.data() + i, sizeof word);
    any |= word;
  }
  for (; i < tokens.size(); ++i) any |= tokens[i];
  return (any & kLarge) == 0;
}

bool read_packed(Decoder& in, unsigned packing, std::size_t count, FrameReader& frames, IntegerScratch& scratch,
                 Integers& to) {
  to.resize(count);
  if (packing == Packing::fixed_width) {
    const unsigned width = in.fixed<std::uint8_t>();
    const auto bytes = as_bytes(in.rest());
    if (!in.ok() || width > 64 || bytes.size() != (count * width + 7) / 8) return false;
    BitReader bits(bytes);
    if (width <= BitReader::kWordBits)
      for (std::uint64_t& v : to) v = bits.get_short(width);
    else
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
  if (all_small(tokens)) {
    std::copy(tokens.begin(), tokens.end(), to.begin());
    return low.empty();
  }
  std::size_t low_bits = 0;
  unsigned largest = 0;
  for (const std::uint8_t t : tokens) {
    low_bits += kTokenTable.low_bits[t];
    largest = std::max<unsigned>(largest, t);
  }
  if (largest >= kTokens || low.size() != (low_bits + 7) / 8) return false;
  BitReader bits(low);
  if (kTokenTable.low_bits[largest] <= BitReader::kWordBits)
    for (std::size_t i = 0; i < count; ++i)
      to[i] = kTokenTable.base[tokens[i]] | bits.get_short(kTokenTable.low_bits[tokens[i]]);
  else
    for (std::size_t i = 0; i < count; ++i)
      to[i] = kTokenTable.base[tokens[i]] | bits.get(kTokenTable.low_bits[tokens[i]]);
  return true;
}

/// What is written → q.
void undo(unsigned transform, std::uint64_t least, std::uint64_t first, Integers& values) noexcept {
  std::uint64_t q = 0;
  switch (transform) {
    case Transform::offset:
      return;
    case Transform::difference:
      for (std::uint64_t& v : values) v = q += static_cast<std::uint64_t>(unzigzag(v));
      return;
    case Transform::rise:
      q = first - least - values[0];
      for (std::uint64_t& v : values) v = q += v + least;
      return;
    default:
      for (std::uint64_t& v : values) v = static_cast<std::uint64_t>(unzigzag(v));
  }
}

}  // namespace

bool read_integers(std::span<const std::uint8_t> stream, std::size_t count, FrameReader& frames,
                   IntegerScratch& scratch, Integers& to) {
  if (count == 0) return to.clear(), stream.empty();
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
  undo(transform, least, first, to);
  // Most columns have nothing to divide by, and many no base.
  if (divisor != 1)
    for (std::uint64_t& v : to) v = base + v * divisor;
  else if (base != 0)
    for (std::uint64_t& v : to) v += base;
  return true;
}

}  // namespace honeylink::telemetry::store
