// Geometry, formatting and the two append-only areas of a ring (directory, cells). See ring_map.h.
#include "ring/ring_map.h"

#include <cstring>
#include <numeric>

namespace honeylink::telemetry::ring {
namespace {

constexpr std::uint64_t page_up(std::uint64_t n) noexcept { return (n + kPageBytes - 1) / kPageBytes * kPageBytes; }

constexpr std::size_t entry_bytes(std::size_t payload) noexcept { return (sizeof(EntryHeader) + payload + 7) / 8 * 8; }

}  // namespace

Geometry plan_ring(std::uint64_t bytes) noexcept {
  Geometry g;
  g.file_bytes = bytes / kPageBytes * kPageBytes;
  const bool small = g.file_bytes < (std::uint64_t{1} << 20);
  g.chunk_bytes = small ? kChunkBytesSmall : kChunkBytes;
  // Seven tenths for records, a fifth for cells, the rest for what names them: 7 MB, 2 MB and 1 MB of the default 10
  // MiB.
  g.chunk_count = static_cast<std::uint32_t>(g.file_bytes * 7 / 10 / g.chunk_bytes);
  // A slot per chunk: more threads than chunks could not own one anyway. 16-bit owner in the chunk's word.
  g.slot_count = g.chunk_count < 32 ? 32 : g.chunk_count > 1024 ? 1024 : (g.chunk_count + 31) / 32 * 32;
  g.slots_offset = kPageBytes;
  g.chunk_headers_offset = g.slots_offset + g.slot_count * sizeof(ThreadSlot);
  g.directory_offset = page_up(g.chunk_headers_offset + std::uint64_t{g.chunk_count} * sizeof(ChunkHeader));
  g.chunks_offset = g.file_bytes - std::uint64_t{g.chunk_count} * g.chunk_bytes;
  g.cells_bytes = g.file_bytes / 5 / kPageBytes * kPageBytes;
  g.cells_offset = (g.chunks_offset - g.cells_bytes) / kPageBytes * kPageBytes;
  g.directory_bytes = g.cells_offset - g.directory_offset;
  g.chunk_step = g.chunk_count * 618 / 1000;  // the golden section spreads best
  while (std::gcd(g.chunk_step, g.chunk_count) != 1) ++g.chunk_step;
  return g;
}

void format_ring(const RingMap& map, const RingIdentity& identity) noexcept {
  Header& h = map.header();
  const Geometry& g = map.geometry;
  h.slot_count = g.slot_count;
  h.file_bytes = g.file_bytes;
  h.chunk_count = g.chunk_count;
  h.chunk_bytes = g.chunk_bytes;
  h.slots_offset = g.slots_offset;
  h.chunk_headers_offset = g.chunk_headers_offset;
  h.directory_offset = g.directory_offset;
  h.directory_bytes = g.directory_bytes;
  h.cells_offset = g.cells_offset;
  h.cells_bytes = g.cells_bytes;
  h.chunks_offset = g.chunks_offset;
  std::memcpy(h.ring_id, identity.ring_id, sizeof h.ring_id);
  std::memcpy(h.boot_id, identity.boot_id, sizeof h.boot_id);
  std::memcpy(h.trace_key, identity.trace_key, sizeof h.trace_key);
  std::memcpy(h.span_key, identity.span_key, sizeof h.span_key);
  h.pid = identity.pid;
  h.process_start = identity.process_start;
  h.clock_source = identity.clock_source;
  h.retroactive_keep = identity.retroactive_keep ? 1 : 0;
  h.created = identity.created;
  h.next_seq.store(1, std::memory_order_relaxed);
  h.tick_epoch.store(1, std::memory_order_relaxed);  // 0 in a histogram's range means never used
  h.version = kVersion;
  std::atomic_thread_fence(std::memory_order_release);
  h.magic = kMagic;
}

bool has_room(const RingMap& map, std::size_t payload) noexcept {
  const std::uint64_t used = map.header().directory_used.load(std::memory_order_relaxed);
  return payload <= 0xffffU && entry_bytes(payload) <= map.geometry.directory_bytes - used;
}

bool append_entry(const RingMap& map, EntryType type, std::uint8_t a, std::uint16_t b, std::uint32_t id,
                  std::span<const std::uint8_t> head, std::span<const std::uint8_t> tail) noexcept {
  Header& h = map.header();
  const std::uint64_t used = h.directory_used.load(std::memory_order_relaxed);
  const std::size_t payload = head.size() + tail.size();
  if (!has_room(map, payload)) return false;
  const std::size_t whole = entry_bytes(payload);
  std::uint8_t* at = map.directory() + used;
  const EntryHeader entry{static_cast<std::uint32_t>(whole), type, a, b, id, static_cast<std::uint32_t>(payload)};
  std::memcpy(at, &entry, sizeof entry);
  if (!head.empty()) std::memcpy(at + sizeof entry, head.data(), head.size());
  if (!tail.empty()) std::memcpy(at + sizeof entry + head.size(), tail.data(), tail.size());
  h.directory_used.store(used + whole, std::memory_order_release);
  return true;
}

BlockHeader* append_block(const RingMap& map, BlockType type, std::size_t bytes, std::uint32_t slot,
                          std::uint32_t series, std::uint32_t count) noexcept {
  Header& h = map.header();
  const std::uint64_t used = h.cells_used.load(std::memory_order_relaxed);
  const std::size_t whole = (bytes + 63) / 64 * 64;
  if (whole > map.geometry.cells_bytes - used) return nullptr;
  auto* block = reinterpret_cast<BlockHeader*>(map.cells() + used);
  *block = {static_cast<std::uint32_t>(whole), type, slot, series, count, 0};
  // A kill before this store leaves the block unseen, and the process that could make another is gone with it.
  h.cells_used.store(used + whole, std::memory_order_release);
  return block;
}

}  // namespace honeylink::telemetry::ring
