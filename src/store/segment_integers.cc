// See segment_integers.h.
#include "store/segment_integers.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "store/bytes.h"

namespace honeylink::telemetry::store {
namespace {

// A token is the number itself below kSmall; else its length in bits and the two bits after the leading one.
constexpr std::uint64_t kSmall = 8;

constexpr unsigned token_of(std::uint64_t n) noexcept {
  if (n < kSmall) return static_cast<unsigned>(n);
  const auto bits = static_cast<unsigned>(std::bit_width(n));
  return 8 + (bits - 4) * 4 + static_cast<unsigned>((n >> (bits - 3)) & 3U);
}
static_assert(token_of(~std::uint64_t{0}) == 251);

struct TokenTables {
  std::array<std::uint8_t, 256> low_bits{};
  std::array<std::uint64_t, 256> base{};
};
constexpr TokenTables make_tables() noexcept {
  TokenTables tables;
  for (unsigned token = 0; token < 252; ++token) {
    const unsigned bits = token < kSmall ? 0 : (token - 8) / 4 + 4;
    tables.low_bits[token] = static_cast<std::uint8_t>(bits == 0 ? 0 : bits - 3);
    tables.base[token] =
        bits == 0 ? token : (std::uint64_t{1} << (bits - 1)) | (std::uint64_t{(token - 8) & 3U} << (bits - 3));
  }
  return tables;
}
constexpr TokenTables kTokens = make_tables();
constexpr unsigned kTokenMax = 251;

// Entropy of the tokens plus their low bits, in bits.
struct Cost {
  std::array<std::uint32_t, 256> seen{};
  void add(std::uint64_t n) noexcept { ++seen[token_of(n)]; }
  [[nodiscard]] double bits() const noexcept {
    double sum = 0, total = 0;
    for (unsigned token = 0; token <= kTokenMax; ++token) {
      if (seen[token] == 0) continue;
      const double n = seen[token];
      total += n;
      sum += n * (kTokens.low_bits[token] - static_cast<double>(std::log2(static_cast<float>(n))));
    }
    return total == 0 ? 0 : sum + total * static_cast<double>(std::log2(static_cast<float>(total)));
  }
};

constexpr std::uint64_t magnitude(std::uint64_t difference) noexcept {
  return static_cast<std::int64_t>(difference) < 0 ? 0 - difference : difference;
}

// 0: all values are the same.
std::uint64_t common_divisor(std::span<const std::uint64_t> values) noexcept {
  std::uint64_t divisor = 0;
  for (const std::uint64_t value : values) {
    const std::uint64_t distance = magnitude(value - values[0]);
    if (distance == 0 || (divisor != 0 && distance % divisor == 0)) continue;
    divisor = std::gcd(divisor, distance);
    if (divisor == 1) break;
  }
  return divisor;
}

void divide(std::span<const std::uint64_t> values, std::uint64_t divisor, std::vector<std::uint64_t>& quotients) {
  quotients.resize(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) quotients[i] = values[i] - values[0];
  if (divisor == 1) return;
  for (std::uint64_t& q : quotients) {
    const std::uint64_t whole = magnitude(q) / divisor;
    q = static_cast<std::int64_t>(q) < 0 ? 0 - whole : whole;
  }
}

constexpr std::uint64_t zigzag_bits(std::uint64_t n) noexcept { return zigzag(static_cast<std::int64_t>(n)); }

// The mean of the last kMeanWindow numbers, rounded down; before there are so many, zeros stand for them, which is what
// the first quotient is. Both sides compute it from the same bits.
class MovingMean {
 public:
  [[nodiscard]] std::uint64_t value() const noexcept {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(sum_) >> kShift);
  }
  void add(std::uint64_t n) noexcept {
    std::uint64_t& oldest = window_[next_++ % kMeanWindow];
    sum_ += n - oldest;
    oldest = n;
  }

 private:
  static constexpr int kShift = std::countr_zero(kMeanWindow);
  std::array<std::uint64_t, kMeanWindow> window_{};
  std::uint64_t sum_ = 0;
  std::size_t next_ = 0;
};

struct Choice {
  IntegerForm form = IntegerForm::plain;
  std::int64_t low = 0;
};

Choice choose(const std::vector<std::uint64_t>& q) noexcept {
  Choice choice;
  choice.low = static_cast<std::int64_t>(q[0]);
  for (const std::uint64_t n : q) choice.low = std::min(choice.low, static_cast<std::int64_t>(n));
  Cost plain, delta, twice, mean;
  MovingMean before;
  plain.add(q[0] - static_cast<std::uint64_t>(choice.low));
  std::uint64_t step = q.size() > 1 ? q[1] - q[0] : 0;
  for (std::size_t i = 1; i < q.size(); ++i) {
    const std::uint64_t now = q[i] - q[i - 1];
    plain.add(q[i] - static_cast<std::uint64_t>(choice.low));
    delta.add(zigzag_bits(now));
    if (i > 1) twice.add(zigzag_bits(now - step));
    mean.add(zigzag_bits(q[i] - before.value()));
    before.add(q[i]);
    step = now;
  }
  double best = plain.bits();
  if (const double bits = delta.bits(); bits < best) best = bits, choice.form = IntegerForm::delta;
  if (const double bits = twice.bits(); bits < best) best = bits, choice.form = IntegerForm::delta_of_delta;
  if (mean.bits() < best) choice.form = IntegerForm::from_mean;
  return choice;
}

// The numbers that become tokens, into `to`.
void transform(const std::vector<std::uint64_t>& q, const Choice& choice, std::vector<std::uint64_t>& to) {
  to.clear();
  switch (choice.form) {
    case IntegerForm::delta:
      for (std::size_t i = 1; i < q.size(); ++i) to.push_back(zigzag_bits(q[i] - q[i - 1]));
      break;
    case IntegerForm::delta_of_delta:
      for (std::size_t i = 2; i < q.size(); ++i) to.push_back(zigzag_bits(q[i] - 2 * q[i - 1] + q[i - 2]));
      break;
    case IntegerForm::from_mean: {
      MovingMean before;
      for (std::size_t i = 1; i < q.size(); ++i) {
        to.push_back(zigzag_bits(q[i] - before.value()));
        before.add(q[i]);
      }
      break;
    }
    default:
      for (const std::uint64_t n : q) to.push_back(n - static_cast<std::uint64_t>(choice.low));
      break;
  }
}

class BitWriter {
 public:
  explicit BitWriter(Bytes& to) noexcept : to_(to) {}
  /// bits ≤ 61: held_ keeps fewer than 8 between calls, so that two steps fit any number.
  void put(std::uint64_t value, unsigned bits) {
    if (bits > 32) put(value & 0xffff'ffffU, 32), value >>= 32, bits -= 32;
    held_ |= value << used_;
    for (used_ += bits; used_ >= 8; used_ -= 8, held_ >>= 8) to_.push_back(static_cast<std::uint8_t>(held_));
  }
  void finish() {
    if (used_ > 0) to_.push_back(static_cast<std::uint8_t>(held_));
  }

 private:
  Bytes& to_;
  std::uint64_t held_ = 0;
  unsigned used_ = 0;
};

class BitReader {
 public:
  explicit BitReader(std::string_view bytes) noexcept : bytes_(bytes) {}
  std::uint64_t get(unsigned bits) noexcept {
    if (bits > 32) {
      const std::uint64_t low = get(32);
      return low | get(bits - 32) << 32;
    }
    const std::uint64_t word = load(at_ / 8) >> (at_ % 8);
    at_ += bits;
    return word & ((std::uint64_t{1} << bits) - 1);
  }

 private:
  [[nodiscard]] std::uint64_t load(std::size_t byte) const noexcept {
    std::uint64_t word = 0;
    if (byte < bytes_.size())
      std::memcpy(&word, bytes_.data() + byte, std::min<std::size_t>(sizeof word, bytes_.size() - byte));
    return word;
  }
  std::string_view bytes_;
  std::size_t at_ = 0;  // in bits
};

void put_tokens(const std::vector<std::uint64_t>& numbers, SegmentWorkspace& work, std::size_t form_at, Bytes& to) {
  work.tokens.resize(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) work.tokens[i] = static_cast<std::uint8_t>(token_of(numbers[i]));
  if (!work.frames.append_if_smaller(work.tokens, to)) {
    to[form_at] = static_cast<std::uint8_t>(to[form_at] | kTokensPlain);
    put_bytes(to, work.tokens.data(), work.tokens.size());
  }
  BitWriter bits(to);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const unsigned low = kTokens.low_bits[work.tokens[i]];
    if (low != 0) bits.put(numbers[i] & ((std::uint64_t{1} << low) - 1), low);
  }
  bits.finish();
}

bool get_tokens(Decoder& in, SegmentWorkspace& work, bool plain, std::size_t count) {
  work.tokens.resize(count);
  work.numbers.resize(count);
  if (count == 0) return in.ok();
  if (plain) {
    const std::string_view bytes = in.bytes(count);
    if (bytes.size() != count) return false;
    std::memcpy(work.tokens.data(), bytes.data(), count);
  } else if (!work.frames.read(in, work.tokens)) {
    return false;
  }
  std::uint64_t low_bits = 0;
  unsigned largest = 0;
  for (const std::uint8_t token : work.tokens) {
    low_bits += kTokens.low_bits[token];
    largest = std::max<unsigned>(largest, token);
  }
  const std::string_view stream = in.bytes((low_bits + 7) / 8);
  if (!in.ok() || largest > kTokenMax) return false;
  if (largest < kSmall) {
    std::copy(work.tokens.begin(), work.tokens.end(), work.numbers.begin());
    return true;
  }
  BitReader bits(stream);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t token = work.tokens[i];
    work.numbers[i] = kTokens.base[token] | bits.get(kTokens.low_bits[token]);
  }
  return true;
}

constexpr std::uint64_t from_zigzag(std::uint64_t n) noexcept { return static_cast<std::uint64_t>(unzigzag(n)); }

}  // namespace

void put_varint(Bytes& to, std::uint64_t n) {
  std::uint8_t bytes[kVarintBytesMax];
  to.insert(to.end(), bytes, encode_varint(bytes, n));
}

void put_bytes(Bytes& to, const void* from, std::size_t size) {
  const auto* bytes = static_cast<const std::uint8_t*>(from);
  if (size != 0) to.insert(to.end(), bytes, bytes + size);
}

void encode_integers(std::span<const std::uint64_t> values, SegmentWorkspace& work, Bytes& to) {
  if (values.empty()) return;
  const std::uint64_t divisor = common_divisor(values);
  const std::size_t form_at = to.size();
  to.push_back(static_cast<std::uint8_t>(IntegerForm::constant));
  put_signed(to, static_cast<std::int64_t>(values[0]));
  if (divisor == 0) return;
  divide(values, divisor, work.quotients);
  const Choice choice = choose(work.quotients);
  to[form_at] = static_cast<std::uint8_t>(choice.form);
  put_varint(to, divisor);
  if (choice.form == IntegerForm::plain) put_signed(to, choice.low);
  if (choice.form == IntegerForm::delta_of_delta) put_signed(to, static_cast<std::int64_t>(work.quotients[1]));
  transform(work.quotients, choice, work.numbers);
  put_tokens(work.numbers, work, form_at, to);
}

bool decode_integers(Decoder& in, SegmentWorkspace& work, std::span<std::uint64_t> values) {
  if (values.empty()) return true;
  const unsigned head = in.fixed<std::uint8_t>();
  const auto form = static_cast<IntegerForm>(head & kIntegerFormMask);
  const auto first = static_cast<std::uint64_t>(in.signed_varint());
  if (!in.ok() || form > IntegerForm::from_mean || head > (kIntegerFormMask | kTokensPlain)) return false;
  if (form == IntegerForm::constant) {
    std::fill(values.begin(), values.end(), first);
    return head == 0;
  }
  const std::uint64_t divisor = in.varint();
  const bool has_extra = form == IntegerForm::plain || form == IntegerForm::delta_of_delta;
  const std::uint64_t extra = has_extra ? static_cast<std::uint64_t>(in.signed_varint()) : 0;
  const std::size_t without = form == IntegerForm::plain ? 0 : form == IntegerForm::delta_of_delta ? 2 : 1;
  if (!in.ok() || values.size() < without) return false;
  if (!get_tokens(in, work, (head & kTokensPlain) != 0, values.size() - without)) return false;
  const std::vector<std::uint64_t>& x = work.numbers;
  if (form == IntegerForm::plain) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = first + (x[i] + extra) * divisor;
    return true;
  }
  values[0] = first;
  if (form == IntegerForm::from_mean) {
    MovingMean before;
    for (std::size_t i = 1; i < values.size(); ++i) {
      const std::uint64_t q = before.value() + from_zigzag(x[i - 1]);
      before.add(q);
      values[i] = first + q * divisor;
    }
    return true;
  }
  std::uint64_t step = extra * divisor;
  if (form == IntegerForm::delta_of_delta) values[1] = first + step;
  for (std::size_t i = without; i < values.size(); ++i) {
    const std::uint64_t change = from_zigzag(x[i - without]) * divisor;
    step = form == IntegerForm::delta ? change : step + change;
    values[i] = values[i - 1] + step;
  }
  return true;
}

}  // namespace honeylink::telemetry::store
