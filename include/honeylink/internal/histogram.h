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
  std::uint64_t low, above;         // bits of the values that change no more than bucket and sum: [low, above)
  std::uint64_t place;              // BucketPlace
  const std::uint32_t* tick_epoch;  // the ring's
  std::uint32_t epoch;              // what it was when low and above were set
};

/// Where the buckets are and how wide, in one word, so that a signal handler that moves them while record() is under
/// way leaves it one whole truth. Upper half: the shift from scale 6 to the histogram's own. Lower half: the bytes from
/// the cells' start to the bucket whose biased index is 0, if there were one; signed.
struct BucketPlace {
  std::uint64_t word;
  [[nodiscard]] std::uint32_t shift() const noexcept { return static_cast<std::uint32_t>(word >> 32U); }
  [[nodiscard]] std::uint32_t* bucket(std::uint8_t* area, std::uint32_t biased_index) const noexcept {
    const auto origin = static_cast<std::ptrdiff_t>(static_cast<std::int32_t>(static_cast<std::uint32_t>(word)));
    const auto bytes = static_cast<std::ptrdiff_t>(sizeof(std::uint32_t)) * (biased_index >> shift());
    return reinterpret_cast<std::uint32_t*>(area + (origin + bytes));
  }
};

inline void add_to_bucket(std::uint32_t& bucket) noexcept {
#ifdef __x86_64__
  __asm__ volatile("addl $1, %0" : "+m"(bucket) : : "cc");
#else
  store_relaxed(bucket, load_relaxed(bucket) + 1);
#endif
}

/// A signal handler may record or fork between any two instructions here. So each word is loaded once, and in an order
/// in which old and new ones fit together: the range of usual values only widens while a bank lives, so a mixed one
/// lies within the newer; a forked child's words are zeros, which no value passes, and no bank lies at place 0.
inline void record(const Instrument& instrument, std::uint32_t series, double value) noexcept {
  std::uint8_t* const area = load_relaxed(thread_cells.area);
  __atomic_signal_fence(__ATOMIC_ACQUIRE);
  if (const std::uint64_t* const base = cells_of(series); base != nullptr) [[likely]] {
    const std::uint64_t offset = load_relaxed(base[series]), bits = std::bit_cast<std::uint64_t>(value);
    auto& h = *reinterpret_cast<HistogramCell*>(area + offset);
    const std::uint32_t* const tick_epoch = load_relaxed(h.tick_epoch);
    __atomic_signal_fence(__ATOMIC_ACQUIRE);
    if (offset != 0 && bits >= load_relaxed(h.low) && bits < load_relaxed(h.above) &&
        load_relaxed(*tick_epoch) == load_relaxed(h.epoch)) [[likely]] {
      const BucketPlace place{load_relaxed(h.place)};
      if (place.word != 0) [[likely]] {
        add_to_real_cell(h.sum, value);
        add_to_bucket(*place.bucket(area, biased_bucket_index(bits)));
        return;
      }
    }
  }
  record_histogram(instrument, series, value);
}

}  // namespace honeylink::telemetry::internal
