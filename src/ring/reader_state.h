// Inside of RingReader, shared by the files that read one area each: reader.cc (header, slots, chunks),
// reader_directory.cc, reader_cells.cc and reader_open_spans.cc. Nobody else includes this.
//
// Must stay true: whatever is used was copied by one pread() and checked on the copy; no size or offset of the file
// leads to a copy or an allocation that the file's own size does not bound.
#pragma once
#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>

#include "base/ids.h"
#include "ring/reader.h"

namespace honeylink::telemetry::ring {

inline constexpr std::uint32_t kSlotsMax = 4096;
inline constexpr std::uint32_t kChunksMax = 65536;
inline constexpr std::uint32_t kChunkBytesMax = std::uint32_t{1} << 20;
inline constexpr std::uint64_t kDirectoryBytesMax = std::uint64_t{64} << 20;
inline constexpr std::uint64_t kCellsBytesMax = std::uint64_t{256} << 20;
inline constexpr std::uint32_t kTextIdsMax = 65536;  // keys of items are 16 bits
// Series repeat names that the directory holds once. A long description in each of thousands of series still fits; a
// lie does not.
inline constexpr std::uint64_t kUnfoldedBytesMax = std::uint64_t{64} << 20;
inline constexpr std::uint64_t kUnfoldingMax = 256;
inline constexpr int kTriesMax = 8;

template <class T>
[[nodiscard]] T load(const void* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

struct RingReader::State {
  Fd file;
  std::string name, why;
  bool writable = false, same_boot = false;
  alignas(64) std::uint8_t page[kPageBytes]{};  // the header as of open()
  LiveWords live;
  Source source;
  std::vector<SeriesDef> series;
  std::uint64_t directory_read = 0;  // bytes of the directory that `source` and `series` reflect
  std::uint64_t unfold_left = 0;     // bytes that the directory may still unfold to
  bool directory_damaged = false;
  std::vector<SlotView> slots;  // as of the last reading: what a slot that will not stand still keeps
  std::vector<std::uint8_t> first, second, third;  // buffers, kept between calls
  std::vector<std::uint8_t> cells_seen;            // as of the last cells_changed()

  [[nodiscard]] const Header& header() const noexcept { return *reinterpret_cast<const Header*>(page); }

  bool fail(const std::string& what) {
    why = name + ": " + what;
    return false;
  }
  /// One pread of a part of the file that open() has found to lie inside it. Ordered after all earlier ones.
  bool read(void* to, std::size_t bytes, std::uint64_t offset) {
    std::atomic_thread_fence(std::memory_order_acquire);
    if (read_exactly(file.get(), to, bytes, offset)) return true;
    return fail(std::string("cannot read ") + std::to_string(bytes) + " bytes at " + std::to_string(offset) + ": " +
                (errno == ENODATA ? "the file was truncated" : std::strerror(errno)));
  }
  bool read(std::vector<std::uint8_t>& to, std::size_t bytes, std::uint64_t offset) {
    to.resize(bytes);
    return bytes == 0 || read(to.data(), bytes, offset);
  }
  [[nodiscard]] bool is_gauge(std::uint32_t id) const noexcept {
    return id < series.size() && series[id].info.kind == MetricType::gauge && !series[id].info.name.empty();
  }
  bool read_directory();  // reader_directory.cc
};

}  // namespace honeylink::telemetry::ring
