// The slow half of chunk_writer.h: seal, choose, claim, open.
#include "ring/chunk_writer.h"

namespace honeylink::telemetry::ring {
namespace {

// A record may be copied in 32-byte steps past its end; the next chunk's bytes must not be touched by that.
constexpr std::uint32_t kSlackBytes = 64;
constexpr int kClaimTries = 8;
constexpr std::uint32_t kNearby = 16;

struct Choice {
  std::uint32_t index;
  std::uint64_t word;
};

bool is_drained(const ChunkHeader& chunk, std::uint64_t word) noexcept {
  if (state_of(word) == ChunkState::free) return true;
  return state_of(word) == ChunkState::full && chunk.released.load(std::memory_order_acquire) == generation_of(word);
}

// Chunks are taken round the ring in steps, so the first drained one after the newest is nearly always the oldest: the
// flight recorder keeps the last seconds and the common choice costs one cache line.
bool choose_nearby(const RingMap& map, Choice& choice) noexcept {
  if (map.next_chunk == nullptr) return false;
  const std::uint32_t count = map.geometry.chunk_count;
  std::uint32_t index = map.next_chunk->load(std::memory_order_relaxed) % count;
  for (std::uint32_t step = 0; step < kNearby; ++step, index = (index + map.geometry.chunk_step) % count) {
    const std::uint64_t word = map.chunk(index).word.load(std::memory_order_acquire);
    if (is_drained(map.chunk(index), word)) {
      choice = {index, word};
      return true;
    }
    if (state_of(word) == ChunkState::full) return false;  // the engine is behind: look for the oldest of all
  }
  return false;
}

bool choose(const RingMap& map, Choice& choice) noexcept {
  if (choose_nearby(map, choice)) return true;
  const std::uint32_t count = map.geometry.chunk_count;
  std::uint64_t drained_seq = ~std::uint64_t{0}, full_seq = ~std::uint64_t{0};
  Choice drained{}, full{};
  for (std::uint32_t i = 0; i < count; ++i) {
    const ChunkHeader& chunk = map.chunk(i);
    const std::uint64_t word = chunk.word.load(std::memory_order_acquire);
    const std::uint64_t seq = chunk.seq.load(std::memory_order_relaxed);
    if (is_drained(chunk, word)) {
      if (seq < drained_seq) drained_seq = seq, drained = {i, word};
    } else if (state_of(word) == ChunkState::full && seq < full_seq) {
      full_seq = seq, full = {i, word};
    }
  }
  if (drained_seq != ~std::uint64_t{0}) {
    choice = drained;
  } else if (full_seq != ~std::uint64_t{0}) {
    choice = full;
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::int64_t ChunkWriter::claim_chunk(const RingMap& map, std::uint32_t slot) noexcept {
  Choice choice{};
  for (int tries = 0; tries < kClaimTries && choose(map, choice); ++tries) {
    const std::uint64_t claimed = make_word(generation_of(choice.word) + 1, slot, ChunkState::claim);
    if (map.chunk(choice.index).word.compare_exchange_strong(choice.word, claimed, std::memory_order_acq_rel)) {
      // Keeps the header and data stores that follow behind the claim (no code on x86; needed on ARM).
      std::atomic_thread_fence(std::memory_order_release);
      if (map.next_chunk != nullptr)
        map.next_chunk->store(choice.index + map.geometry.chunk_step, std::memory_order_relaxed);
      return choice.index;
    }
  }
  return -1;
}

void ChunkWriter::attach(const RingMap& map, std::uint32_t slot) noexcept {
  map_ = map;
  slot_ = slot;
  chunk_ = nullptr;
  write_ = usual_until_ = end_ = data_ = nullptr;
  const ThreadSlot& s = map.slot(slot);
  const std::uint64_t seal = s.seal_seq.load(std::memory_order_acquire);
  next_place_ = std::uint64_t{slot + 1U} << kEndingSlotShift;
  for (std::size_t k = 0; k < kClasses; ++k) {
    const std::uint64_t total = s.totals[seal & 1][k].load(std::memory_order_relaxed);
    next_place_ += total;
    if (k != 0) others_[k - 1] = total;
  }
}

void ChunkWriter::detach() noexcept {
  if (map_.base == nullptr) return;
  seal();
  map_.base = nullptr;
}

void ChunkWriter::seal() noexcept {
  ThreadSlot& s = map_.slot(slot_);
  const std::uint64_t next = s.seal_seq.load(std::memory_order_relaxed) + 1;
  for (std::size_t k = 0; k < kClasses; ++k) s.totals[next & 1][k].store(total(k), std::memory_order_relaxed);
  s.seal_seq.store(next, std::memory_order_release);
  if (chunk_ != nullptr) {
    const std::uint64_t word = chunk_->word.load(std::memory_order_relaxed);
    chunk_->word.store(make_word(generation_of(word), slot_, ChunkState::full), std::memory_order_release);
    chunk_ = nullptr;
    write_ = usual_until_ = end_ = nullptr;
  }
}

std::uint8_t* ChunkWriter::reserve_slow(RecordClass record_class) noexcept {
  if (map_.base == nullptr) return nullptr;
  seal();
  const std::int64_t index = claim_chunk(map_, slot_);
  if (index < 0) {
    ++next_place_;
    if (record_class != RecordClass::kept_span) ++others_[static_cast<std::size_t>(record_class) - 1];
    seal();
    return nullptr;
  }
  ChunkHeader& chunk = map_.chunk(static_cast<std::uint32_t>(index));
  chunk.seal_seq.store(map_.slot(slot_).seal_seq.load(std::memory_order_relaxed), std::memory_order_relaxed);
  for (std::size_t k = 0; k < kClasses; ++k) chunk.first[k].store(total(k), std::memory_order_relaxed);
  chunk.committed.store(0, std::memory_order_relaxed);
  chunk.seq.store(map_.header().next_seq.fetch_add(1, std::memory_order_relaxed), std::memory_order_relaxed);
  const std::uint64_t claimed = chunk.word.load(std::memory_order_relaxed);
  chunk.word.store(make_word(generation_of(claimed), slot_, ChunkState::owned), std::memory_order_release);
  chunk_ = &chunk;
  chunk_index_ = static_cast<std::uint32_t>(index);
  write_ = data_ = map_.chunk_data(chunk_index_);
  end_ = data_ + map_.geometry.chunk_bytes - kSlackBytes;
  usual_until_ = end_ - kUsualRecordMax + 1;
  ++switches_;
  return write_;
}

}  // namespace honeylink::telemetry::ring
