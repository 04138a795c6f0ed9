// See counter_exemplar.h. One block in the ring for each name, made at its first increment in a span.
#include "record/counter_exemplar.h"

#include "record/memory.h"
#include "record/process.h"
#include "record/ticks.h"

namespace honeylink::telemetry::internal {
namespace {

ring::CounterExemplarBlock* block_of(Ring& ring, std::uint32_t name, std::uint32_t series) noexcept {
  std::atomic<ring::CounterExemplarBlock*>& place = ring.exemplars[name];
  ring::CounterExemplarBlock* block = place.load(std::memory_order_acquire);
  if (block != nullptr) return block;
  const Locked locked;
  block = place.load(std::memory_order_relaxed);
  if (block != nullptr) return block;
  block = reinterpret_cast<ring::CounterExemplarBlock*>(ring::append_block(
      ring.map, ring::BlockType::exemplar, sizeof(ring::CounterExemplarBlock), ring::kSharedSlot, series, 0));
  if (block != nullptr) place.store(block, std::memory_order_release);
  return block;
}

}  // namespace

void keep_exemplar(std::uint32_t series, double value) noexcept {
  const SpanRef& span = thread.current.span;
  Ring* ring = process.current.load(std::memory_order_acquire);
  if ((span.flags & kRefValid) == 0 || ring == nullptr) return;
  const std::uint32_t plain = plain_series(series);
  ring::CounterExemplarBlock* block = block_of(*ring, (series >> 16) & 0x7fU, plain);
  if (block == nullptr) return;
  const std::uint32_t epoch = ring->map.header().tick_epoch.load(std::memory_order_relaxed);
  ring::Exemplar& e = block->exemplar;
  std::uint32_t seq = e.seq.load(std::memory_order_relaxed);
  const bool fresh = seq == 0 || block->epoch.load(std::memory_order_relaxed) != epoch;
  double kept = 0;
  __atomic_load(&e.value, &kept, __ATOMIC_RELAXED);
  if (!fresh && !(value > kept)) return;
  if (seq % 2 != 0 || !e.seq.compare_exchange_strong(seq, seq + 1, std::memory_order_acquire)) return;
  std::atomic_thread_fence(std::memory_order_release);
  unsigned flags = 0;
  if ((span.flags & kRefTraceForeign) != 0) flags |= ring::kFlagTraceForeign;
  if ((span.flags & kRefSpanForeign) != 0) flags |= ring::kFlagParentForeign;
  block->series.store(plain, std::memory_order_relaxed);
  block->epoch.store(epoch, std::memory_order_relaxed);
  e.flags = flags;
  __atomic_store(&e.value, &value, __ATOMIC_RELAXED);
  e.ticks = ticks_now();
  e.trace_hi = span.trace_hi, e.trace_lo = span.trace_lo, e.span = span.span;
  e.seq.store(seq + 2, std::memory_order_release);
}

}  // namespace honeylink::telemetry::internal
