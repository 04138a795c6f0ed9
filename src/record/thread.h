// What a thread owns while it records: a slot of the ring, its chunk, cells, open-span slots and ids. Bound on the slow
// path (process.h), used by tracer, logger and cells without a lock.
//
// A Thread is a thread-local of constant initialisation, used by its own thread only. A SlotState stays with its slot
// in the ring: a thread that ends hands it to the next thread, cells and all.
#pragma once
#include <atomic>
#include <cstdint>

#include "honeylink/internal/cells.h"
#include "honeylink/internal/frame.h"
#include "ring/chunk_writer.h"
#include "ring/doorbell.h"

namespace honeylink::telemetry::internal {

struct Ring;

inline constexpr std::uint32_t kSpanChunksPerThread = 16;
inline constexpr std::uint32_t kFreeSpanSlotsMax = 1024;  // 16 chunks of 64 slots

struct SeriesCacheEntry {
  std::uint64_t hash;  // 0: empty
  std::uint32_t series;
  std::uint32_t reserved;
};

struct SlotState {
  ring::ChunkWriter writer;
  Ring* ring = nullptr;
  ring::BellWord* bell = nullptr;  // the ring's
  std::uint32_t slot = 0;
  std::uint64_t next_id = 0, end_id = 0;  // block of counters for trace and span ids
  // Which of the next ids' traces a share keeps, as far as it was looked ahead (sampler.h).
  std::uint64_t decided_from = 0;
  std::uint64_t decided = 0;
  std::uint32_t decided_under = 0;
  std::uint64_t* cells = nullptr;  // current slab
  std::uint32_t cell_count = 0;
  std::uint32_t span_chunk_count = 0;
  std::uint32_t span_chunks[kSpanChunksPerThread];
  ring::SpanSlot** free_top = free_slots + 1;  // behind the last of the free slots; the entry below them all is null
  ring::SpanSlot* free_slots[1 + kFreeSpanSlotsMax];
  SeriesCacheEntry* series_cache = nullptr;  // kept for the process's life, also by the next holder
  std::uint32_t series_cache_size = 0, series_cache_used = 0;
  std::int64_t looked_at_ns = 0;  // when the ring's file was last looked at
};

// Set in Thread::gate while the thread is inside the recorder: a signal handler's call then finds no gate open.
inline constexpr std::uint32_t kInside = 0x8000'0000U;

struct Thread {
  Frame current;
  const void* owner = nullptr;         // execution unit of Activations: nullptr = the thread itself (coroutine.h)
  SlotState* state = nullptr;          // nullptr: not bound, or no slot to be had
  std::uint32_t gate = 0;              // the process's gate when it was bound (0: it is not), and kInside
  const unsigned* uncaught = nullptr;  // this thread's count of exceptions in flight, once it is bound
};

[[gnu::visibility("hidden")]] extern thread_local constinit Thread thread __attribute__((tls_model("initial-exec")));

}  // namespace honeylink::telemetry::internal
