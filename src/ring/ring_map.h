// A ring as its own process sees it: one writable mapping and pointers into it. Made by record/process; formatted once,
// then written by the functions of directory_writer.h, cell_writer.h and chunk_writer.h. Never unmapped while the
// process may record.
#pragma once
#include <atomic>
#include <cstdint>
#include <span>

#include "ring/layout.h"

namespace honeylink::telemetry::ring {

/// Where everything lies in a file of a given size (docs/formats/ring_file.md, "Geometry").
struct Geometry {
  std::uint64_t file_bytes = 0;
  std::uint32_t slot_count = 0, chunk_count = 0, chunk_bytes = 0;
  std::uint64_t slots_offset = 0, chunk_headers_offset = 0, directory_offset = 0, directory_bytes = 0, cells_offset = 0,
                cells_bytes = 0, chunks_offset = 0;
  // From a chunk to the one that is taken after it; not part of the file. Two threads that take chunks in turn should
  // not write side by side, which costs both of them up to a half more; by this step, any number of chunks in a row lie
  // far apart and all are met.
  std::uint32_t chunk_step = 1;
};
/// For kRingBytesMin ≤ bytes ≤ kRingBytesMax; rounded down to pages.
[[nodiscard]] Geometry plan_ring(std::uint64_t bytes) noexcept;

/// Identity of a ring that is about to be made.
struct RingIdentity {
  std::uint8_t ring_id[16];
  std::uint8_t boot_id[16];
  std::uint8_t trace_key[16], span_key[16];
  std::uint64_t pid, process_start;
  ClockSource clock_source;
  ClockReading created;
  bool retroactive_keep;
};

/// Views of a mapping; trivially copyable. Which thread may write what: docs/formats/ring_file.md.
struct RingMap {
  std::uint8_t* base = nullptr;
  Geometry geometry;
  // Where the search for a chunk begins: the one after the last that was taken. A hint of the writing process, not part
  // of the file.
  std::atomic<std::uint32_t>* next_chunk = nullptr;

  [[nodiscard]] Header& header() const noexcept { return *reinterpret_cast<Header*>(base); }
  [[nodiscard]] ThreadSlot& slot(std::uint32_t i) const noexcept {
    return reinterpret_cast<ThreadSlot*>(base + geometry.slots_offset)[i];
  }
  [[nodiscard]] ChunkHeader& chunk(std::uint32_t i) const noexcept {
    return reinterpret_cast<ChunkHeader*>(base + geometry.chunk_headers_offset)[i];
  }
  [[nodiscard]] std::uint8_t* chunk_data(std::uint32_t i) const noexcept {
    return base + geometry.chunks_offset + std::uint64_t{i} * geometry.chunk_bytes;
  }
  [[nodiscard]] std::uint8_t* cells() const noexcept { return base + geometry.cells_offset; }
  [[nodiscard]] std::uint8_t* directory() const noexcept { return base + geometry.directory_offset; }
  [[nodiscard]] std::uint32_t span_slots_per_chunk() const noexcept {
    return static_cast<std::uint32_t>(geometry.chunk_bytes / kSpanSlotBytes);
  }
};

/// Writes the header into zeroed memory of `geometry.file_bytes`. Nothing is visible to others yet.
void format_ring(const RingMap& map, const RingIdentity& identity) noexcept;

/// Whether an entry of so many bytes would fit; the caller holds the process's lock.
[[nodiscard]] bool has_room(const RingMap& map, std::size_t payload) noexcept;

/// Appends one entry; the caller holds the process's lock. False: the directory is full, nothing was written.
bool append_entry(const RingMap& map, EntryType type, std::uint8_t a, std::uint16_t b, std::uint32_t id,
                  std::span<const std::uint8_t> head, std::span<const std::uint8_t> tail = {}) noexcept;

/// A zeroed block of at least `bytes` (header included); the caller holds the process's lock. nullptr: no cell left.
BlockHeader* append_block(const RingMap& map, BlockType type, std::size_t bytes, std::uint32_t slot,
                          std::uint32_t series, std::uint32_t count) noexcept;

}  // namespace honeylink::telemetry::ring
