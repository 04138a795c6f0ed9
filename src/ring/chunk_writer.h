// Appends records to a thread's chunk and switches chunks: PROTOCOL 2, line by line. The publication is one release
// store.
//
// A ChunkWriter belongs to one thread slot and is used by the one thread that holds the slot; `busy` of the recorder
// keeps a signal handler out. Nothing here blocks, loops without bound, or makes a system call.
#pragma once
#include <cstdint>

#include "ring/ring_map.h"

namespace honeylink::telemetry::ring {

class ChunkWriter {
 public:
  static constexpr std::uint32_t kUsualRecordMax = 512;

  /// Takes over a slot that the caller has claimed: ordinals go on where its last holder sealed.
  void attach(const RingMap& map, std::uint32_t slot) noexcept;
  [[nodiscard]] bool is_attached() const noexcept { return map_.base != nullptr; }
  /// Seals what is open (PROTOCOL 2, step 1). The slot may then be released.
  void detach() noexcept;

  /// Room for `bytes` (a multiple of 8, ≤ kRecordBytesMax): where to write, or nullptr when there is no chunk to be
  /// had. Then the record has taken an ordinal of `record_class` and is a drop by arithmetic.
  [[nodiscard]] std::uint8_t* reserve(std::uint32_t bytes, RecordClass record_class) noexcept {
    if (bytes <= room()) [[likely]]
      return write_;
    return reserve_slow(record_class);
  }
  /// What reserve() would give without a new chunk.
  [[nodiscard]] std::size_t room() const noexcept { return static_cast<std::size_t>(end_ - write_); }
  [[nodiscard]] std::uint8_t* at() const noexcept { return write_; }
  /// Whether a record of kUsualRecordMax bytes has room at at(): one comparison instead of a size.
  [[nodiscard]] bool has_usual_room() const noexcept { return write_ < usual_until_; }
  /// Publishes what was written at reserve()'s answer.
  void publish(std::uint32_t bytes, RecordClass record_class) noexcept {
    write_ += bytes;
    ++next_place_;
    if (record_class != RecordClass::kept_span) ++others_[static_cast<std::size_t>(record_class) - 1];
    chunk_->committed.store(static_cast<std::uint32_t>(write_ - data_), std::memory_order_release);
    // The pool is larger than the processor's near caches: ask for the lines of the records to come, so that no store
    // waits for them.
    __builtin_prefetch(write_ + kPrefetchBytes, 1);
    __builtin_prefetch(write_ + kPrefetchBytes + 64, 1);
  }
  /// The ordinal that the next record will have (sum over classes).
  [[nodiscard]] std::uint64_t next_ordinal() const noexcept { return next_place_ & kOrdinalMask; }
  /// The same and the slot, as SpanSlot::ending_at says it.
  [[nodiscard]] std::uint64_t next_place() const noexcept { return next_place_; }
  [[nodiscard]] std::uint32_t slot() const noexcept { return slot_; }
  /// Chunks taken so far.
  [[nodiscard]] std::uint64_t switches() const noexcept { return switches_; }

  /// A chunk for other use (open-span slots): CLAIM by the same choice. -1: none.
  [[nodiscard]] static std::int64_t claim_chunk(const RingMap& map, std::uint32_t slot) noexcept;

 private:
  static constexpr std::uint32_t kPrefetchBytes = 512;  // a few records ahead
  static constexpr std::uint64_t kOrdinalMask = (std::uint64_t{1} << kEndingSlotShift) - 1;
  std::uint8_t* reserve_slow(RecordClass record_class) noexcept;
  void seal() noexcept;
  [[nodiscard]] std::uint64_t total(std::size_t record_class) const noexcept {
    return record_class != 0 ? others_[record_class - 1] : next_ordinal() - others_[0] - others_[1];
  }

  std::uint8_t* write_ = nullptr;
  std::uint8_t* usual_until_ = nullptr;  // below it a usual record has room
  std::uint8_t* data_ = nullptr;         // of the chunk
  ChunkHeader* chunk_ = nullptr;
  std::uint64_t next_place_ = 0;          // slot + 1 in the upper 16 bits | ordinal
  std::uint64_t others_[kClasses - 1]{};  // records that are no kept spans, by class
  std::uint8_t* end_ = nullptr;           // of the room: before the chunk's
  RingMap map_{};
  std::uint32_t slot_ = 0;
  std::uint32_t chunk_index_ = 0;
  std::uint64_t switches_ = 0;
};

}  // namespace honeylink::telemetry::ring
