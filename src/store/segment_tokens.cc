// See segment_tokens.h. The ranged form is Duda's range coder with static frequencies (rANS, 32 bits of state, words of
// 16 bits): a token costs what its frequency says, to a fraction of a bit, where Huffman's rounds to whole ones.
#include "store/segment_tokens.h"

#include <algorithm>
#include <cmath>

#include "store/bytes.h"
#include "store/segment_integers.h"

namespace honeylink::telemetry::store {
namespace {

constexpr unsigned kShareBits = 12, kShares = 1U << kShareBits;
constexpr std::uint32_t kStateLow = 1U << 16;
constexpr std::size_t kStateBytes = 4;
// Two states take turns where there are many tokens: neither waits for what the other has just looked up. Four bytes
// are too much for few.
constexpr std::size_t kTwoStatesFrom = 512;
constexpr std::size_t states_of(std::size_t tokens) noexcept { return tokens < kTwoStatesFrom ? 1 : 2; }
// A frequency is told as 2 or 3 times a power of two: as near as half an octave costs a hundredth of a bit a token, and
// three bits to tell.
constexpr unsigned kLevelMax = 63;
constexpr std::uint64_t weight_of(unsigned level) noexcept {
  return level == 0 ? 0 : std::uint64_t{2 + (level - 1) % 2} << ((level - 1) / 2);
}
constexpr std::array<std::uint64_t, kLevelMax + 1> make_weights() noexcept {
  std::array<std::uint64_t, kLevelMax + 1> weights{};
  for (unsigned level = 0; level <= kLevelMax; ++level) weights[level] = weight_of(level);
  return weights;
}
constexpr auto kWeights = make_weights();
unsigned level_of(std::uint32_t count) noexcept {
  if (count == 0) return 0;
  const std::uint64_t twice = std::uint64_t{count} * 2;
  const auto bits = static_cast<unsigned>(std::bit_width(twice));
  unsigned level = 2 * (bits - 2) + 1;  // 2^(bits-1) is its weight
  // The nearer in ratio: 1.22 and 1.73 are half way to one and a half, and to twice.
  const std::uint64_t hundred = twice * 100 >> (bits - 1);
  if (hundred >= 173) level += 2;
  else if (hundred >= 122) ++level;
  return std::min(level, kLevelMax);
}

struct TokenTables {
  std::array<std::uint8_t, 256> low_bits{};
  std::array<std::uint64_t, 256> base{};
};
constexpr TokenTables make_tables() noexcept {
  TokenTables tables;
  for (unsigned token = 0; token <= kTokenMax; ++token) {
    const unsigned low = token_low_bits(token);
    tables.low_bits[token] = static_cast<std::uint8_t>(low);
    tables.base[token] =
        token < kTokenSmall ? token : (std::uint64_t{1} << (low + 2)) | (std::uint64_t{(token - 8) & 3U} << low);
  }
  return tables;
}
constexpr TokenTables kTokens = make_tables();

// Elias' gamma code of n ≥ 1: as many zeros as bits follow the leading one.
void put_gamma(BitWriter& bits, unsigned n) {
  const auto below = static_cast<unsigned>(std::bit_width(n)) - 1;
  bits.put(std::uint64_t{1} << below, below + 1);
  bits.put(n & ((1U << below) - 1), below);
}
constexpr unsigned kGammaZerosMax = 8;
// 0 where it is none.
unsigned get_gamma(BitReader& bits) noexcept {
  unsigned below = 0;
  while (bits.get(1) == 0)
    if (++below > kGammaZerosMax) return 0;
  return 1U << below | static_cast<unsigned>(bits.get(below));
}
constexpr unsigned gamma_bits(unsigned n) noexcept { return 2 * static_cast<unsigned>(std::bit_width(n)) - 1; }
constexpr unsigned step_of(unsigned level, unsigned before) noexcept {
  return static_cast<unsigned>(zigzag(static_cast<std::int64_t>(level) - static_cast<std::int64_t>(before))) + 1;
}

constexpr double kFrameBelow = 2.5;  // bits a token: what is as calm as that may repeat

}  // namespace

std::uint64_t TokenCounts::total() const noexcept {
  std::uint64_t sum = 0;
  for (const std::uint32_t n : seen) sum += n;
  return sum;
}

double TokenCounts::bits() const noexcept {
  double sum = 0, total = 0;
  for (unsigned token = 0; token <= kTokenMax; ++token) {
    if (seen[token] == 0) continue;
    const double n = seen[token];
    total += n;
    sum += n * (kTokens.low_bits[token] - static_cast<double>(std::log2(static_cast<float>(n))));
  }
  return total == 0 ? 0 : sum + total * static_cast<double>(std::log2(static_cast<float>(total)));
}

TokenRange::TokenRange(const TokenCounts& counts) noexcept {
  while (low_ < kTokenMax && counts.seen[low_] == 0) ++low_;
  high_ = kTokenMax;
  while (high_ > low_ && counts.seen[high_] == 0) --high_;
  for (unsigned token = low_; token <= high_; ++token)
    level_[token] = static_cast<std::uint8_t>(level_of(counts.seen[token]));
  spread();
}

// From levels to shares that add up to kShares, the same on both sides: every token that occurs gets one at least, what
// rounding leaves goes to the most frequent, what it took too much comes from all that can give.
void TokenRange::spread() noexcept {
  std::uint64_t weights = 0;
  for (unsigned token = low_; token <= high_; ++token) weights += kWeights[level_[token]];
  unsigned given = 0, most = low_;
  for (unsigned token = low_; token <= high_; ++token) {
    if (level_[token] == 0) continue;
    const auto share = static_cast<unsigned>(kWeights[level_[token]] * kShares / weights);
    share_[token] = static_cast<std::uint16_t>(std::max(share, 1U));
    given += share_[token];
    if (share_[token] > share_[most]) most = token;
  }
  if (given < kShares) share_[most] = static_cast<std::uint16_t>(share_[most] + kShares - given);
  while (given > kShares) {
    for (unsigned token = low_; token <= high_ && given > kShares; ++token)
      if (share_[token] > 1) --share_[token], --given;
  }
  unsigned start = 0;
  for (unsigned token = low_; token <= high_; ++token)
    start_[token] = static_cast<std::uint16_t>(start), start += share_[token];
}

double TokenRange::bits(const TokenCounts& counts) const noexcept {
  double sum = 16;
  unsigned before = 0;
  for (unsigned token = low_; token <= high_; ++token) {
    sum += gamma_bits(step_of(level_[token], before));
    before = level_[token];
    if (counts.seen[token] != 0)
      sum += counts.seen[token] * (kShareBits - static_cast<double>(std::log2(static_cast<float>(share_[token]))));
  }
  return low_ == high_ ? sum : sum + static_cast<double>(8 * kStateBytes * states_of(counts.total()));
}

void TokenRange::write(std::span<const std::uint8_t> tokens, SegmentWorkspace& work, Bytes& to) const {
  to.push_back(static_cast<std::uint8_t>(low_));
  to.push_back(static_cast<std::uint8_t>(high_));
  if (low_ == high_) return;
  BitWriter levels(to);
  unsigned before = 0;
  for (unsigned token = low_; token <= high_; ++token) {
    put_gamma(levels, step_of(level_[token], before));
    before = level_[token];
  }
  levels.finish();
  // Last in, first out: written from the end, so that it is read from the beginning.
  const std::size_t states = states_of(tokens.size());
  work.words.clear();
  std::array<std::uint32_t, 2> state{kStateLow, kStateLow};
  for (std::size_t i = tokens.size(); i-- > 0;) {
    std::uint32_t& its = state[i % states];
    const std::uint32_t share = share_[tokens[i]];
    if (its >= std::uint64_t{share} << (32 - kShareBits)) {
      work.words.push_back(static_cast<std::uint16_t>(its));
      its >>= 16;
    }
    its = (its / share << kShareBits) + its % share + start_[tokens[i]];
  }
  for (std::size_t i = 0; i < states; ++i) put_fixed(to, state[i]);
  std::reverse(work.words.begin(), work.words.end());
  put_bytes(to, work.words.data(), work.words.size() * sizeof(std::uint16_t));
}

bool TokenRange::read_head(Decoder& in) {
  low_ = in.fixed<std::uint8_t>();
  high_ = in.fixed<std::uint8_t>();
  if (!in.ok() || low_ > high_ || high_ > kTokenMax) return false;
  if (low_ == high_) return true;
  BitReader levels(in.rest());
  int level = 0;
  bool any = false;
  for (unsigned token = low_; token <= high_; ++token) {
    const unsigned step = get_gamma(levels);
    level += static_cast<int>(step == 0 ? 0 : unzigzag(step - 1));
    if (step == 0 || level < 0 || level > static_cast<int>(kLevelMax)) return false;
    level_[token] = static_cast<std::uint8_t>(level);
    any = any || level != 0;
  }
  if (!any || levels.beyond()) return false;
  in.bytes(levels.bytes_used());
  spread();
  return true;
}

bool TokenRange::read(Decoder& in, SegmentWorkspace& work, std::span<std::uint8_t> tokens) {
  if (!read_head(in)) return false;
  if (low_ == high_) {
    std::fill(tokens.begin(), tokens.end(), static_cast<std::uint8_t>(low_));
    return true;
  }
  work.symbols.resize(kShares);
  for (unsigned token = low_; token <= high_; ++token)
    std::fill_n(work.symbols.begin() + start_[token], share_[token], static_cast<std::uint8_t>(token));
  const std::size_t states = states_of(tokens.size());
  std::uint32_t even = in.fixed<std::uint32_t>(), odd = states == 2 ? in.fixed<std::uint32_t>() : kStateLow;
  const std::string_view rest = in.rest();
  const char* word = rest.data();
  const char* const end = word + rest.size() / sizeof(std::uint16_t) * sizeof(std::uint16_t);
  bool short_of_words = false;
  const auto take = [&](std::uint32_t& state) {
    const std::uint32_t slot = state & (kShares - 1);
    const std::uint8_t token = work.symbols[slot];
    state = share_[token] * (state >> kShareBits) + slot - start_[token];
    if (state < kStateLow) {
      std::uint16_t next = 0;
      if (word == end) short_of_words = true;
      else std::memcpy(&next, word, sizeof next), word += sizeof next;
      state = state << 16 | next;
    }
    return token;
  };
  if (states == 2) {
    std::size_t i = 0;
    for (; i + 1 < tokens.size(); i += 2) tokens[i] = take(even), tokens[i + 1] = take(odd);
    if (i < tokens.size()) tokens[i] = take(even);
  } else {
    for (std::uint8_t& token : tokens) token = take(even);
  }
  in.bytes(static_cast<std::size_t>(word - rest.data()));
  return in.ok() && !short_of_words && even == kStateLow && odd == kStateLow;
}

TokenForm put_tokens(std::span<const std::uint64_t> numbers, SegmentWorkspace& work, Bytes& to) {
  if (numbers.empty()) return TokenForm::plain;
  work.tokens.resize(numbers.size());
  TokenCounts counts;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    work.tokens[i] = static_cast<std::uint8_t>(token_of(numbers[i]));
    ++counts.seen[work.tokens[i]];
  }
  const TokenRange range(counts);
  const double bits = range.bits(counts);
  const std::size_t begin = to.size();
  TokenForm form = TokenForm::plain;
  // A frame is the shorter one only where tokens repeat in their order.
  if (bits < kFrameBelow * static_cast<double>(numbers.size()) && work.frames.append_if_smaller(work.tokens, to))
    form = TokenForm::framed;
  const std::size_t now = form == TokenForm::framed ? to.size() - begin : numbers.size();
  if (bits / 8 + 1 < static_cast<double>(now)) {
    to.resize(begin);
    range.write(work.tokens, work, to);
    form = TokenForm::ranged;
  } else if (form == TokenForm::plain) {
    put_bytes(to, work.tokens.data(), work.tokens.size());
  }
  BitWriter low(to);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const unsigned bits_below = kTokens.low_bits[work.tokens[i]];
    if (bits_below != 0) low.put(numbers[i] & ((std::uint64_t{1} << bits_below) - 1), bits_below);
  }
  low.finish();
  return form;
}

bool get_tokens(Decoder& in, SegmentWorkspace& work, TokenForm form, std::size_t count) {
  work.tokens.resize(count);
  work.numbers.resize(count);
  if (count == 0) return in.ok();
  if (form == TokenForm::plain) {
    const std::string_view bytes = in.bytes(count);
    if (bytes.size() != count) return false;
    std::memcpy(work.tokens.data(), bytes.data(), count);
  } else if (form == TokenForm::ranged) {
    if (TokenRange range; !range.read(in, work, work.tokens)) return false;
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
  if (largest < kTokenSmall) {
    std::copy(work.tokens.begin(), work.tokens.end(), work.numbers.begin());
    return true;
  }
  BitReader bits(stream);
  const auto number = [&](std::uint8_t token) { return kTokens.base[token] | bits.get(kTokens.low_bits[token]); };
  const auto short_number = [&](std::uint8_t token) {
    return kTokens.base[token] | bits.get_short(kTokens.low_bits[token]);
  };
  if (largest < kTokenLong) std::transform(work.tokens.begin(), work.tokens.end(), work.numbers.begin(), short_number);
  else std::transform(work.tokens.begin(), work.tokens.end(), work.numbers.begin(), number);
  return true;
}

}  // namespace honeylink::telemetry::store
