// See crc32c.h. The tables are computed by the compiler.
#include "base/crc32c.h"

#include <array>
#include <cstring>
#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace honeylink::telemetry {
namespace {

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() noexcept {
  Tables t{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0x82f63b78U : 0U);
    t[0][i] = crc;
  }
  for (std::size_t k = 1; k < 8; ++k) {
    for (std::size_t i = 0; i < 256; ++i) t[k][i] = (t[k - 1][i] >> 8) ^ t[0][t[k - 1][i] & 0xffU];
  }
  return t;
}
constexpr Tables kTables = make_tables();

std::uint64_t load64(const std::uint8_t* at) noexcept {
  std::uint64_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

#if defined(__x86_64__)
// Three lanes side by side: the instruction takes a cycle and its answer three. What a lane has found is carried over
// the next one's bytes as if those were zeros; that is linear, so a table for each byte of the state does it.
constexpr std::size_t kLane = 256;
using Carry = std::array<std::array<std::uint32_t, 256>, 4>;
constexpr Carry make_carry() noexcept {
  std::array<std::uint32_t, 32> of_bit{};
  for (std::size_t bit = 0; bit < of_bit.size(); ++bit) {
    std::uint32_t state = std::uint32_t{1} << bit;
    for (std::size_t i = 0; i < kLane; ++i) state = (state >> 8) ^ kTables[0][state & 0xffU];
    of_bit[bit] = state;
  }
  Carry carry{};
  for (std::size_t k = 0; k < carry.size(); ++k) {
    for (std::size_t value = 0; value < 256; ++value) {
      for (std::size_t bit = 0; bit < 8; ++bit)
        if ((value >> bit & 1U) != 0) carry[k][value] ^= of_bit[8 * k + bit];
    }
  }
  return carry;
}
constexpr Carry kCarry = make_carry();
std::uint32_t carried(std::uint64_t state) noexcept {
  return kCarry[0][state & 0xffU] ^ kCarry[1][state >> 8 & 0xffU] ^ kCarry[2][state >> 16 & 0xffU] ^
         kCarry[3][state >> 24 & 0xffU];
}

__attribute__((target("sse4.2"))) std::uint32_t by_instruction(std::span<const std::uint8_t> bytes,
                                                               std::uint32_t crc) noexcept {
  std::uint64_t state = ~crc;
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 3 * kLane; at += 3 * kLane, left -= 3 * kLane) {
    std::uint64_t second = 0, third = 0;
    for (std::size_t i = 0; i < kLane; i += 8) {
      state = _mm_crc32_u64(state, load64(at + i));
      second = _mm_crc32_u64(second, load64(at + kLane + i));
      third = _mm_crc32_u64(third, load64(at + 2 * kLane + i));
    }
    state = carried(carried(state) ^ second) ^ third;
  }
  for (; left >= 8; at += 8, left -= 8) state = _mm_crc32_u64(state, load64(at));
  auto low = static_cast<std::uint32_t>(state);
  for (; left > 0; ++at, --left) low = _mm_crc32_u8(low, *at);
  return ~low;
}

bool has_instruction() noexcept {
  __builtin_cpu_init();
  return __builtin_cpu_supports("sse4.2") != 0;
}
#endif

}  // namespace

std::uint32_t crc32c_portable(std::span<const std::uint8_t> bytes, std::uint32_t crc) noexcept {
  std::uint32_t state = ~crc;
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    const std::uint64_t word = load64(at) ^ state;
    state = 0;
    for (std::size_t k = 0; k < 8; ++k) state ^= kTables[7 - k][(word >> (8 * k)) & 0xffU];
  }
  for (; left > 0; ++at, --left) state = (state >> 8) ^ kTables[0][(state ^ *at) & 0xffU];
  return ~state;
}

std::uint32_t crc32c(std::span<const std::uint8_t> bytes, std::uint32_t crc) noexcept {
#if defined(__x86_64__)
  static const bool fast = has_instruction();
  if (fast) return by_instruction(bytes, crc);
#endif
  return crc32c_portable(bytes, crc);
}

}  // namespace honeylink::telemetry
