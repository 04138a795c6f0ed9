// logs/state: what of the log is committed, in two slots of which the newer sound one counts
// (docs/formats/log_files.md). Used by LogFiles; its encoder and decoder are also driven by tests.
//
// Must stay true: a slot is written only over the older one, so that a kill in the middle leaves the newer; both
// sequence numbers differ.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "store/store.h"

namespace honeylink::telemetry::store {

inline constexpr std::size_t kLogSlotBytes = 256 * 1024;      // 9,000 cursors; the file is sparse
inline constexpr std::uint32_t kLogSlotMagic = 0x3147'4c48U;  // "HLG1"

struct LogState {
  std::uint64_t sequence = 0;
  std::uint64_t epoch = 0;
  std::array<std::uint8_t, 16> boot_id{};
  std::uint64_t inode = 0;           // of the file that the sizes speak of
  std::uint64_t file_number = 1;     // the name it gets when it is rotated
  std::uint64_t committed = 0;       // bytes; what lies beyond is not part of the log
  std::uint64_t durable = 0;         // bytes that were synced
  std::uint32_t tail_crc = 0;        // of bytes [durable, committed)
  std::uint64_t durable_stored = 0;  // counts.stored when the durable size was reached
  Counts counts;
  std::map<std::pair<RingId, std::uint32_t>, std::uint64_t> cursors;
};

/// Empty where it does not fit a slot.
[[nodiscard]] std::string encode_log_state(const LogState& state);
/// False: not a whole slot of this version.
bool decode_log_state(std::string_view bytes, LogState& state);
/// Both slots of the file; the newer sound one. False: neither is sound.
bool read_log_state(int fd, LogState& state);
/// Into the slot that `state.sequence` belongs to. False: errno says.
bool write_log_state(int fd, std::string_view encoded, std::uint64_t sequence) noexcept;
/// Highest epoch in the heads of both slots.
[[nodiscard]] std::uint64_t log_epoch(int fd) noexcept;
/// /proc/sys/kernel/random/boot_id; zeros where it cannot be read.
[[nodiscard]] std::array<std::uint8_t, 16> boot_id();

}  // namespace honeylink::telemetry::store
