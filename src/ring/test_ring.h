// For tests and fuzz seeds: a small ring built by hand from layout.h, without the writer, so that reader and writer are
// not wrong together. The file is a memfd that this object maps; the test changes it under the reader's eyes. Throws
// nothing; aborts where the kernel refuses.
#pragma once
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "ring/layout.h"
#include "ring/reader.h"

namespace honeylink::telemetry::ring {

/// Items as bytes.
class TestItems {
 public:
  TestItems& add(ItemType type, std::uint16_t key, const void* payload, std::size_t size) {
    const ItemHeader header{key, item_type_size(type, size)};
    append(&header, sizeof header);
    append(payload, size);
    bytes_.resize(padded4(bytes_.size()));
    return *this;
  }
  TestItems& text(std::uint16_t key, std::string_view value) {
    return add(ItemType::text, key, value.data(), value.size());
  }
  TestItems& integer(std::uint16_t key, std::int64_t value) {
    return add(ItemType::integer, key, &value, sizeof value);
  }
  TestItems& boolean(std::uint16_t key, bool value) { return add(ItemType::boolean, key, &value, 1); }
  TestItems& event(std::uint32_t name, std::uint64_t time, const TestItems& inner) {
    std::vector<std::uint8_t> payload(kEventHeadBytes);
    std::memcpy(payload.data(), &name, 4);
    std::memcpy(payload.data() + 4, &time, 8);
    payload.insert(payload.end(), inner.bytes_.begin(), inner.bytes_.end());
    return add(ItemType::event, 0, payload.data(), payload.size());
  }
  [[nodiscard]] const std::vector<std::uint8_t>& bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::uint16_t count() const noexcept {
    ItemCursor cursor(bytes_);
    std::uint16_t n = 0;
    for (Item item; cursor.next(item);) ++n;
    return n;
  }

 private:
  void append(const void* from, std::size_t size) {
    const auto* at = static_cast<const std::uint8_t*>(from);
    bytes_.insert(bytes_.end(), at, at + size);
  }
  std::vector<std::uint8_t> bytes_;
};

/// A whole record: sizes and item count are filled in.
template <class Record>
std::vector<std::uint8_t> test_record(Record record, const TestItems& items = {}) {
  record.header.type = std::is_same_v<Record, SpanRecord> ? RecordType::span : RecordType::log;
  record.header.bytes = static_cast<std::uint16_t>((sizeof record + items.bytes().size() + 7) / 8 * 8);
  record.items = items.count();
  std::vector<std::uint8_t> bytes(record.header.bytes);
  std::memcpy(bytes.data(), &record, sizeof record);
  if (!items.bytes().empty()) std::memcpy(bytes.data() + sizeof record, items.bytes().data(), items.bytes().size());
  return bytes;
}

/// Declared behind a thread that runs until `stop`: a failed assertion then ends the test, and not the program.
struct StopAtEnd {
  std::atomic<bool>& stop;
  ~StopAtEnd() { stop.store(true); }
};

class TestRing {
 public:
  static constexpr std::uint32_t kSlots = 4, kChunks = 8;
  static constexpr std::uint64_t kSlotsAt = kPageBytes, kChunkHeadersAt = 2 * kPageBytes, kDirectoryAt = 3 * kPageBytes,
                                 kDirectoryBytes = 4 * kPageBytes, kCellsAt = kDirectoryAt + kDirectoryBytes,
                                 kCellsBytes = 4 * kPageBytes, kChunksAt = kCellsAt + kCellsBytes,
                                 kFileBytes = kChunksAt + kChunks * kChunkBytesSmall;

  TestRing() : TestRing(Fd(::memfd_create("test.ring", MFD_CLOEXEC))) {}
  /// In a file of the caller's, which is made as large as a ring.
  explicit TestRing(Fd file) : file_(std::move(file)) {
    if (!file_ || ::ftruncate(file_.get(), kFileBytes) != 0) std::abort();
    void* memory = ::mmap(nullptr, kFileBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
    if (memory == MAP_FAILED) std::abort();
    base_ = static_cast<std::uint8_t*>(memory);
    Header& h = header();
    h.magic = kMagic;
    h.version = kVersion;
    h.slot_count = kSlots;
    h.file_bytes = kFileBytes;
    h.chunk_count = kChunks;
    h.chunk_bytes = kChunkBytesSmall;
    h.slots_offset = kSlotsAt;
    h.chunk_headers_offset = kChunkHeadersAt;
    h.directory_offset = kDirectoryAt;
    h.directory_bytes = kDirectoryBytes;
    h.cells_offset = kCellsAt;
    h.cells_bytes = kCellsBytes;
    h.chunks_offset = kChunksAt;
    for (std::uint8_t i = 0; i < 16; ++i)
      h.ring_id[i] = i, h.trace_key[i] = static_cast<std::uint8_t>(0x40 + i),
      h.span_key[i] = static_cast<std::uint8_t>(0x80 + i);
    read_boot_id();
    h.pid = static_cast<std::uint64_t>(::getpid());
    h.clock_source = ClockSource::monotonic_ns;
    h.retroactive_keep = 1;
    h.created = read_clocks(ClockSource::monotonic_ns);
    h.next_seq = 1;
  }
  ~TestRing() { ::munmap(base_, kFileBytes); }
  TestRing(const TestRing&) = delete;
  TestRing& operator=(const TestRing&) = delete;

  [[nodiscard]] Header& header() noexcept { return *reinterpret_cast<Header*>(base_); }
  [[nodiscard]] ThreadSlot& slot(std::uint32_t i) noexcept {
    return reinterpret_cast<ThreadSlot*>(base_ + kSlotsAt)[i];
  }
  [[nodiscard]] ChunkHeader& chunk(std::uint32_t i) noexcept {
    return reinterpret_cast<ChunkHeader*>(base_ + kChunkHeadersAt)[i];
  }
  [[nodiscard]] std::uint8_t* chunk_data(std::uint32_t i) noexcept {
    return base_ + kChunksAt + std::uint64_t{i} * kChunkBytesSmall;
  }
  [[nodiscard]] std::uint8_t* directory() noexcept { return base_ + kDirectoryAt; }
  [[nodiscard]] std::uint8_t* cells() noexcept { return base_ + kCellsAt; }
  [[nodiscard]] std::uint8_t* base() noexcept { return base_; }
  [[nodiscard]] int fd() const noexcept { return file_.get(); }
  /// An open() of its own, as a reader has.
  [[nodiscard]] Fd open(int flags = O_RDWR) const {
    return Fd(::open(("/proc/self/fd/" + std::to_string(file_.get())).c_str(), flags | O_CLOEXEC));
  }
  [[nodiscard]] std::unique_ptr<RingReader> reader(std::string& why) const {
    return RingReader::open(open(), "test.ring", true, why);
  }
  [[nodiscard]] std::unique_ptr<RingReader> reader() const {
    std::string why;
    auto opened = reader(why);
    if (opened == nullptr) std::abort();
    return opened;
  }

  // ---- directory
  void entry(EntryType type, std::uint8_t a, std::uint16_t b, std::uint32_t id, const void* payload, std::size_t size) {
    const std::uint64_t used = header().directory_used;
    const auto whole = static_cast<std::uint32_t>((sizeof(EntryHeader) + size + 7) / 8 * 8);
    const EntryHeader head{whole, type, a, b, id, static_cast<std::uint32_t>(size)};
    std::memcpy(directory() + used, &head, sizeof head);
    if (size > 0) std::memcpy(directory() + used + sizeof head, payload, size);
    header().directory_used = used + whole;
  }
  void text(std::uint32_t id, std::string_view value) { entry(EntryType::text, 0, 0, id, value.data(), value.size()); }
  void scope(std::uint32_t id, std::uint32_t name, std::uint32_t version, std::uint32_t schema_url) {
    const std::uint32_t ids[] = {name, version, schema_url};
    entry(EntryType::scope, 0, 0, id, ids, sizeof ids);
  }
  void resource(const TestItems& items) {
    entry(EntryType::resource, 0, items.count(), 0, items.bytes().data(), items.bytes().size());
  }
  void series(std::uint32_t id, InstrumentKind kind, const SeriesEntry& fixed, const TestItems& labels = {}) {
    std::vector<std::uint8_t> payload(sizeof fixed);
    std::memcpy(payload.data(), &fixed, sizeof fixed);
    payload.insert(payload.end(), labels.bytes().begin(), labels.bytes().end());
    entry(EntryType::series, static_cast<std::uint8_t>(kind), labels.count(), id, payload.data(), payload.size());
  }

  // ---- records
  /// FREE or FULL → OWNED, one generation on, as a writer does; ordinals from the slot's sealed totals.
  void take(std::uint32_t chunk_index, std::uint32_t slot_index) noexcept {
    ChunkHeader& c = chunk(chunk_index);
    ThreadSlot& s = slot(slot_index);
    const std::uint32_t generation = generation_of(c.word) + 1;
    c.word = make_word(generation, slot_index, ChunkState::claim);
    c.seal_seq = s.seal_seq.load();
    for (std::size_t k = 0; k < kClasses; ++k) c.first[k] = s.totals[s.seal_seq & 1][k].load();
    c.committed = 0;
    c.seq = header().next_seq.fetch_add(1);
    s.state = static_cast<std::uint32_t>(SlotState::used);
    c.word = make_word(generation, slot_index, ChunkState::owned);
  }
  void append(std::uint32_t chunk_index, const std::vector<std::uint8_t>& record) noexcept {
    ChunkHeader& c = chunk(chunk_index);
    std::memcpy(chunk_data(chunk_index) + c.committed, record.data(), record.size());
    c.committed = c.committed + static_cast<std::uint32_t>(record.size());
  }
  /// Seals the slot with `added` more records per class and makes the chunk FULL.
  void seal(std::uint32_t chunk_index, std::uint64_t kept, std::uint64_t unsampled, std::uint64_t logs) noexcept {
    ChunkHeader& c = chunk(chunk_index);
    ThreadSlot& s = slot(slot_of(c.word));
    const std::uint64_t added[kClasses] = {kept, unsampled, logs}, next = s.seal_seq + 1;
    for (std::size_t k = 0; k < kClasses; ++k) s.totals[next & 1][k] = s.totals[(next + 1) & 1][k] + added[k];
    s.seal_seq = next;
    c.word = make_word(generation_of(c.word), slot_of(c.word), ChunkState::full);
  }

  // ---- cells
  [[nodiscard]] std::uint8_t* block(BlockType type, std::size_t bytes, std::uint32_t slot_index,
                                    std::uint32_t series_id, std::uint32_t count) noexcept {
    const std::uint64_t used = header().cells_used;
    const auto whole = static_cast<std::uint32_t>((bytes + 63) / 64 * 64);
    const BlockHeader head{whole, type, slot_index, series_id, count, 0};
    std::memcpy(cells() + used, &head, sizeof head);
    header().cells_used = used + whole;
    return cells() + used;
  }
  std::uint64_t* slab(std::uint32_t slot_index, std::uint32_t first_series, std::uint32_t count) noexcept {
    auto* values = reinterpret_cast<std::uint64_t*>(
        block(BlockType::slab, kSlabHeaderBytes + count * 8ULL, slot_index, first_series, count) + kSlabHeaderBytes);
    if (slot_index == kSharedSlot) std::fill(values, values + count, kGaugeUnset);
    return values;
  }
  HistogramBlock& histogram(std::uint32_t slot_index, std::uint32_t series_id) noexcept {
    auto& h = *reinterpret_cast<HistogramBlock*>(
        block(BlockType::histogram, sizeof(HistogramBlock), slot_index, series_id, 0));
    for (auto& range : h.range) {
      range.min = std::numeric_limits<double>::infinity();
      range.max = -std::numeric_limits<double>::infinity();
    }
    return h;
  }
  /// The buckets of a new bank; `offset` is for make_bank_word().
  std::uint32_t* bank(std::uint32_t count, std::uint32_t& offset) noexcept {
    std::uint8_t* at = block(BlockType::bank, kBankHeaderBytes + count * 4ULL, 0, 0, count);
    offset = static_cast<std::uint32_t>(at - cells());
    return reinterpret_cast<std::uint32_t*>(at + kBankHeaderBytes);
  }

  // ---- open spans
  void carve(std::uint32_t chunk_index, std::uint32_t slot_index) noexcept {
    chunk(chunk_index).word = make_word(generation_of(chunk(chunk_index).word) + 1, slot_index, ChunkState::slots);
  }
  [[nodiscard]] SpanSlot& span_slot(std::uint32_t chunk_index, std::uint32_t i) noexcept {
    return reinterpret_cast<SpanSlot*>(chunk_data(chunk_index))[i];
  }

 private:
  void read_boot_id() noexcept {
    const Fd file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
    char text[36];
    if (!file || !read_exactly(file.get(), text, sizeof text, 0)) std::abort();
    std::size_t digits = 0;
    for (const char c : text) {
      if (c == '-') continue;
      const auto digit = static_cast<std::uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10);
      std::uint8_t& byte = header().boot_id[digits++ / 2];
      byte = static_cast<std::uint8_t>(byte << 4 | digit);
    }
  }
  Fd file_;
  std::uint8_t* base_ = nullptr;
};

}  // namespace honeylink::telemetry::ring
