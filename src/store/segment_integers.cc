// See segment_integers.h.
#include "store/segment_integers.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "store/bytes.h"

namespace honeylink::telemetry::store {
namespace {

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
  TokenCounts plain, delta, twice, mean;
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
  const TokenForm tokens = put_tokens(work.numbers, work, to);
  to[form_at] = static_cast<std::uint8_t>(to[form_at] | static_cast<unsigned>(tokens));
}

bool decode_integers(Decoder& in, SegmentWorkspace& work, std::span<std::uint64_t> values) {
  if (values.empty()) return true;
  const unsigned head = in.fixed<std::uint8_t>();
  const auto form = static_cast<IntegerForm>(head & kIntegerFormMask);
  const auto first = static_cast<std::uint64_t>(in.signed_varint());
  const auto tokens = static_cast<TokenForm>(head & ~kIntegerFormMask);
  if (!in.ok() || form > IntegerForm::from_mean || !is_token_form(tokens)) return false;
  if (form == IntegerForm::constant) {
    std::fill(values.begin(), values.end(), first);
    return head == 0;
  }
  const std::uint64_t divisor = in.varint();
  const bool has_extra = form == IntegerForm::plain || form == IntegerForm::delta_of_delta;
  const std::uint64_t extra = has_extra ? static_cast<std::uint64_t>(in.signed_varint()) : 0;
  const std::size_t without = form == IntegerForm::plain ? 0 : form == IntegerForm::delta_of_delta ? 2 : 1;
  if (!in.ok() || values.size() < without) return false;
  if (!get_tokens(in, work, tokens, values.size() - without)) return false;
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
