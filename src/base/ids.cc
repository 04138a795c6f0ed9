// See ids.h. The portable AES has no tables: it computes the S-box of 16 bytes at once in two 64-bit words, so that
// nothing about a key can be learned from the cache. About 3 µs a block; the processor's instructions take about 10 ns.
#include "base/ids.h"

#include <cstring>
#if defined(__x86_64__)
#include <wmmintrin.h>
#endif

namespace honeylink::telemetry {
namespace {

using Block = std::array<std::uint8_t, 16>;
constexpr int kRounds = 10;                   // AES-128
constexpr std::uint32_t kFeistelRounds = 10;  // SP 800-38G, FF1

struct Lanes {  // 16 field elements of GF(2^8)
  std::uint64_t low, high;
};
constexpr std::uint64_t kOnes = 0x0101010101010101ULL;

constexpr std::uint64_t doubled(std::uint64_t a) noexcept {
  return ((a & (kOnes * 0x7f)) << 1) ^ (((a >> 7) & kOnes) * 0x1b);
}
constexpr std::uint64_t times(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t product = 0;
  for (int bit = 0; bit < 8; ++bit, a = doubled(a)) product ^= a & (((b >> bit) & kOnes) * 0xff);
  return product;
}
// a^254: the inverse, and 0 for 0.
constexpr std::uint64_t inverse(std::uint64_t a) noexcept {
  const std::uint64_t a2 = times(a, a), a3 = times(a2, a), a6 = times(a3, a3), a12 = times(a6, a6),
                      a15 = times(a12, a3);
  const std::uint64_t a30 = times(a15, a15), a60 = times(a30, a30), a120 = times(a60, a60), a126 = times(a120, a6),
                      a127 = times(a126, a);
  return times(a127, a127);
}
constexpr std::uint64_t rotated(std::uint64_t a, int n) noexcept {  // every byte by itself
  const std::uint64_t stay = kOnes * static_cast<std::uint8_t>(0xff << n);
  return ((a << n) & stay) | ((a >> (8 - n)) & ~stay);
}
constexpr std::uint64_t substituted(std::uint64_t a) noexcept {
  const std::uint64_t i = inverse(a);
  return i ^ rotated(i, 1) ^ rotated(i, 2) ^ rotated(i, 3) ^ rotated(i, 4) ^ (kOnes * 0x63);
}
constexpr std::uint64_t substituted_back(std::uint64_t a) noexcept {
  return inverse(rotated(a, 1) ^ rotated(a, 3) ^ rotated(a, 6) ^ (kOnes * 0x05));
}
static_assert((substituted(0x53) & 0xff) == 0xed && (substituted_back(0xed) & 0xff) == 0x53, "FIPS 197, 5.1.1");

Block through(const Block& block, std::uint64_t (*function)(std::uint64_t)) noexcept {
  Lanes lanes;
  std::memcpy(&lanes, block.data(), sizeof lanes);
  lanes = {function(lanes.low), function(lanes.high)};
  Block out;
  std::memcpy(out.data(), &lanes, sizeof lanes);
  return out;
}

void add_key(Block& state, const Block& key) noexcept {
  for (std::size_t i = 0; i < 16; ++i) state[i] ^= key[i];
}

// Row r of column c is byte 4c + r; `by` 1 shifts left, 3 shifts right.
Block shifted(const Block& s, std::size_t by) noexcept {
  Block out;
  for (std::size_t c = 0; c < 4; ++c) {
    for (std::size_t r = 0; r < 4; ++r) out[4 * c + r] = s[4 * ((c + by * r) % 4) + r];
  }
  return out;
}

std::uint8_t twice(std::uint8_t a) noexcept { return static_cast<std::uint8_t>((a << 1) ^ ((a >> 7) * 0x1b)); }

void mix_columns(Block& s) noexcept {
  for (std::size_t c = 0; c < 16; c += 4) {
    const std::uint8_t all = s[c] ^ s[c + 1] ^ s[c + 2] ^ s[c + 3], first = s[c];
    for (std::size_t r = 0; r < 4; ++r) {
      const std::uint8_t below = r == 3 ? first : s[c + r + 1];
      s[c + r] = static_cast<std::uint8_t>(s[c + r] ^ all ^ twice(s[c + r] ^ below));
    }
  }
}
void unmix_columns(Block& s) noexcept {  // the inverse matrix is this one after the forward one
  for (std::size_t c = 0; c < 16; c += 4) {
    const std::uint8_t even = twice(twice(s[c] ^ s[c + 2])), odd = twice(twice(s[c + 1] ^ s[c + 3]));
    s[c] ^= even, s[c + 2] ^= even, s[c + 1] ^= odd, s[c + 3] ^= odd;
  }
  mix_columns(s);
}

#if defined(__x86_64__)
__attribute__((target("aes,sse2"))) Block encrypt_by_instruction(const std::array<Block, 11>& keys,
                                                                 const Block& block) noexcept {
  const auto load = [](const Block& b) __attribute__((target("aes,sse2"))) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(b.data()));
  };
  __m128i state = _mm_xor_si128(load(block), load(keys[0]));
  for (std::size_t r = 1; r < kRounds; ++r) state = _mm_aesenc_si128(state, load(keys[r]));
  state = _mm_aesenclast_si128(state, load(keys[kRounds]));
  Block out;
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out.data()), state);
  return out;
}

// The instruction takes four cycles and may begin each cycle: eight chains keep it busy.
__attribute__((target("aes,sse2"))) std::array<std::uint64_t, 8> encrypt_counters_by_instruction(
    const std::array<Block, 11>& keys, std::uint64_t counter) noexcept {
  const auto load = [](const Block& b) __attribute__((target("aes,sse2"))) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(b.data()));
  };
  __m128i state[8];  // in registers, if the loops over it are unrolled
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 8; ++i)
    state[i] = _mm_xor_si128(_mm_set_epi64x(static_cast<long long>(__builtin_bswap64(counter + i)), 0), load(keys[0]));
  for (std::size_t r = 1; r < kRounds; ++r) {
    const __m128i key = load(keys[r]);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < 8; ++i) state[i] = _mm_aesenc_si128(state[i], key);
  }
  const __m128i key = load(keys[kRounds]);
  std::array<std::uint64_t, 8> low;
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 8; ++i) {
    const __m128i done = _mm_aesenclast_si128(state[i], key);
    low[i] = __builtin_bswap64(static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(done, done))));
  }
  return low;
}

__attribute__((target("aes,sse2"))) void encrypt_eight_by_instruction(const std::array<Block, 11>& keys,
                                                                      std::array<Block, 8>& blocks) noexcept {
  const auto load = [](const Block& b) __attribute__((target("aes,sse2"))) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(b.data()));
  };
  __m128i state[8];
  for (std::size_t i = 0; i < 8; ++i) state[i] = _mm_xor_si128(load(blocks[i]), load(keys[0]));
  for (std::size_t r = 1; r < kRounds; ++r) {
    const __m128i key = load(keys[r]);
    for (__m128i& one : state) one = _mm_aesenc_si128(one, key);
  }
  const __m128i key = load(keys[kRounds]);
  for (std::size_t i = 0; i < 8; ++i)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(blocks[i].data()), _mm_aesenclast_si128(state[i], key));
}

__attribute__((target("aes,sse2"))) Block decrypt_by_instruction(const std::array<Block, 11>& keys,
                                                                 const Block& block) noexcept {
  const auto load = [](const Block& b) __attribute__((target("aes,sse2"))) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(b.data()));
  };
  __m128i state = _mm_xor_si128(load(block), load(keys[kRounds]));
  for (std::size_t r = kRounds - 1; r >= 1; --r) state = _mm_aesdec_si128(state, _mm_aesimc_si128(load(keys[r])));
  state = _mm_aesdeclast_si128(state, load(keys[0]));
  Block out;
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out.data()), state);
  return out;
}

bool has_instruction() noexcept {
  __builtin_cpu_init();
  return __builtin_cpu_supports("aes") != 0;
}
#endif

template <std::size_t N>
void put_big_endian(std::uint8_t* to, std::uint64_t value) noexcept {
  for (std::size_t i = 0; i < N; ++i) to[i] = static_cast<std::uint8_t>(value >> (8 * (N - 1 - i)));
}
template <std::size_t N>
std::uint64_t get_big_endian(const std::uint8_t* from) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < N; ++i) value = (value << 8) | from[i];
  return value;
}

}  // namespace

Aes128::Aes128(const Block& key) noexcept {
  round_keys_[0] = key;
  std::uint8_t constant = 1;
  for (std::size_t r = 1; r < round_keys_.size(); ++r, constant = twice(constant)) {
    const Block& before = round_keys_[r - 1];
    Block& now = round_keys_[r];
    std::uint32_t last;
    std::memcpy(&last, &before[12], sizeof last);
    const auto word =
        static_cast<std::uint32_t>(substituted((last >> 8) | (last << 24)));  // little-endian: a rotation to the left
    for (std::size_t i = 0; i < 4; ++i) now[i] = static_cast<std::uint8_t>(before[i] ^ (word >> (8 * i)));
    now[0] ^= constant;
    for (std::size_t i = 4; i < 16; ++i) now[i] = before[i] ^ now[i - 4];
  }
}

Block Aes128::encrypt_portable(const Block& block) const noexcept {
  Block state = block;
  add_key(state, round_keys_[0]);
  for (std::size_t r = 1; r <= kRounds; ++r) {
    state = shifted(through(state, substituted), 1);
    if (r < kRounds) mix_columns(state);
    add_key(state, round_keys_[r]);
  }
  return state;
}

Block Aes128::encrypt(const Block& block) const noexcept {
#if defined(__x86_64__)
  static const bool fast = has_instruction();
  if (fast) return encrypt_by_instruction(round_keys_, block);
#endif
  return encrypt_portable(block);
}

Block Aes128::decrypt(const Block& block) const noexcept {
#if defined(__x86_64__)
  static const bool fast = has_instruction();
  if (fast) return decrypt_by_instruction(round_keys_, block);
#endif
  return decrypt_portable(block);
}

Block Aes128::decrypt_portable(const Block& block) const noexcept {
  Block state = block;
  for (std::size_t r = kRounds; r >= 1; --r) {
    add_key(state, round_keys_[r]);
    if (r < kRounds) unmix_columns(state);
    state = through(shifted(state, 3), substituted_back);
  }
  add_key(state, round_keys_[0]);
  return state;
}

std::array<std::uint64_t, 8> Aes128::encrypt_counters(std::uint64_t counter) const noexcept {
#if defined(__x86_64__)
  static const bool fast = has_instruction();
  if (fast) return encrypt_counters_by_instruction(round_keys_, counter);
#endif
  std::array<std::uint64_t, 8> low;
  for (std::size_t i = 0; i < low.size(); ++i) {
    Block block{};
    put_big_endian<8>(&block[8], counter + i);
    low[i] = get_big_endian<8>(&encrypt_portable(block)[8]);
  }
  return low;
}

void Aes128::encrypt_eight(std::array<Block, 8>& blocks) const noexcept {
#if defined(__x86_64__)
  static const bool fast = has_instruction();
  if (fast) return encrypt_eight_by_instruction(round_keys_, blocks);
#endif
  for (Block& block : blocks) block = encrypt_portable(block);
}

IdCipher::IdCipher(const Block& trace_key, const Block& span_key) noexcept : trace_(trace_key), span_(span_key) {}

Block IdCipher::trace_id(std::uint64_t counter) const noexcept {
  Block block{};
  put_big_endian<8>(&block[8], counter);
  return trace_.encrypt(block);
}

bool IdCipher::trace_counter(const Block& id, std::uint64_t& counter) const noexcept {
  const Block block = trace_.decrypt(id);
  counter = get_big_endian<8>(&block[8]);
  return get_big_endian<8>(&block[0]) == 0;
}

std::uint32_t IdCipher::round(std::uint32_t number, std::uint32_t half) const noexcept {
  Block block{};
  put_big_endian<4>(&block[0], number);
  put_big_endian<4>(&block[12], half);
  return static_cast<std::uint32_t>(get_big_endian<4>(span_.encrypt(block).data()));
}

std::array<std::uint8_t, 8> IdCipher::span_id(std::uint64_t counter) const noexcept {
  auto left = static_cast<std::uint32_t>(counter >> 32), right = static_cast<std::uint32_t>(counter);
  for (std::uint32_t r = 0; r < kFeistelRounds; ++r) {
    const std::uint32_t mixed = left ^ round(r, right);
    left = right, right = mixed;
  }
  std::array<std::uint8_t, 8> id;
  put_big_endian<8>(id.data(), (std::uint64_t{left} << 32) | right);
  return id;
}

std::array<Block, 8> IdCipher::next_trace_ids(std::uint64_t counter) const noexcept {
  std::array<Block, 8> ids{};
  for (std::size_t i = 0; i < ids.size(); ++i) put_big_endian<8>(&ids[i][8], counter + i);
  trace_.encrypt_eight(ids);
  return ids;
}

std::array<std::array<std::uint8_t, 8>, 8> IdCipher::next_span_ids(std::uint64_t counter) const noexcept {
  std::array<std::uint32_t, 8> left, right;
  for (std::size_t i = 0; i < 8; ++i)
    left[i] = static_cast<std::uint32_t>((counter + i) >> 32), right[i] = static_cast<std::uint32_t>(counter + i);
  for (std::uint32_t r = 0; r < kFeistelRounds; ++r) {
    std::array<Block, 8> blocks{};
    for (std::size_t i = 0; i < 8; ++i)
      put_big_endian<4>(&blocks[i][0], r), put_big_endian<4>(&blocks[i][12], right[i]);
    span_.encrypt_eight(blocks);
    for (std::size_t i = 0; i < 8; ++i) {
      const std::uint32_t mixed = left[i] ^ static_cast<std::uint32_t>(get_big_endian<4>(blocks[i].data()));
      left[i] = right[i], right[i] = mixed;
    }
  }
  std::array<std::array<std::uint8_t, 8>, 8> ids;
  for (std::size_t i = 0; i < 8; ++i) put_big_endian<8>(ids[i].data(), (std::uint64_t{left[i]} << 32) | right[i]);
  return ids;
}

std::uint64_t IdCipher::span_counter(const std::array<std::uint8_t, 8>& id) const noexcept {
  const std::uint64_t whole = get_big_endian<8>(id.data());
  auto left = static_cast<std::uint32_t>(whole >> 32), right = static_cast<std::uint32_t>(whole);
  for (std::uint32_t r = kFeistelRounds; r-- > 0;) {
    const std::uint32_t mixed = right ^ round(r, left);
    right = left, left = mixed;
  }
  return (std::uint64_t{left} << 32) | right;
}

}  // namespace honeylink::telemetry
