// The usual observation of a histogram, inlined into the application: one comparison says that nothing but a bucket and
// the sum changes. Everything else is behind record_histogram().
//
// Buckets are OpenTelemetry's base-2 exponential ones at scale 6: (2^(i/64), 2^((i+1)/64)] is bucket i, by table: no
// logarithm on the recording path.
#pragma once
#include "honeylink/internal/cells.h"

namespace honeylink::telemetry::internal {

struct HistogramIndexTable {
  // Mantissa bits of 2^(i/64), rounded down, as is what is compared; the last one is past the end.
  std::uint64_t bound[65];
  std::uint8_t guess[256];  // by the mantissa's first 8 bits: the bucket or the one before
};
HONEYLINK_API extern const HistogramIndexTable histogram_index;  // constant-initialised

/// The bucket of a positive, finite value that is not subnormal, by its bits, and kIndexBias more: never negative, and
/// a coarser scale's bucket is this one shifted to the right, the bias with it.
inline constexpr std::uint32_t kIndexBias = 1U << 16U;
[[nodiscard]] inline std::uint32_t biased_bucket_index(std::uint64_t bits) noexcept {
  // One less: the upper bound belongs to the bucket, so an exact power of two falls into the one below.
  const std::uint64_t below = bits - 1, mantissa = below & ((std::uint64_t{1} << 52) - 1);
  const std::uint32_t guess = histogram_index.guess[mantissa >> 44];
  const std::uint32_t k = mantissa >= histogram_index.bound[guess + 1] ? guess + 1 : guess;
  return static_cast<std::uint32_t>(below >> 52) * 64 + k + (kIndexBias - 1023 * 64);
}

/// What record() looks at of a thread's histogram in the ring file; written by this thread only. The sum is part of the
/// format (ring/layout.h, HistogramBlock), the rest is the writer's own.
struct HistogramCell {
  std::uint64_t head[6];
  std::uint64_t sum;  // a double
  std::uint64_t more[12];
  std::uint64_t low, span;          // bits of the values that change no more than bucket and sum: [low, low + span)
  std::uintptr_t buckets;           // address of the bucket whose biased index is 0, if there were one
  const std::uint32_t* tick_epoch;  // the ring's
  std::uint32_t epoch;              // what it was when low and span were set
  std::uint32_t shift;              // from scale 6 to the histogram's own
};

inline void add_to_bucket(std::uintptr_t bucket) noexcept {
#ifdef __x86_64__
  __asm__ volatile("addl $1, (%0)" : : "r"(bucket) : "cc", "memory");
#else
  auto& count = *reinterpret_cast<std::uint32_t*>(bucket);
  store_relaxed(count, load_relaxed(count) + 1);
#endif
}

inline void record(const Instrument& instrument, std::uint32_t series, double value) noexcept {
  const ThreadCells& cells = thread_cells;
  if (series < cells.size) [[likely]] {
    const std::uint64_t offset = cells.base[series], bits = std::bit_cast<std::uint64_t>(value);
    auto& h = *reinterpret_cast<HistogramCell*>(cells.area + offset);
    if (offset != 0 && bits - h.low < h.span && load_relaxed(*h.tick_epoch) == h.epoch) [[likely]] {
      const std::uint32_t index = biased_bucket_index(bits);
      add_to_real_cell(h.sum, value);
      add_to_bucket(h.buckets + std::uintptr_t{index >> h.shift} * sizeof(std::uint32_t));
      return;
    }
  }
  record_histogram(instrument, series, value);
}

}  // namespace honeylink::telemetry::internal
