// See log_state.h.
#include "store/log_state.h"

#include <fcntl.h>

#include <cstring>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/text.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::size_t kSizeAt = 8, kEpochAt = 24, kHeadBytes = 32;  // magic, crc, size, version, sequence, epoch
constexpr std::uint32_t kVersion = 1;

void put_array(std::string& to, const std::array<std::uint8_t, 16>& bytes) {
  to.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::array<std::uint8_t, 16> get_array(Decoder& in) { return in.fixed<std::array<std::uint8_t, 16>>(); }

}  // namespace

std::string encode_log_state(const LogState& state) {
  std::string to;
  put_fixed(to, kLogSlotMagic);
  put_fixed(to, std::uint32_t{0});
  put_fixed(to, std::uint32_t{0});
  put_fixed(to, kVersion);
  put_fixed(to, state.sequence);
  put_fixed(to, state.epoch);
  put_array(to, state.boot_id);
  put_fixed(to, state.inode);
  put_fixed(to, state.file_number);
  put_fixed(to, state.committed);
  put_fixed(to, state.durable);
  put_fixed(to, state.tail_crc);
  put_fixed(to, state.durable_stored);
  put_varint(to, state.counts.accepted);
  put_varint(to, state.counts.retro_kept);
  put_varint(to, state.counts.stored);
  put_varint(to, state.counts.dropped.size());
  for (const auto& [reason, n] : state.counts.dropped) put_text(to, reason), put_varint(to, n);
  put_varint(to, state.cursors.size());
  for (const auto& [slot, next] : state.cursors)
    put_array(to, slot.first), put_varint(to, slot.second), put_varint(to, next);
  if (to.size() > kLogSlotBytes) return {};
  const auto size = static_cast<std::uint32_t>(to.size());
  std::memcpy(to.data() + kSizeAt, &size, sizeof size);
  const std::uint32_t crc = crc32c(to.data() + kSizeAt, to.size() - kSizeAt);
  std::memcpy(to.data() + 4, &crc, sizeof crc);
  return to;
}

bool decode_log_state(std::string_view bytes, LogState& state) {
  Decoder in(bytes);
  if (in.fixed<std::uint32_t>() != kLogSlotMagic) return false;
  const auto crc = in.fixed<std::uint32_t>();
  const auto size = in.fixed<std::uint32_t>();
  if (in.fixed<std::uint32_t>() != kVersion || size < kHeadBytes || size > bytes.size()) return false;
  if (crc32c(bytes.data() + kSizeAt, size - kSizeAt) != crc) return false;
  state = {};
  state.sequence = in.fixed<std::uint64_t>();
  state.epoch = in.fixed<std::uint64_t>();
  state.boot_id = get_array(in);
  state.inode = in.fixed<std::uint64_t>();
  state.file_number = in.fixed<std::uint64_t>();
  state.committed = in.fixed<std::uint64_t>();
  state.durable = in.fixed<std::uint64_t>();
  state.tail_crc = in.fixed<std::uint32_t>();
  state.durable_stored = in.fixed<std::uint64_t>();
  state.counts.accepted = in.varint();
  state.counts.retro_kept = in.varint();
  state.counts.stored = in.varint();
  for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
    const std::string reason(in.text());
    state.counts.dropped[reason] = in.varint();
  }
  for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
    const RingId ring = get_array(in);
    const auto slot = static_cast<std::uint32_t>(in.varint());
    state.cursors[{ring, slot}] = in.varint();
  }
  return in.ok() && state.durable <= state.committed;
}

bool read_log_state(int fd, LogState& state) {
  bool found = false;
  for (std::size_t slot = 0; slot < 2; ++slot) {
    std::string head(kHeadBytes, '\0'), whole;
    if (!read_exactly(fd, head.data(), head.size(), slot * kLogSlotBytes)) continue;
    std::uint32_t size = 0;
    std::memcpy(&size, head.data() + kSizeAt, sizeof size);
    if (size < kHeadBytes || size > kLogSlotBytes) continue;
    whole.resize(size);
    LogState read;
    if (!read_exactly(fd, whole.data(), whole.size(), slot * kLogSlotBytes) || !decode_log_state(whole, read)) continue;
    if (!found || read.sequence > state.sequence) state = std::move(read);
    found = true;
  }
  return found;
}

bool write_log_state(int fd, std::string_view encoded, std::uint64_t sequence) noexcept {
  return write_exactly(fd, encoded.data(), encoded.size(), (sequence & 1U) * kLogSlotBytes);
}

std::uint64_t log_epoch(int fd) noexcept {
  std::uint64_t highest = 0;
  for (std::size_t slot = 0; slot < 2; ++slot) {
    std::uint8_t head[kHeadBytes];
    if (!read_exactly(fd, head, sizeof head, slot * kLogSlotBytes)) continue;
    std::uint32_t magic = 0;
    std::uint64_t epoch = 0;
    std::memcpy(&magic, head, sizeof magic);
    std::memcpy(&epoch, head + kEpochAt, sizeof epoch);
    if (magic == kLogSlotMagic && epoch > highest) highest = epoch;
  }
  return highest;
}

std::array<std::uint8_t, 16> boot_id() {
  std::array<std::uint8_t, 16> id{};
  const Fd file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  char text[36];
  if (!file || !read_exactly(file.get(), text, sizeof text, 0)) return id;
  std::string digits;
  for (const char c : text) {
    if (c != '-') digits += c;
  }
  if (!unhex(digits, id)) id = {};
  return id;
}

}  // namespace honeylink::telemetry::store
