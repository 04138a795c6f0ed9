// Numbers as tokens and low bits, the tokens by how often they occur (docs/formats/metrics_db.md, *tokens*). Used by
// the integer columns of the segments and by what stands beside them in an aggregate.
//
// Must stay true: any numbers come back as they were; hostile bytes are never read past their end, and take no more
// memory than the count that the reader asks for.
#pragma once
#include <array>
#include <bit>
#include <span>
#include <vector>

#include "base/coding.h"
#include "store/segment_format.h"
#include "store/segment_frame.h"

namespace honeylink::telemetry::store {

/// Scratch of the codecs, kept so that a column costs no allocation. One thread.
struct SegmentWorkspace {
  Frames frames;
  std::vector<std::uint64_t> quotients, numbers, scaled, spare;
  std::vector<std::uint16_t> words;
  Bytes tokens, planes, symbols;
};

/// Numbers below it are their own token; else a token is the length in bits and the two bits after the leading one.
inline constexpr std::uint64_t kTokenSmall = 8;
inline constexpr unsigned kTokenMax = 251;
inline constexpr unsigned kTokenLong = 136;  // from here on there are more than 32 low bits
constexpr unsigned token_of(std::uint64_t n) noexcept {
  if (n < kTokenSmall) return static_cast<unsigned>(n);
  const auto bits = static_cast<unsigned>(std::bit_width(n));
  return 8 + (bits - 4) * 4 + static_cast<unsigned>((n >> (bits - 3)) & 3U);
}
static_assert(token_of(~std::uint64_t{0}) == kTokenMax);
constexpr unsigned token_low_bits(unsigned token) noexcept { return token < kTokenSmall ? 0 : (token - 8) / 4 + 1; }
static_assert(token_low_bits(kTokenLong - 1) == 32 && token_low_bits(kTokenLong) == 33);

/// What numbers would cost: how often each token occurs.
struct TokenCounts {
  std::array<std::uint32_t, 256> seen{};
  void add(std::uint64_t n) noexcept { ++seen[token_of(n)]; }
  [[nodiscard]] std::uint64_t total() const noexcept;
  /// Entropy of the tokens plus their low bits.
  [[nodiscard]] double bits() const noexcept;
};

/// Bits, least significant first, padded to a byte at the end. One thread; writes behind what `to` holds.
class BitWriter {
 public:
  explicit BitWriter(Bytes& to) noexcept : to_(to) {}
  /// bits ≤ 64, and none set above them.
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
  unsigned used_ = 0;  // below 8 between calls
};

/// Past the end there are zeros; `beyond()` says that it was asked for them.
class BitReader {
 public:
  explicit BitReader(std::string_view bytes) noexcept : bytes_(bytes) {}
  std::uint64_t get(unsigned bits) noexcept {
    if (bits <= 32) return get_short(bits);
    const std::uint64_t low = get_short(32);
    return low | get_short(bits - 32) << 32;
  }
  /// bits ≤ 32.
  std::uint64_t get_short(unsigned bits) noexcept {
    const std::uint64_t word = load(at_ / 8) >> (at_ % 8);
    at_ += bits;
    return word & ((std::uint64_t{1} << bits) - 1);
  }
  [[nodiscard]] std::size_t bytes_used() const noexcept { return (at_ + 7) / 8; }
  [[nodiscard]] bool beyond() const noexcept { return bytes_used() > bytes_.size(); }

 private:
  [[nodiscard]] std::uint64_t load(std::size_t byte) const noexcept {
    std::uint64_t word = 0;
    if (byte + sizeof word <= bytes_.size()) std::memcpy(&word, bytes_.data() + byte, sizeof word);
    else if (byte < bytes_.size()) std::memcpy(&word, bytes_.data() + byte, bytes_.size() - byte);
    return word;
  }
  std::string_view bytes_;
  std::size_t at_ = 0;  // in bits
};

/// Tokens and low bits in the shortest of the forms; says which, for the head of the column.
TokenForm put_tokens(std::span<const std::uint64_t> numbers, SegmentWorkspace& work, Bytes& to);
/// `count` numbers into work.numbers. False where they are not there.
[[nodiscard]] bool get_tokens(Decoder& in, SegmentWorkspace& work, TokenForm form, std::size_t count);

/// The ranged form alone, of values up to kTokenMax. Both sides of the tests.
class TokenRange {
 public:
  /// The frequencies that the format allows which come nearest to these.
  explicit TokenRange(const TokenCounts& counts) noexcept;
  TokenRange() noexcept = default;
  [[nodiscard]] double bits(const TokenCounts& counts) const noexcept;  // head and all
  void write(std::span<const std::uint8_t> tokens, SegmentWorkspace& work, Bytes& to) const;
  [[nodiscard]] bool read(Decoder& in, SegmentWorkspace& work, std::span<std::uint8_t> tokens);

 private:
  void spread() noexcept;
  [[nodiscard]] bool read_head(Decoder& in);

  unsigned low_ = 0, high_ = 0;  // the tokens that occur lie between, both inclusive
  std::array<std::uint8_t, 256> level_{};
  std::array<std::uint16_t, 256> share_{}, start_{};  // of kShares
};

}  // namespace honeylink::telemetry::store
