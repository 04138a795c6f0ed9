// CRC-32C (Castagnoli, reflected 0x82f63b78), as iSCSI (RFC 3720, B.4) defines it: what every block, slot and state
// file of this product is checked by. By the processor's instruction where it has one, else eight bytes at a time by
// tables; the same number.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace honeylink::telemetry {

/// Of `bytes`, or going on from the `crc` of what came before: crc32c(b, crc32c(a)) == crc32c(a followed by b). Any
/// thread.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::uint8_t> bytes, std::uint32_t crc = 0) noexcept;
[[nodiscard]] inline std::uint32_t crc32c(const void* bytes, std::size_t size, std::uint32_t crc = 0) noexcept {
  return crc32c({static_cast<const std::uint8_t*>(bytes), size}, crc);
}
/// For tests: without the instruction.
[[nodiscard]] std::uint32_t crc32c_portable(std::span<const std::uint8_t> bytes, std::uint32_t crc = 0) noexcept;

}  // namespace honeylink::telemetry
